"""What the site says of a chat that does not come: only what the chat itself has shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import requests
from accounts.models import User
from besedka_chat import proof
from besedka_chat.conf import chat_settings
from django.test import Client

from tests.unit.web.in_place import answer_with, response

PROOF = "/chat/api/proof/"
RIGHT: dict[str, Any] = {
    "Iframe_Integration_send_enable": True,
    "Iframe_Integration_send_target_origin": "*",
    "Iframe_Integration_receive_enable": True,
    "Iframe_Integration_receive_origin": "*",
}


class FakeChat:
    """A chat with these headers, settings and log-in services."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.settings = dict(RIGHT)
        self.services = [chat_settings().service]
        self.error: Exception | None = None
        self.text: str | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.Response:
        if self.error:
            raise self.error
        if self.text is not None:
            return response(text=self.text)
        if request.path_url.endswith("public-settings:get"):
            rows = [{"_id": name, "value": value} for name, value in self.settings.items()]
            return response(200, {"message": json.dumps({"result": rows})})
        if request.path_url.endswith("service.configurations"):
            rows = [{"service": name} for name in self.services]
            return response(200, {"configurations": rows})
        return response(headers=self.headers)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> FakeChat:
    fake = FakeChat()
    answer_with(monkeypatch, fake)
    return fake


def test_a_chat_that_is_right_is_accused_of_nothing(chat: FakeChat) -> None:
    assert proof.found(chat_settings()) == {"silence": [], "commands": []}


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"headers": {"X-Frame-Options": "sameorigin"}}, "silence", "Iframe_Restrict_Access"),
        ({"settings": RIGHT | {"Iframe_Integration_send_enable": False}}, "silence", "send_enable"),
        ({"settings": RIGHT | {"Iframe_Integration_send_target_origin": ""}}, "silence", "target_origin"),
        ({"settings": RIGHT | {"Iframe_Integration_receive_enable": False}}, "commands", "receive_enable"),
        ({"settings": RIGHT | {"Iframe_Integration_receive_origin": "x,y"}}, "commands", "receive_origin"),
        ({"services": ["another"]}, "commands", "нет входа"),
        ({"error": requests.ConnectionError("refused")}, "silence", "не отвечает"),
    ],
)
def test_each_thing_that_is_wrong_is_named(chat: FakeChat, change: Any, kind: str, words: str) -> None:
    vars(chat).update(change)
    [line] = proof.found(chat_settings())[kind]
    assert words in line
    assert sum(map(len, proof.found(chat_settings()).values())) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Frame-Options": "ALLOW-FROM http://elsewhere.example"},
        {"X-Frame-Options": "DENY", "Content-Security-Policy": "frame-ancestors http://*:*"},
    ],
)
def test_a_header_that_no_browser_obeys_is_not_accused(chat: FakeChat, headers: dict[str, str]) -> None:
    chat.headers = headers

    assert proof.found(chat_settings()) == {"silence": [], "commands": []}


def test_a_chat_on_the_sites_own_host_may_say_sameorigin(chat: FakeChat) -> None:
    chat.headers = {"X-Frame-Options": "SAMEORIGIN"}
    own = replace(chat_settings(), chat_url=f"{chat_settings().site_url}/rocket")

    assert proof.found(own)["silence"] == []
    assert proof.found(chat_settings())["silence"] != []


@pytest.mark.parametrize("change", [{"text": "<html>"}, {"error": requests.ReadTimeout("slow")}])
def test_what_cannot_be_asked_proves_nothing(chat: FakeChat, change: Any) -> None:
    vars(chat).update(change)
    assert proof.found(chat_settings()) == {"silence": [], "commands": []}


def test_only_a_user_of_the_site_may_ask(db: None, chat: FakeChat) -> None:
    chat.services = []
    assert Client().get(PROOF).status_code == 401
    client = Client()
    client.force_login(User.objects.create(username="olga", role="user"))
    answer = client.get(PROOF)
    assert (answer.status_code, len(answer.json()["commands"])) == (200, 1)
    assert answer["Cache-Control"] == "no-store"
