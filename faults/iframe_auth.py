"""Faults of the address that Rocket.Chat's page asks under `[chat] sso = "iframe-auth"`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Breaking, Fault
from faults.proxy import Request, Rule
from faults.rules import answers, answers_json

_ADDRESS = names.CHAT_AUTH
# web/config/settings.py
_SESSION_COOKIE = "besedka_session"


def _signed_in(request: Request) -> bool:
    """Who is not signed in is answered as ever."""
    return request.path == _ADDRESS and f"{_SESSION_COOKIE}=" in request.header("Cookie")


def _by_iframe(rule: Rule) -> Breaking:
    """The contract signs people in by iframe authentication, and the site answers like that."""

    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        right = one.contract
        chat = right.chat.model_copy(update={"sso": "iframe-auth"})
        one.contract = right.model_copy(update={"chat": chat})
        try:
            with one.ruled("site", rule):
                yield
        finally:
            one.contract = right

    return breaking


def _fault(name: str, kind: str, rule: Rule) -> Fault:
    return Fault(f"iframe_address_{name}", f"sso.iframe_auth.{kind}", _by_iframe(rule))


_MADE_UP = {"loginToken": "made-up", "userId": "nobody", "username": "nobody"}

FAULTS = (
    _fault("refuses_the_signed_in", "status", answers_json(_signed_in, 401, error="not_signed_in")),
    _fault("shows_a_page", "html", answers(_signed_in, 200, "<h1>Вход</h1>")),
    _fault("knows_another_method", "method", answers(_signed_in, 405)),
    _fault("hides_its_answer_from_the_chat", "cors", answers_json(_signed_in, 200, **_MADE_UP)),
)
