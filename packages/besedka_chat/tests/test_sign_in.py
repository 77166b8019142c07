"""The chain authorize, token, identity in a project with ATOMIC_REQUESTS below a path, as a chat walks it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from besedka_chat import session
from besedka_chat.application import ensure_application
from besedka_chat.conf import read
from besedka_chat.identity import identity
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from guests.models import Guest
from jwcrypto.jwk import JWK
from oauth2_provider.models import get_access_token_model, get_application_model
from requests.adapters import HTTPAdapter

KEY = JWK.generate(kty="RSA", size=2048).export_to_pem(private_key=True, password=None).decode()
SECRET = settings.BESEDKA_CHAT["CLIENT_SECRET"]
LONG = SECRET * 4
CALLBACK = "http://chat.site.test/_oauth/besedka"
IDENTITY = {"username": "olga", "email": "olga@example.org", "full_name": "Olga O.", "role": "wirt"}
AUTH, CHECK = "/reden/api/auth/", "/reden/api/check/"


def code_of(visitor: Client, **more: str) -> str:
    query = {"response_type": "code", "client_id": "bare-client", "redirect_uri": CALLBACK, "scope": "read"}
    answer = visitor.get("/oauth/authorize/", query | {"state": "s"} | more)
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(answer["Location"]).query)["code"][0]


def token_of(code: str, secret: str = SECRET) -> str:
    # As Rocket.Chat does: not encoded, which a secret with + or % does not survive by the RFC.
    basic = base64.b64encode(f"bare-client:{secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    chat = Client(SERVER_NAME="site.test", HTTP_AUTHORIZATION=f"Basic {basic}")
    answer = chat.post("/oauth/token/", form)
    assert answer.status_code == 200, answer.content.decode()
    return answer.json()["access_token"]


@pytest.mark.parametrize(("key", "algorithm"), [(KEY, "RS256"), ("", "HS256")], ids=["RS256", "HS256"])
def test_a_chat_that_asks_for_openid_gets_an_id_token(visitor: Client, key: str, algorithm: str) -> None:
    """Without a signature of the application's the library answers 500."""
    openid = settings.OAUTH2_PROVIDER | {
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": key,
        "OIDC_ISS_ENDPOINT": "http://site.test/verein/oauth",
        "SCOPES": {"openid": "Anmeldung"},
    }
    asks = {"SCOPES": ["openid"], "CLIENT_SECRET": LONG}
    with override_settings(OAUTH2_PROVIDER=openid, BESEDKA_CHAT=settings.BESEDKA_CHAT | asks):
        ensure_application()
        assert ensure_application() == []

        token = token_of(code_of(visitor, scope="openid"), LONG)
        answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", HTTP_AUTHORIZATION=f"Bearer {token}")

    assert answer.status_code == 200
    assert get_application_model().objects.get().algorithm == algorithm


def test_an_application_that_was_registered_before_openid_is_mended(db: None) -> None:
    ensure_application()
    openid = settings.OAUTH2_PROVIDER | {"OIDC_ENABLED": True, "SCOPES": {"openid": "Anmeldung"}}
    with override_settings(
        OAUTH2_PROVIDER=openid, BESEDKA_CHAT=settings.BESEDKA_CHAT | {"SCOPES": ["openid"]}
    ):
        assert ensure_application() == ["application bare-client: algorithm '' -> 'HS256'"]


def test_a_chat_signs_in_without_a_click_and_without_pkce(visitor: Client) -> None:
    ensure_application()
    token = token_of(code_of(visitor))
    answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in IDENTITY} == IDENTITY
    assert (told["roles"], told["groups"]) == (["wirt"], ["admin"])
    assert told["avatar_url"] == "http://site.test/verein/files/besedka_chat/img/avatar.svg"


def test_identity_names_its_fields_as_the_site_says(visitor: Client) -> None:
    ensure_application()
    token = token_of(code_of(visitor))
    fields = {"username": "login", "email": "contact.mail", "full_name": "contact.shown", "avatar_url": ""}
    rows = settings.BESEDKA_CHAT | {"IDENTITY_FIELDS": fields, "ACCESS_TOKEN_PARAM": "schein"}
    with override_settings(BESEDKA_CHAT=rows):
        answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", {"schein": token})
    told = answer.json()
    contact = {"mail": IDENTITY["email"], "shown": IDENTITY["full_name"]}
    assert (told["login"], told["contact"]) == (IDENTITY["username"], contact)
    assert {"username", "email", "full_name", "avatar_url"}.isdisjoint(told)


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

    def chat(request: requests.PreparedRequest) -> requests.Response:
        if path_of(request).endswith("subscriptions.get"):
            return answered(200, {"update": [{"name": "stammtisch"}], "remove": []})
        token = json.loads(request.body or "")["accessToken"]
        seen = not connection.in_atomic_block
        answer = Client(SERVER_NAME="site.test").get("/wer/rocket/", HTTP_AUTHORIZATION=f"Bearer {token}")
        statuses.append(answer.status_code if seen else 401)
        if statuses[-1] != 200:
            return answered(401, {"error": "Failed to fetch identity"})
        me = {"username": answer.json()["username"]}
        return answered(200, {"data": {"userId": "u1", "authToken": "t1", "me": me}})

    in_place_of_the_chat(monkeypatch, chat)
    return statuses


