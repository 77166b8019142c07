from __future__ import annotations

import json

import pytest
import requests
from accounts.models import User
from besedka_chat.application import ensure_application
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from tests.unit.web.in_place import Answer, answer_with, response

AUTH = "/chat/api/auth/"


def logged_in_as(username: str) -> requests.Response:
    data = {"userId": "u1", "authToken": "t1", "me": {"username": username}}
    return response(200, {"status": "success", "data": data})


class FakeChat:
    """Stands where Rocket.Chat's REST API would; remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[requests.PreparedRequest] = []
        self.answer: Answer = lambda _request: logged_in_as("olga")

    def __call__(self, request: requests.PreparedRequest) -> requests.Response:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
def fake_chat(monkeypatch: pytest.MonkeyPatch) -> FakeChat:
    fake = FakeChat()
    answer_with(monkeypatch, fake)
    return fake


@pytest.fixture
def olga(db: None) -> Client:
    ensure_application()
    client = Client()
    client.force_login(User.objects.create(username="olga", role="user"))
    return client


def test_anonymous_gets_json(db: None) -> None:
    for told in (Client().get(AUTH), Client(enforce_csrf_checks=True).post(AUTH)):
        assert told.status_code == 401
        assert told.json()["error"] == "not_signed_in"


def test_hands_over_the_login_and_keeps_no_token(olga: Client, fake_chat: FakeChat) -> None:
    response = olga.post(AUTH)
    assert response.json() == {"loginToken": "t1", "userId": "u1", "username": "olga", "absent": []}
    assert response["Cache-Control"] == "no-store"
    body = json.loads(fake_chat.requests[0].body or "")
    assert (body["serviceName"], body["expiresIn"]) == ("besedka", 300)
    assert not AccessToken.objects.filter(expires__gt=timezone.now()).exists()


def raising(error: type[requests.RequestException]) -> Answer:
    def answer(request: requests.PreparedRequest) -> requests.Response:
        raise error("no", request=request)

    return answer


FAILURES: dict[str, tuple[Answer, int]] = {
    "chat_unreachable": (raising(requests.ConnectionError), 502),
    "chat_timeout": (raising(requests.ReadTimeout), 504),
    "chat_not_json": (lambda _: response(text="<html>"), 502),
    "chat_refused": (lambda _: response(401, {"error": "Unauthorized"}), 502),
    "chat_wrong_user": (lambda _: logged_in_as("stranger"), 502),
    "chat_rate_limited": (
        lambda _: response(429, {"error": "You must wait 7 seconds before"}),
        503,
    ),
}


@pytest.mark.parametrize("code", FAILURES)
def test_each_failure_has_a_name(olga: Client, fake_chat: FakeChat, code: str) -> None:
    fake_chat.answer, status = FAILURES[code]
    response = olga.post(AUTH)
    assert (response.status_code, response.json()["error"]) == (status, code)
    assert "loginToken" not in response.json()
    assert not AccessToken.objects.filter(expires__gt=timezone.now()).exists()
    if code == "chat_rate_limited":
        assert response["Retry-After"] == "7"
    if code == "chat_wrong_user":
        assert fake_chat.requests[-1].path_url == "/api/v1/logout"


def test_pages_offer_the_channels_of_the_role_only(olga: Client) -> None:
    page = olga.get("/chat/integrated/").content.decode()
    assert 'data-channel="lobby"' in page
    assert "attic" not in page
    assert olga.get("/chat/integrated/?channel=attic").status_code == 404
    assert olga.get("/chat/integrated/?channel=nowhere").status_code == 404
    assert olga.get("/api/chat/auth/").status_code == 404


def test_anonymous_visitors_of_the_chat_come_back_after_the_login(db: None) -> None:
    response = Client().get("/chat/test/")
    assert response["Location"] == "/accounts/login/?next=/chat/test/"
    page = Client().post(response["Location"], {"username": "x", "password": "y"})
    assert 'name="next" value="/chat/test/"' in page.content.decode()


def test_logged_out_page_only_after_a_logout(olga: Client) -> None:
    assert Client().get("/accounts/logged-out/")["Location"] == "/"
    assert olga.get("/accounts/logout/").status_code == 405
    response = olga.post("/accounts/logout/", follow=True)
    assert "Вы вышли с сайта" in response.content.decode()
    assert olga.get("/chat/api/session/").status_code == 401
