"""A program that others wrote for Rocket.Chat works unchanged: `rocketchat_API` from PyPI."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import requests
from rocketchat_API.APIExceptions.RocketExceptions import (
    RocketApiException,
    RocketAuthenticationException,
    RocketBadStatusCodeException,
)
from rocketchat_API.rocketchat import RocketChat

from .chat import Chat
from .client import random_address

pytestmark = pytest.mark.conformance


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["X-Real-IP"] = random_address()
    return session


def _signed_in(chat: Chat, username: str, password: str) -> RocketChat:
    return RocketChat(username, password, server_url=chat.url, session=_session())


@pytest.fixture
def admin(chat: Chat) -> Iterator[RocketChat]:
    client = _signed_in(chat, chat.admin.username, chat.admin.password)
    yield client
    client.logout()


@pytest.fixture
def user(chat: Chat) -> RocketChat:
    return _signed_in(chat, chat.anna.username, chat.anna.password)


def test_it_logs_in_and_out(chat: Chat, user: RocketChat) -> None:
    assert user.me()["username"] == chat.anna.username
    assert user.info()["success"] is True
    assert user.logout()["status"] == "success"
    # Before 7.6 that 401 has no `success`, by which the library tells the two apart.
    with pytest.raises((RocketApiException, RocketBadStatusCodeException)):
        user.me()


def test_a_wrong_password_is_its_authentication_error(chat: Chat) -> None:
    with pytest.raises(RocketAuthenticationException):
        _signed_in(chat, chat.anna.username, "wrong")


def test_it_creates_and_lists_rooms(chat: Chat, user: RocketChat) -> None:
    public, private = (f"temp-{secrets.token_hex(5)}" for _ in range(2))
    channel = user.channels_create(public, topic="x")["channel"]
    group = user.groups_create(private)["group"]
    try:
        assert public in [room["name"] for room in user.channels_list()]
        assert public in [room["name"] for room in user.channels_list_joined()]
        assert private in [room["name"] for room in user.groups_list()]
        assert user.channels_info(channel=public)["channel"]["_id"] == channel["_id"]
        assert {public, private} <= {room["name"] for room in user.rooms_get()["update"]}
        assert user.rooms_info(room_name=public)["room"]["usersCount"] == 1
        with pytest.raises(RocketApiException):
            user.channels_create(public)
    finally:
        assert user.channels_delete(room_id=channel["_id"])["success"]
        assert user.groups_delete(room_id=group["_id"])["success"]


def test_it_posts_and_reads(chat: Chat, user: RocketChat) -> None:
    rid = chat.room(chat.anna)["_id"]
    posted = user.chat_post_message("привет", room_id=rid)["message"]
    user.chat_send_message({"rid": rid, "msg": "ещё"})
    texts = [message["msg"] for message in user.channels_history(rid, count=5)]
    assert texts[:2] == ["ещё", "привет"]
    assert user.chat_get_message(posted["_id"])["message"]["msg"] == "привет"
    assert user.chat_delete(rid, posted["_id"])["success"]
    assert [message["msg"] for message in user.channels_history(rid)] == ["ещё"]


def test_it_pages_through_more_than_one_answer(chat: Chat, user: RocketChat) -> None:
    rid = chat.room(chat.anna)["_id"]
    for number in range(7):
        user.chat_post_message(f"{number}", room_id=rid)
    texts = [message["msg"] for message in user.channels_history(rid, count=3)]
    assert texts == [f"{number}" for number in range(6, -1, -1)]


def test_it_manages_members(chat: Chat, admin: RocketChat) -> None:
    rid = chat.room()["_id"]
    assert admin.channels_invite(rid, chat.anna.user_id)["success"]
    members = {member["username"] for member in admin.channels_members(room_id=rid)}
    assert members == {chat.admin.username, chat.anna.username}
    assert admin.channels_kick(rid, chat.anna.user_id)["success"]
    assert admin.channels_set_topic(rid, "тема")["topic"] == "тема"
    assert chat.anna.username in {found["username"] for found in admin.users_list()}
    assert admin.users_info(username=chat.anna.username)["user"]["_id"] == chat.anna.user_id