def in_place_of_the_chat(
    monkeypatch: pytest.MonkeyPatch, answers: Callable[[requests.PreparedRequest], requests.Response]
) -> None:
    monkeypatch.setattr(HTTPAdapter, "send", lambda _self, request, **_more: answers(request))


def path_of(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).path


def answered(status: int, told: object) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, json.dumps(told).encode()
    return made


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
    in_place_of_the_chat(monkeypatch, lambda _: answered(401, {"status": "error", "error": said}))

    status, answer = posted(visitor, address)

    assert (status >= 500, answer["error"]) == (True, code)
    assert advice in str(answer["message"])
    assert str(said) in str(answer["found"])


def test_a_check_hands_out_no_session_and_leaves_none(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_application()
    ended: list[str] = []

    def chat(request: requests.PreparedRequest) -> requests.Response:
        if path_of(request).endswith("logout"):
            ended.append(request.headers["x-auth-token"])
        if path_of(request).endswith("subscriptions.get"):
            return answered(200, {"update": [], "remove": []})
        data = {"userId": "u1", "authToken": "t1", "me": {"username": "olga"}}
        return answered(200, {"data": data})

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


MAKER = {"user_id": "admin1", "token": "pat", "secret": "s"}


@pytest.mark.parametrize("known", [True, False])
def test_an_administrator_of_the_chat_makes_the_token_where_there_is_no_oauth(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    calls: list[tuple[str, dict[str, object]]] = []

    def chat(request: requests.PreparedRequest) -> requests.Response:
        name = path_of(request).rpartition("/")[2]
        calls.append((name, json.loads(request.body or "{}")))
        if name == "subscriptions.get":
            return answered(200, {"update": [{"name": "stammtisch"}, {"name": "keller"}]})
        assert (request.headers["x-user-id"], request.headers["x-auth-token"]) == ("admin1", "pat")
        if name == "users.info" and not known:
            return answered(400, {"success": False, "error": "User not found."})
        if name == "users.createToken":
            return answered(200, {"data": {"userId": "u1", "authToken": "t1"}})
        return answered(200, {"user": {"_id": "u1", "active": True}})

    in_place_of_the_chat(monkeypatch, chat)
    with override_settings(BESEDKA_CHAT=settings.BESEDKA_CHAT | {"CREATE_TOKENS": MAKER}):
        status, told = posted(visitor)

    assert (status, told["loginToken"], told["userId"], told["absent"]) == (200, "t1", "u1", [])
    made = dict(calls)
    assert made["users.createToken"] == {"userId": "u1", "secret": "s"}
    assert ("users.create" in made) is not known
    if not known:
        assert made["users.create"]["username"] == "olga"


def test_an_account_that_is_deactivated_gets_no_token(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    inactive = {"user": {"_id": "u1", "active": False}}
    in_place_of_the_chat(monkeypatch, lambda _: answered(200, inactive))
    with override_settings(BESEDKA_CHAT=settings.BESEDKA_CHAT | {"CREATE_TOKENS": MAKER}):
        assert posted(visitor)[1]["error"] == "chat_deactivated"


def test_a_half_written_row_is_named() -> None:
    for wrong in ({"user_id": "admin1"}, {**MAKER, "extra": "x"}, "pat"):
        _, problems = read(settings.BESEDKA_CHAT | {"CREATE_TOKENS": wrong})
        assert [problem for problem in problems if "CREATE_TOKENS" in problem], wrong
        assert "pat" not in problems[0] or wrong == "pat"


def test_the_chats_page_may_read_the_answer_and_no_other(visitor: Client, asked: list[int]) -> None:
    ensure_application()
    own, foreign = "http://chat.site.test", "http://elsewhere.test"
    with override_settings(BESEDKA_CHAT=settings.BESEDKA_CHAT | {"SSO": "iframe-auth"}):
        for verb in (visitor.get, visitor.post, visitor.options):
            answer = verb(AUTH, HTTP_ORIGIN=own)
            assert answer.status_code in {200, 204}
            assert answer["Access-Control-Allow-Origin"] == own
            assert answer["Access-Control-Allow-Credentials"] == "true"
        for verb in (visitor.get, visitor.post):
            assert "Access-Control-Allow-Origin" not in verb(AUTH, HTTP_ORIGIN=foreign)
        stranger = Client(SERVER_NAME="site.test").get(AUTH, HTTP_ORIGIN=own)
        assert (stranger.status_code, stranger["Access-Control-Allow-Origin"]) == (401, own)
        assert visitor.get("/reden/api/session/").json()["handedOut"] < 60
    assert "Access-Control-Allow-Origin" not in visitor.get(AUTH, HTTP_ORIGIN=own)
