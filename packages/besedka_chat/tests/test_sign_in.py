"""The chain authorize, token, identity in a project with ATOMIC_REQUESTS below a path, as a chat walks it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from besedka_chat import rocketchat, session
from besedka_chat.application import ensure_application
from besedka_chat.identity import identity
from django.db import connection
from django.test import Client
from guests.models import Guest
from oauth2_provider.models import get_access_token_model

CALLBACK = "http://chat.site.test/_oauth/besedka"
IDENTITY = {"username": "olga", "email": "olga@example.org", "full_name": "Olga O.", "role": "wirt"}
AUTH, CHECK = "/reden/api/auth/", "/reden/api/check/"


def code_of(visitor: Client, **more: str) -> str:
    query = {"response_type": "code", "client_id": "bare-client", "redirect_uri": CALLBACK, "scope": "read"}
    answer = visitor.get("/oauth/authorize/", query | {"state": "s"} | more)
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(answer["Location"]).query)["code"][0]


def token_of(code: str) -> str:
    # As Rocket.Chat does: not encoded, which a secret with + or % does not survive by the RFC.
    basic = base64.b64encode(b"bare-client:a+secret%").decode()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    chat = Client(SERVER_NAME="site.test", HTTP_AUTHORIZATION=f"Basic {basic}")
    answer = chat.post("/oauth/token/", form)
    assert answer.status_code == 200, answer.content.decode()
    return answer.json()["access_token"]


def test_a_chat_signs_in_without_a_click_and_without_pkce(visitor: Client) -> None:
    ensure_application()
    token = token_of(code_of(visitor))
    answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in IDENTITY} == IDENTITY
    assert (told["roles"], told["groups"]) == (["wirt"], ["admin"])
    assert told["avatar_url"] == "http://site.test/verein/files/besedka_chat/img/avatar.svg"


def test_the_identity_address_refuses_everybody_else_in_json(db: None) -> None:
    stranger = Client(SERVER_NAME="site.test")
    answer = stranger.get("/wer/rocket/", HTTP_AUTHORIZATION="Bearer nonsense")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]
    assert stranger.get("/wer/rocket/").status_code == 401
    assert stranger.post("/wer/rocket/").status_code == 405


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A chat that asks the site who the token's bearer is, as Rocket.Chat does, in mid-request.

    The list gets the status of its question. In another transaction of another connection the row is seen
    only when it was committed: so `in_atomic_block` is what decides, and is answered with a 401.
    """
    statuses: list[int] = []

    def chat(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("subscriptions.get"):
            return httpx.Response(200, json={"update": [{"name": "stammtisch"}], "remove": []})
        token = json.loads(request.content)["accessToken"]
        seen = not connection.in_atomic_block
        answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", HTTP_AUTHORIZATION=f"Bearer {token}")
        statuses.append(answer.status_code if seen else 401)
        if statuses[-1] != 200:
            return httpx.Response(401, json={"error": "Failed to fetch identity"})
        me = {"username": answer.json()["username"]}
        return httpx.Response(200, json={"data": {"userId": "u1", "authToken": "t1", "me": me}})

    in_place_of_the_chat(monkeypatch, chat)
    return statuses


def in_place_of_the_chat(
    monkeypatch: pytest.MonkeyPatch, answers: Callable[[httpx.Request], httpx.Response]
) -> None:
    real = httpx.Client
    monkeypatch.setattr(
        rocketchat.httpx, "Client", lambda **more: real(transport=httpx.MockTransport(answers), **more)
    )


def posted(visitor: Client, address: str = AUTH) -> tuple[int, dict[str, object]]:
    """The page's POST, by what the page says of the cookie and the header."""
    page = visitor.get("/reden/integrated/").content.decode()
    assert 'data-csrf-cookie="csrftoken"' in page
    assert 'data-csrf-header="X-CSRFTOKEN"' in page
    token = visitor.cookies["csrftoken"].value
    answer = visitor.post(address, HTTP_X_CSRFTOKEN=token)
    return answer.status_code, answer.json()


def test_the_site_answers_its_own_identity_request_in_time(visitor: Client, asked: list[int]) -> None:
    ensure_application()
    told = {"loginToken": "t1", "userId": "u1", "username": "olga", "absent": ["Keller"]}
    assert posted(visitor) == (200, told)
    assert asked == [200]
    token = get_access_token_model().objects.get()
    assert token.is_expired(), "what was lent to the chat for a moment is taken back"


@pytest.mark.parametrize(
    "refusal",
    [
        ("error-user-is-not-activated", "chat_deactivated", "Попросите администратора чата"),
        ("error-login-blocked-for-user", "chat_blocked", "Подождите пять минут"),
        ("error-login-blocked-for-ip", "chat_address_blocked", "Подождите пять минут"),
        ("totp-required", "chat_second_factor", "Accounts_TwoFactorAuthentication_Enabled"),
        (403, "chat_refused", "администратору чата"),
    ],
)
@pytest.mark.parametrize("address", [AUTH, CHECK])
def test_a_refusal_says_what_that_person_can_do(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, address: str, refusal: tuple[object, str, str]
) -> None:
    said, code, advice = refusal
    ensure_application()
    in_place_of_the_chat(monkeypatch, lambda _: httpx.Response(401, json={"status": "error", "error": said}))

    status, answer = posted(visitor, address)

    assert (status >= 500, answer["error"]) == (True, code)
    assert advice in str(answer["message"])
    assert str(said) in str(answer["found"])


def test_a_check_hands_out_no_session_and_leaves_none(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_application()
    ended: list[str] = []

    def chat(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("logout"):
            ended.append(request.headers["x-auth-token"])
        if request.url.path.endswith("subscriptions.get"):
            return httpx.Response(200, json={"update": [], "remove": []})
        data = {"userId": "u1", "authToken": "t1", "me": {"username": "olga"}}
        return httpx.Response(200, json={"data": data})

    in_place_of_the_chat(monkeypatch, chat)

    assert posted(visitor, CHECK) == (200, {"absent": ["Stammtisch"]})
    assert ended == ["t1"]


def test_within_a_transaction_it_would_not(
    visitor: Client, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same view without its mark is what the test above would catch."""
    ensure_application()
    monkeypatch.delattr(session.chat_login, "_non_atomic_requests")
    status, answer = posted(visitor)
    assert (status, answer["error"], asked) == (502, "chat_refused", [401])


def test_every_view_that_the_chat_waits_for_holds_no_transaction() -> None:
    for view in (session.chat_login, session.chat_check, identity):
        assert view._non_atomic_requests == {"default"}


def test_without_token_or_session_the_answer_is_json(visitor: Client) -> None:
    stranger = Client(enforce_csrf_checks=True, SERVER_NAME="site.test")
    assert stranger.post(AUTH).json()["error"] == "not_signed_in"
    refused = visitor.post(AUTH)
    assert (refused.status_code, refused.json()["error"]) == (403, "csrf")


def test_a_user_who_was_locked_out_is_nobody(visitor: Client) -> None:
    ensure_application()
    token = token_of(code_of(visitor))
    Guest.objects.update(is_active=False)
    answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert answer.status_code == 401
