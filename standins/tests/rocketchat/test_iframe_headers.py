"""What lets a page stand in a frame (apps/meteor/app/cors/server/cors.ts)."""

from __future__ import annotations

import pytest

from .chat import Chat, eventually
from .versions import at

pytestmark = pytest.mark.conformance

ROUTES = [
    "/home",
    "/channel/general?layout=embedded",
    "/api/info",
    "/api/v1/me",
    "/api/v1/no.such.route",
    "/_oauth/no-such-service",
    "/health",
]


@pytest.mark.trap("Iframe", "X-Frame-Options on every route, gone live")
def test_every_route_has_the_header_and_loses_it_live(changeable: Chat) -> None:
    """Iframe_Restrict_Access, on by default; no restart (cors.ts); but /sockjs (measured on 6.13.0 and 6.5.3)."""

    def headers() -> set[str | None]:
        answers = [changeable.anybody().request("GET", route) for route in ROUTES]
        return {answer.headers.get("X-Frame-Options") for answer in answers}

    changeable.set("Iframe_Restrict_Access", True)
    eventually(lambda: headers() == {"sameorigin"}, "it is restricted")
    assert "X-Frame-Options" not in changeable.anybody().request("GET", "/sockjs/info").headers
    changeable.set("Iframe_X_Frame_Options", "deny")
    eventually(lambda: headers() == {"deny"}, "the value is the setting's")
    changeable.set("Iframe_Restrict_Access", False)
    eventually(lambda: headers() == {None}, "it may be framed")


@pytest.mark.trap("Iframe", "no frame-ancestors")
def test_the_policy_names_no_ancestors(changeable: Chat) -> None:
    """X-Frame-Options is the only gate (cors.ts)."""

    def seen() -> str | None:
        return changeable.anybody().request("GET", "/home").headers.get("Content-Security-Policy")

    policy = seen() or ""
    assert "frame-ancestors" not in policy
    assert "frame-src *" in policy
    assert "script-src 'self' 'unsafe-eval'" in policy
    changeable.set("Extra_CSP_Domains", "https://a.test\nhttps://b.test")
    eventually(lambda: "https://a.test https://b.test" in (seen() or ""), "more domains are allowed")
    changeable.set("Enable_CSP", False)
    eventually(lambda: seen() is None, "there is no policy")


def test_the_other_headers(chat: Chat) -> None:
    """cors.ts; the referrer policy is Default_Referrer_Policy."""
    headers = chat.anybody().request("GET", "/home").headers
    assert (headers["X-XSS-Protection"], headers["X-Content-Type-Options"]) == ("1", "nosniff")
    assert headers.get("Referrer-Policy") == at(chat.version, "referrer policy")


def test_the_stack_may_be_framed(chat: Chat) -> None:
    """With the contract's settings no route forbids it."""
    for route in ROUTES:
        assert "X-Frame-Options" not in chat.anybody().request("GET", route).headers
