"""Faults of answers that work now and then, or in another way: pages that lead on, half of the processes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from besedka import address
from faults import names
from faults.fault import Fault
from faults.hops import own_callback
from faults.proxy import Forward, Reply, Request, Rule, without_header
from faults.rules import answers_json, changed, to

_HTML = ("Content-Type", "text/html; charset=utf-8")
_SCRIPT = '<!doctype html><script>location.replace("{}")</script>'
_META = '<!doctype html><meta http-equiv="refresh" content="0; url={}">'
# One form without its token, and an empty one.
_OF_THE_CSRF_CHECK = 2
_TAKEN = 3


def _by_page(which: Callable[[Request], bool], page: str, **headers: str) -> Rule:
    """What answers with a redirect shows a page that leads there by itself."""

    def change(reply: Reply) -> Reply:
        if not (location := reply.header("Location")):
            return reply
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = [
            row
            for row in reply.headers
            if row[0].lower() not in {"location", "content-type", *map(str.lower, given)}
        ]
        escaped = location.replace("&", "\\u0026") if "script" in page else location.replace("&", "&amp;")
        return Reply(200, (*kept, _HTML, *given.items()), page.format(escaped).encode())

    return changed(which, change)


def _site(name: str, cause: str, rule: Callable[[], Rule]) -> Fault:
    return Fault(name, cause, lambda one: one.ruled("site", rule()))


def _page(name: str, cause: str, which: Callable[[Request], bool], page: str, **headers: str) -> Fault:
    return _site(name, cause, lambda: _by_page(which, page, **headers))


def _nobody(path: str) -> Callable[[Request], bool]:
    """Requests of strangers."""
    return lambda request: request.path == path and "session" not in request.header("Cookie")


def _turns(forms: int) -> Rule:
    """So many log-in forms are taken. Of the later ones three of four meet a process that knows no cookie."""
    number = itertools.count()

    def treat(request: Request, forward: Forward) -> Reply | None:
        turn = next(number)
        lost = turn >= forms and (turn - forms) % 4 != _TAKEN
        return forward(without_header(request, "Cookie") if lost else request)

    return Rule(to(names.LOGIN, "POST"), treat)


def _refused_sockets(origin: str) -> Rule:
    """Handshakes that name this origin get 403."""
    reply = Reply(403, (_HTML,), b"<h1>403 Forbidden</h1>")

    def matches(request: Request) -> bool:
        return bool(request.header("Upgrade")) and request.header("Origin") == origin

    return Rule(matches, lambda request, forward: reply, sockets=True)


FAULTS = (
    _page("authorize_leads_on_by_a_script", "sso.authorize.page", own_callback, _SCRIPT),
    _page("authorize_leads_on_by_a_tag", "sso.authorize.page", own_callback, _META),
    _page(
        "authorize_leads_on_in_no_frame",
        "sso.authorize.unshown",
        own_callback,
        _SCRIPT,
        X_Frame_Options="DENY",
    ),
    _page(
        "authorize_leads_on_by_a_script_that_may_not_run",
        "sso.authorize.unshown",
        own_callback,
        _SCRIPT,
        Content_Security_Policy="script-src 'self'",
    ),
    _page("authorize_asks_strangers_by_a_script", "site.authorize.page", _nobody(names.AUTHORIZE), _SCRIPT),
    _page("test_page_asks_strangers_by_a_tag", "site.test_page.page", _nobody(names.TEST_PAGE), _META),
    _page(
        "integrated_page_asks_strangers_by_a_script",
        "site.integrated_page.page",
        _nobody(names.INTEGRATED_PAGE),
        _SCRIPT,
    ),
    _site("forms_of_two_processes", "site.csrf.flickers", lambda: _turns(1)),
    _site("log_ins_of_two_processes", "sso.user.flickers", lambda: _turns(_OF_THE_CSRF_CHECK)),
    _site(
        "client_refused_with_status_200",
        "sso.client.refused",
        lambda: answers_json(to(names.TOKEN, "POST"), 200, error="invalid_client"),
    ),
    Fault(
        "socket_refused_for_its_origin",
        "services.websocket.origin",
        lambda one: one.ruled("chat", _refused_sockets(address.origin(one.contract.chat.url))),
    ),
)
