"""Faults of pages and hops that answer late, or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from besedka.checks import examination, patience
from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.hops import with_a_code, with_a_short_state, with_a_token
from faults.proxy import Request, Rule
from faults.rules import late, silent, to

# In seconds: what doctor calls late here, how late it is, and when doctor gives up.
_PATIENCE, _LATE, _GIVES_UP = 1.0, 1.3, 3.0


@contextmanager
def _less_patient() -> Iterator[None]:
    """Doctor waits for three seconds where he would wait for twenty, and calls one of them late."""
    with ExitStack() as held:
        for place in (patience, examination):
            held.enter_context(mock.patch.object(place, "SERVER_SECONDS", _GIVES_UP))
        held.enter_context(mock.patch.object(patience, "SLOW_SECONDS", _PATIENCE))
        yield


def _filled(request: Request) -> bool:
    return request.path == names.LOGIN and b"password=" in request.body and b"password=&" not in request.body


def _test_page(request: Request) -> bool:
    return request.path == names.TEST_PAGE and bool(request.header("Cookie"))


def _script(request: Request) -> bool:
    return request.path.endswith(".js")


def _room(request: Request) -> bool:
    return request.path.startswith(("/channel/", "/group/"))


def _slow(name: str, hop: str, which: Callable[[Request], bool]) -> Fault:
    return _waiting(name, f"sso.{hop}.slow", late(which, _LATE))


def _hanging(name: str, hop: str, which: Callable[[Request], bool]) -> Fault:
    return _waiting(name, f"sso.{hop}.hangs", silent(which))


def _waiting(name: str, cause: str, rule: Rule, service: str = "site") -> Fault:
    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        with _less_patient(), one.ruled(service, rule):
            yield

    return Fault(name, cause, breaking)


FAULTS = (
    _waiting("log_in_page_slow", "site.login_page.slow", late(to(names.LOGIN, "GET"), _LATE)),
    _slow("log_in_slow", "user", _filled),
    _slow("test_page_slow", "test_page", _test_page),
    _waiting("chat_page_slow", "iframe.document.slow", late(_room, _LATE), service="chat"),
    _waiting("chat_scripts_slow", "iframe.client.slow", late(_script, _LATE), service="chat"),
    _slow("authorize_slow", "authorize", with_a_short_state),
    _slow("token_slow_for_codes", "token", with_a_code),
    _hanging("token_hangs_for_codes", "token", with_a_code),
    _slow("identity_slow_for_tokens", "identity", with_a_token),
    _hanging("identity_hangs_for_tokens", "identity", with_a_token),
)
