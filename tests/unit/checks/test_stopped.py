"""What something before the site or the chat refuses, moves or keeps: who is named for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests

from besedka.checks import by_page, frame_policy, stopped
from besedka.contract import Contract
from besedka.site_database import verified


@pytest.mark.parametrize(
    ("status", "text", "location", "word"),
    [
        (403, "<h1>Forbidden</h1>", "", "firewall"),
        (403, "CSRF verification failed.", "", "csrf_exempt"),
        (405, "", "", "limit_except"),
        (411, "", "", "Content-Length"),
        (413, "", "", "client_max_body_size"),
        (502, "", "", "proxy_pass"),
        (301, "", "https://site.test/o/token/", "https"),
        (308, "", "/o/token2/", "/o/token2/"),
        (404, "", "", ""),
        (400, "", "", ""),
    ],
)
def test_a_status_that_is_none_of_the_views_names_its_author(
    status: int, text: str, location: str, word: str
) -> None:
    advice = " ".join(stopped.by_status(status, text, location, "http://site.test/o/token/"))
    assert word in advice
    assert bool(word) is bool(advice)


_PAGE = '<html><script nonce="abc" src="/a.js"></script><iframe src="{chat}/channel/general"></iframe></html>'


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        ("script-src 'self'", False),
        ("script-src 'nonce-abc'", False),
        ("script-src 'nonce-abc' 'strict-dynamic'", False),
        ("script-src 'nonce-xyz'", True),
        # Where 'strict-dynamic' stands, 'self' admits nothing.
        ("script-src 'self' 'strict-dynamic' 'nonce-xyz'", True),
        ("script-src 'sha256-AAAA'", False),
        ("script-src https://elsewhere.test", True),
    ],
)
def test_a_policy_that_keeps_scripts_away_is_read_with_their_nonces(
    contract: Contract, policy: str, refused: bool
) -> None:
    response = requests.Response()
    response.status_code, response.url = 200, f"{contract.site.url}/chat/test/"
    response._content = _PAGE.format(chat=contract.chat.url).encode()
    response.headers["Content-Security-Policy"] = f"{policy}; frame-src *"
    found = frame_policy._of_page(contract, response)
    assert ("sso.frame_policy.scripts" in [one.code for one in found]) is refused


@pytest.mark.parametrize(
    "encoded",
    [
        # Made by Django 5.2 of "x".
        "scrypt$16$salt$8$5$Z9vFbLg/w4gA7r8V7TduKt/qjkjLG4gOAGt+jbEGqWhw3NOMdTST7JDU6BbAuUqhArtyiWuaPnwpXFUCNfjN3w==",
        "pbkdf2_sha1$2$salt$1aaPYEVWxmuqqE5FJPR/fjRJgtk=",
    ],
)
def test_passwords_of_other_hashers_of_django_are_reckoned(encoded: str) -> None:
    assert verified("x", encoded) is True
    assert verified("y", encoded) is False
    assert verified("x", "argon2$argon2id$v=19$m=8,t=2,p=8$c2FsdA$AAAA") is None


@pytest.mark.parametrize(
    ("style", "told", "site", "found"),
    [
        ("popup", "same-origin", "http://127.0.0.1:8001", True),
        ("popup", "same-origin-allow-popups", "https://site.test", True),
        ("popup", "unsafe-none", "https://site.test", False),
        ("popup", "", "https://site.test", False),
        # Browsers heed it on https and on loopback alone.
        ("popup", "same-origin", "http://site.test", False),
        ("redirect", "same-origin", "https://site.test", False),
    ],
)
def test_a_popup_must_know_its_opener(
    contract: Contract, style: str, told: str, site: str, found: bool
) -> None:
    own = contract.provider.model_copy(update={"login_style": style})
    at = contract.site.model_copy(update={"url": site})
    moved = contract.model_copy(update={"provider": own, "site": at})
    answered = SimpleNamespace(headers={"Cross-Origin-Opener-Policy": told})
    made: Any = SimpleNamespace(authorized=answered)
    examination: Any = SimpleNamespace(contract=moved)
    assert bool(by_page.without_opener(examination, made, "GET /o/authorize/")) is found
