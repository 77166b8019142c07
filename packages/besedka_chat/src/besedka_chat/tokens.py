"""A login token that an administrator of the chat makes: for a chat that has no OAuth of ours to ask.

`POST users.createToken` needs CREATE_TOKENS_FOR_USERS in Rocket.Chat's environment up to 7.x, from 8.0 on
CREATE_TOKENS_FOR_USERS_SECRET and that secret in the call (`apps/meteor/app/api/server/v1/users.ts`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from besedka_chat.rocketchat import ChatClient, ChatLogin, ChatLoginError, answer_of

_UNKNOWN = ("error-invalid-user", "user not found")


@dataclass(frozen=True)
class TokenMaker:
    """An administrator of the chat: user id, personal access token, and the secret that 8.0 wants."""

    user_id: str
    token: str
    secret: str = ""


@dataclass(frozen=True)
class Person:
    """Who needs an account and a token."""

    username: str
    email: str
    full_name: str


def log_in(base_url: str, maker: TokenMaker, person: Person) -> ChatLogin:
    """A token for that person, whose account is made if there is none; raises ChatLoginError.

    No password is known to anybody: it is random.
    """
    headers = {"X-User-Id": maker.user_id, "X-Auth-Token": maker.token}
    with ChatClient(base_url) as client:
        client.headers.update(headers)
        user = _account(client, person)
        if user.get("active") is False:
            raise ChatLoginError("chat_deactivated", 502, f"{person.username} is deactivated")
        body = {"userId": user["_id"]} | ({"secret": maker.secret} if maker.secret else {})
        made = _asked(client, "POST", "users.createToken", json=body).get("data")
    if not isinstance(made, dict) or not made.get("authToken"):
        raise ChatLoginError("chat_refused", 502, "users.createToken gave no authToken")
    return ChatLogin(str(made["authToken"]), str(user["_id"]), person.username)


def _account(client: ChatClient, person: Person) -> dict[str, Any]:
    try:
        found = _asked(client, "GET", "users.info", params={"username": person.username})
    except ChatLoginError as refusal:
        if not any(word in refusal.found.lower() for word in _UNKNOWN):
            raise
        row = {"username": person.username, "email": person.email, "name": person.full_name}
        more = {"password": secrets.token_urlsafe(24), "verified": True, "joinDefaultChannels": True}
        found = _asked(client, "POST", "users.create", json=row | more)
    user: dict[str, Any] = found["user"]
    return user


def _asked(client: ChatClient, verb: str, path: str, **more: Any) -> dict[str, Any]:
    return answer_of(lambda: client.request(verb, f"/api/v1/{path}", **more))
