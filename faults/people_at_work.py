"""What people can still do under a fault, tried over HTTP: sign in again or for the first time, read, write.

What goes wrong in a browser alone is not seen here: the tests that `faults/caught.py` names see that.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from pydantic import SecretStr

from besedka import http
from besedka.adapter import TEMPORARY_PREFIX
from besedka.contract import Channel, Contract, User
from besedka.errors import BesedkaError
from besedka.rocketchat import callback, provider
from besedka.rocketchat.rest import Credentials, Json, RocketChat, RocketChatError
from besedka.site import Site
from faults.breakable_stack import BreakableStack

# What people do, in the order in which they are tried.
ACTS = ("messages", "rooms", "again", "first")
# A healthy stack answers within a tenth of that, and a fault that takes longer has stopped people.
TIMEOUT_SECONDS = 4.0
_SIGNED_OUT = 401


class StoppedError(Exception):
    """Something that people do does not work."""


@dataclass
class PeopleAtWork:
    """The contract's users, who have signed in before, and one who never has. Made on a healthy stack."""

    breakable: BreakableStack
    newcomer: User
    sessions: dict[str, Credentials]

    @classmethod
    def on(cls, breakable: BreakableStack) -> Self:
        """Everybody is signed in; the newcomer has an account of the site, and none of the chat."""
        contract = breakable.contract
        newcomer = _newcomer(contract)
        breakable.running.manage("ensure_users", stdin=json.dumps([_row(contract, newcomer)]))
        sessions = {user.username: _signed_in(contract, user) for user in contract.users}
        return cls(breakable, newcomer, sessions)

    def stopped(self) -> dict[str, str]:
        """Which of `ACTS` does not work for somebody, and why; who is signed in stays so."""
        tries: dict[str, Callable[[], None]] = {
            "messages": lambda: self._each_of_their_rooms(self._write),
            "rooms": lambda: self._each_of_their_rooms(self._read),
            "again": self._sign_in_again,
            "first": self._sign_in_first,
        }
        reasons = {}
        for act in ACTS:
            try:
                tries[act]()
            except (StoppedError, BesedkaError, requests.RequestException, KeyError, ValueError) as error:
                said = error.found if isinstance(error, BesedkaError) else str(error)
                reasons[act] = f"{type(error).__name__}: {said}"
        return reasons

    def _each_of_their_rooms(self, act: Callable[[RocketChat, Channel], None]) -> None:
        contract = self.breakable.contract
        for user in contract.users:
            client = self._client(user)
            for channel in contract.channels:
                if channel.name in user.channels:
                    act(client, channel)

    def _client(self, user: User) -> RocketChat:
        """The user's own session; who has lost it signs in again, as the frame does."""
        url, session = self.breakable.contract.chat.url, self.sessions.get(user.username)
        if session:
            client = RocketChat(url, session, timeout=TIMEOUT_SECONDS)
            try:
                client.me()
            except RocketChatError as error:
                # The web client does not ask this: what it cannot show signs nobody out.
                if error.status != _SIGNED_OUT:
                    return client
            else:
                return client
        return RocketChat(url, _signed_in(self.breakable.contract, user), timeout=TIMEOUT_SECONDS)

    def _read(self, client: RocketChat, channel: Channel) -> None:
        room = _opened(client, channel)
        if room not in {row.get("rid") for row in client.get("subscriptions.get")["update"]}:
            raise StoppedError(f"somebody does not see {channel.name}")
        _method(client, "loadHistory", room, None, 5, None)

    def _write(self, client: RocketChat, channel: Channel) -> None:
        message = {"_id": secrets.token_hex(9), "rid": _opened(client, channel), "msg": "Добрый день"}
        if not _method(client, "sendMessage", message):
            raise StoppedError(f"somebody cannot write into {channel.name}")

    def _sign_in_again(self) -> None:
        for user in self.breakable.contract.users:
            held, session = self.sessions[user.username], _signed_in(self.breakable.contract, user)
            if session.user_id != held.user_id:
                raise StoppedError(f"{user.username} gets another account")

    def _sign_in_first(self) -> None:
        client = self._client(self.newcomer)
        for channel in self.breakable.contract.default_channels:
            self._read(client, channel)
            self._write(client, channel)


def _signed_in(contract: Contract, user: User) -> Credentials:
    """The log-in as the web client does it, with the log-in service that Rocket.Chat tells it of."""
    site = Site.of(contract, timeout=TIMEOUT_SECONDS)
    site.sign_in(user.username, user.secret, email=user.email)
    chat = RocketChat(contract.chat.url, timeout=TIMEOUT_SECONDS)
    rows = chat.get("service.configurations")["configurations"]
    service = next((row for row in rows if row.get("service") == contract.provider.name), None)
    if service is None:
        raise StoppedError("Rocket.Chat offers no such way to sign in")
    token = secrets.token_urlsafe(32)
    sent_on = site.request(
        "GET",
        urljoin(service["serverURL"], service["authorizePath"]),
        params={
            "client_id": service["clientId"],
            "redirect_uri": provider.redirect_uri(contract),
            "response_type": "code",
            "state": callback.state(contract, token),
            "scope": service["scope"],
        },
    )
    back = sent_on.headers.get("Location", "")
    if "code" not in parse_qs(urlsplit(back).query):
        raise StoppedError(f"authorize answers {sent_on.status_code} {back.partition('?')[0]}".rstrip())
    with http.session() as browser:
        page = browser.get(back, timeout=TIMEOUT_SECONDS)
    result = callback.result(page.text) or {}
    credential = {"credentialToken": token, "credentialSecret": result.get("credentialSecret")}
    session = chat.login({"oauth": credential})
    named = chat.as_user(session).me().get("username")
    # In other capitals it is the same account.
    if str(named).lower() != user.username.lower():
        raise StoppedError(f"{user.username} is signed in as {named}")
    return session


def _opened(client: RocketChat, channel: Channel) -> str:
    """The id of the room, asked for by its name as the web client does (`getRoomByTypeAndName`)."""
    return str(_method(client, "getRoomByTypeAndName", "p" if channel.private else "c", channel.name)["_id"])


def _method(client: RocketChat, name: str, *params: Any) -> Any:
    """A call of the web client; raises StoppedError where its answer is a refusal."""
    message = json.dumps({"msg": "method", "id": "1", "method": name, "params": params})
    answer: Json = json.loads(client.post(f"method.call/{name}", message=message)["message"])
    if "error" in answer:
        raise StoppedError(f"{name}: {answer['error']}")
    return answer.get("result")


def _newcomer(contract: Contract) -> User:
    name = f"{TEMPORARY_PREFIX}newcomer_{secrets.token_hex(4)}"
    return User(
        username=name,
        role=contract.common_role,
        email=f"{name}@{contract.users[0].email.partition('@')[2]}",
        full_name="Новый Гость",
        password=SecretStr(secrets.token_urlsafe(12)),
        channels=tuple(channel.name for channel in contract.default_channels),
    )


def _row(contract: Contract, user: User) -> Json:
    row = user.model_dump(include={"username", "email", "full_name"})
    return row | {"role": contract.site.adapter.site_role(user.role), "password": user.secret}
