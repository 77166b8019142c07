"""A server under test, as its tests use it: an administrator, people and rooms that go away afterwards.

On a server that is not the tests' own every changed setting goes into provisioning's journal first. `run.py
provision --undo` with the addresses takes back what a killed run left behind.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from besedka.provision.action import Action
from besedka.provision.journal import Journal

from .client import Answer, Client, Json

WAIT_SECONDS = 10.0
# Rocket.Chat's log-in services follow their settings after two and a half seconds.
_SOON_SECONDS = 5.0
_TOKEN_DATES = {"when", "twoFactorAuthorizedUntil"}


class Chat:
    """One Rocket.Chat, real or not. What a test makes here is removed by `clean`."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        mongo_url: str | None = None,
        journal: Journal | None = None,
        has_clock: bool = True,
    ) -> None:
        self.url = url
        self.mongo_url = mongo_url
        self.has_clock = has_clock
        self._journal = journal
        self._noted: list[int] = []
        self.admin = Client(url).sign_in(username, password)
        self._users: list[str] = []
        self._rooms: list[str] = []
        self._settings: dict[str, Any] = {}

    @cached_property
    def version(self) -> tuple[int, ...]:
        """Named in full to who may view statistics."""
        info = self.admin.request("GET", "/api/info").body
        return tuple(int(part) for part in info["version"].split("."))

    def anybody(self, **options: Any) -> Client:
        """A caller without a session."""
        return Client(self.url, **options)

    def account(self, **fields: Any) -> Json:
        """A new account, made by the administrator: the user as `users.create` shows it."""
        name = f"temp_{secrets.token_hex(5)}"
        wanted = {"username": name, "name": f"Гость {name}", "email": f"{name}@besedka.test"}
        answer = self.admin.post("users.create", wanted | {"password": f"{name}-pass"} | fields)
        assert answer.status == 200, answer.text
        user: Json = answer.body["user"]
        self._users.append(user["_id"])
        return user

    def person(self, **fields: Any) -> Client:
        """A new account, signed in."""
        user = self.account(**fields)
        password = fields.get("password", f"{user['username']}-pass")
        return self.anybody().sign_in(user["username"], password)

    @cached_property
    def anna(self) -> Client:
        """An ordinary user, the same for all tests: for what changes nothing about the account."""
        return self.keep(self.person())

    @cached_property
    def boris(self) -> Client:
        """Another such user."""
        return self.keep(self.person())

    def room(self, owner: Client | None = None, *, private: bool = False, **fields: Any) -> Json:
        """A new room; by the administrator unless somebody else is named."""
        family, key = ("groups", "group") if private else ("channels", "channel")
        name = f"temp-{secrets.token_hex(5)}"
        answer = (owner or self.admin).post(f"{family}.create", {"name": name} | fields)
        assert answer.status == 200, answer.text
        room: Json = answer.body[key]
        self._rooms.append(room["_id"])
        return room

    def members(self, room: Json) -> list[str]:
        """Who is in a public room, by name; its `usersCount` has to say as many."""
        found = self.admin.get("channels.members", roomId=room["_id"], count=0).body
        count = self.admin.get("channels.info", roomId=room["_id"]).body["channel"]["usersCount"]
        assert count == found["total"], "usersCount counts the members"
        return sorted(member["username"] for member in found["members"])

    def set(self, setting: str, value: Any) -> None:
        """Change a setting until `clean`."""
        # A row whose value was never given has none to show (measured on 6.5.3).
        before = self.admin.get(f"settings/{setting}").body.get("value", "")
        self._settings.setdefault(setting, before)
        if self._journal:
            self._noted.append(self._journal.planned(Action("setting", setting, before, value)))
        answer = self.admin.post(f"settings/{setting}", {"value": value})
        assert answer.status == 200, answer.text
        if self._journal:
            self._journal.done(self._noted[-1], {})

    def keep(self, person: Client) -> Client:
        """Have an account outlive `clean`."""
        self._users.remove(str(person.user_id))
        return person

    def forget(self, user_id: str) -> None:
        """Have an account that came about otherwise removed by `clean`."""
        self._users.append(user_id)

    def forget_room(self, name: str) -> None:
        """Have a room that came about otherwise removed by `clean`; nothing if there is none."""
        answer = self.admin.get("rooms.info", roomName=name)
        if answer.status == 200:
            self._rooms.append(answer.body["room"]["_id"])

    def forget_made(self, answer: Answer) -> None:
        """Have the room removed that this answer says was made, whatever the question was about."""
        body = answer.body if isinstance(answer.body, dict) else {}
        rooms = (body.get(key) for key in ("channel", "group", "room", "discussion"))
        self._rooms += [str(row["_id"]) for row in rooms if isinstance(row, dict) and "_id" in row]

    def sign_in_again(self) -> None:
        """New sessions for accounts that last, where a moved clock has ended the old ones."""
        lasting = [self.__dict__[name] for name in ("anna", "boris") if name in self.__dict__]
        for person in (self.admin, *lasting):
            person.sign_in(person.username, person.password)

    def clean(self) -> None:
        """Undo what the last test made."""
        known_by = self._known_by() if "Site_Url" in self._settings else None
        # The last one first: what was set in an order that shuts nobody out goes back in its undo's order.
        for setting, value in reversed(self._settings.items()):
            answer = self.admin.post(f"settings/{setting}", {"value": value})
            assert answer.status == 200, (setting, answer.text)
        if "Site_Url" in self._settings:
            # Else administrators are asked whether the workspace has moved, over the chat; a moment later.
            eventually(lambda: known_by is None or self._known_by() != known_by, "the question is there")
            answered = self.admin.post("fingerprint", {"setDeploymentAs": "updated-configuration"})
            assert answered.status == 200, answered.text
        for number in self._noted:
            assert self._journal
            self._journal.undone(number)
        for rid in self._rooms:
            self.admin.post("rooms.delete", {"roomId": rid})
        for user_id in self._users:
            self.admin.post("users.delete", {"userId": user_id, "confirmRelinquish": True})
        self._settings, self._noted, self._rooms, self._users = {}, [], [], []

    def _known_by(self) -> Any:
        """What the workspace is known by, made anew a moment after Site_Url has changed; a stand-in tells none."""
        return self.admin.get("settings/Deployment_FingerPrint_Hash").body.get("value")

    def close(self) -> None:
        """Remove the lasting users too, and end the administrator's session."""
        self._users += [
            str(self.__dict__[name].user_id) for name in ("anna", "boris") if name in self.__dict__
        ]
        self.clean()
        if self._journal and self._journal.path.exists():
            self._journal.closed()
        self.admin.post("logout")

    def advance(self, seconds: float) -> None:
        """Move the clock, which a stand-in lets us do; what a real server does in seconds is waited for."""
        if not self.has_clock:
            if seconds > _SOON_SECONDS:
                pytest.skip(f"moves the clock by {seconds:g} s, which a real server has not")
            return
        answer = self.admin.request("POST", "/__standin__/clock", json={"advance_seconds": seconds})
        assert answer.status == 200, answer.text

    def now(self) -> datetime:
        """The server's time: a stand-in's is moved, a real one's is this machine's."""
        if not self.has_clock:
            return datetime.now(UTC)
        clock = self.admin.request("POST", "/__standin__/clock", json={"advance_seconds": 0})
        return datetime.fromisoformat(clock.body["now"])

    def age(self, person: Client, seconds: float) -> None:
        """Let time pass for an account: a stand-in's clock moves, a real server's rows of them are backdated."""
        if self.has_clock:
            self.advance(seconds)
            return
        with collection(self.mongo_url, "users") as users:
            row = users.find_one({"_id": person.user_id}) or {}
            past = timedelta(seconds=seconds)
            tokens = [
                token | {key: token[key] - past for key in _TOKEN_DATES & token.keys()}
                for token in row["services"]["resume"]["loginTokens"]
            ]
            older = {"createdAt": row["createdAt"] - past, "services.resume.loginTokens": tokens}
            users.update_one({"_id": person.user_id}, {"$set": older})
        with collection(self.mongo_url, "rocketchat_server_events") as events:
            for event in events.find({"u.username": person.username}):
                events.update_one({"_id": event["_id"]}, {"$set": {"ts": event["ts"] - past}})

    @contextmanager
    def past_the_second_factor(self) -> Iterator[None]:
        """Have the administrator asked for no second factor, whatever a test sets (v1/users.ts, bypassTwoFactor)."""
        named = {"tokenName": f"temp-{secrets.token_hex(5)}"}
        made = self.admin.post("users.generatePersonalAccessToken", named | {"bypassTwoFactor": True})
        assert made.status == 200, made.text
        usual, self.admin.token = self.admin.token, made.body["token"]
        try:
            yield
        finally:
            self.admin.post("users.removePersonalAccessToken", named)
            self.admin.token = usual

    def service(self, name: str) -> Json | None:
        """A log-in service as anybody may read it."""
        rows = self.anybody().get("service.configurations").body["configurations"]
        return next((row for row in rows if row["service"] == name), None)


def eventually(question: Callable[[], bool], what: str, *, within: float = WAIT_SECONDS) -> None:
    """Return once it is so; the question itself, a request, is what takes the time between."""
    deadline = time.monotonic() + within
    while not question():
        assert time.monotonic() < deadline, what


@contextmanager
def collection(mongo_url: str | None, name: str) -> Iterator[Collection[Json]]:
    """A collection of the server's database, behind the server's back."""
    assert mongo_url
    with MongoClient[Json](mongo_url) as client:
        yield client.get_default_database()[name]


def error_type(answer: Answer) -> tuple[int, Any]:
    """Status and `errorType`, which is what programs look at."""
    return answer.status, answer.body.get("errorType")
