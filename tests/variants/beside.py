"""Things of other people in the same Rocket.Chat: rooms, log-in services, accounts of a directory.

A row of `[overlay.beside]` is a kind and the names to make.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pymongo import MongoClient

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
    assert stack.mongo_url
    with MongoClient[dict[str, object]](stack.mongo_url) as client:
        services = {"ldap": {"id": "6f1d0b", "idAttribute": "entryUUID"}}
        client.get_default_database().users.update_one(
            {"_id": made["user"]["_id"]}, {"$set": {"ldap": True, "services": services}}
        )


MAKERS: dict[str, Callable[[RocketChat, Stack, str], None]] = {
    "channels": _channel,
    "groups": _group,
    "providers": _provider,
    "directory_accounts": _directory_account,
}
