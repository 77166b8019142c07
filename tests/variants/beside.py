"""Things of other people in the same Rocket.Chat: rooms, teams, discussions, direct messages, log-in services,
accounts of a directory.

A row of `[overlay.beside]` is a kind and the names to make.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from besedka.rocketchat.rest import RocketChat
from besedka.stacks.model import Stack

BESIDE_ENV = "BESEDKA_VARIANT_BESIDE"
# Rocket.Chat rebuilds its log-in services some seconds after the last setting.
_LIVE_SECONDS = 15.0


def _channel(chat: RocketChat, stack: Stack, name: str) -> None:
    chat.post("channels.create", name=name)


def _group(chat: RocketChat, stack: Stack, name: str) -> None:
    chat.post("groups.create", name=name)


def _provider(chat: RocketChat, stack: Stack, name: str) -> None:
    """A second Custom OAuth service, with address and label."""
    chat.post("settings.addCustomOAuth", name=name)
    base = f"Accounts_OAuth_Custom-{name.capitalize()}"
    rows = {
        "-url": "https://id.example",
        "-id": "another",
        "-secret": "hidden",
        "-button_label_text": "Другой",
    }
    for suffix, value in (rows | {"": True}).items():
        chat.post(f"settings/{base}{suffix}", value=value)
    deadline = time.monotonic() + _LIVE_SECONDS
    while all(row["service"] != name for row in chat.get("service.configurations")["configurations"]):
        assert time.monotonic() < deadline, f"{name} is no log-in service after {_LIVE_SECONDS:.0f} s"


def _directory_account(chat: RocketChat, stack: Stack, name: str) -> None:
    """An account that LDAP has made: no password, `services.ldap`
    (apps/meteor/server/lib/ldap/Manager.ts, 7.7.1)."""
    made = chat.post(
        "users.create", username=name, name=name, email=f"{name}@directory.example", password="x-Aa1-x-Aa1"
    )
    with _data(stack) as data:
        services = {"ldap": {"id": "6f1d0b", "idAttribute": "entryUUID"}}
        data.users.update_one({"_id": made["user"]["_id"]}, {"$set": {"ldap": True, "services": services}})


def _team(chat: RocketChat, stack: Stack, name: str) -> None:
    """A team; of a room of that name, if there is one, as "Convert to team" makes it
    (apps/meteor/server/services/team/service.ts, 7.7.1).
    """
    with _data(stack) as data:
        if data.rocketchat_room.find_one({"name": name}) is None:
            chat.post("channels.create", name=name)
        room, key = data.rocketchat_room.find_one({"name": name}), f"team-{name}"
        assert room
        data.rocketchat_team.insert_one(
            {"_id": key, "name": name, "type": int(room["t"] == "p"), "roomId": room["_id"]}
        )
        data.rocketchat_team_member.insert_one(
            {"teamId": key, "userId": room["u"]["_id"], "roles": ["owner"]}
        )
        data.rocketchat_room.update_one({"_id": room["_id"]}, {"$set": {"teamId": key, "teamMain": True}})


def _discussion(chat: RocketChat, stack: Stack, name: str) -> None:
    """A discussion shown by that text: its name is random (server/methods/createDiscussion.ts, 7.7.1)."""
    made = chat.post("groups.create", name=secrets.token_hex(8))["group"]["_id"]
    with _data(stack) as data:
        parent = data.rocketchat_room.find_one({"default": True})
        assert parent
        data.rocketchat_room.update_one({"_id": made}, {"$set": {"prid": parent["_id"], "fname": name}})
        data.rocketchat_subscription.update_many(
            {"rid": made}, {"$set": {"prid": parent["_id"], "fname": name}}
        )


def _direct_message(chat: RocketChat, stack: Stack, name: str) -> None:
    """What the administrator has written to that user."""
    room = chat.post("im.create", username=name)["room"]["_id"]
    chat.post("chat.postMessage", roomId=room, text="Hello")


@contextmanager
def _data(stack: Stack) -> Iterator[Database[dict[str, Any]]]:
    assert stack.mongo_url
    with MongoClient[dict[str, Any]](stack.mongo_url) as client:
        yield client.get_default_database()


MAKERS: dict[str, Callable[[RocketChat, Stack, str], None]] = {
    "channels": _channel,
    "groups": _group,
    "providers": _provider,
    "directory_accounts": _directory_account,
    "teams": _team,
    "discussions": _discussion,
    "direct_messages": _direct_message,
}
