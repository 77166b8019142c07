"""What MongoDB holds, read to verify and to tell causes apart; nothing is ever written there."""

from __future__ import annotations

from collections.abc import Iterator

from besedka.contract import Contract
from besedka.provision.errors import MongoNotPrimaryError
from besedka.rocketchat import provider
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.settings import fulfils


def account_exists(mongo_url: str, username: str) -> bool:
    """Whether Mongo holds an account of exactly that name; raises MongoNotPrimaryError."""
    with ChatDatabase(mongo_url) as database:
        _demand_primary(database)
        return database.user(username) is not None


def differences(mongo_url: str, contract: Contract, rooms_only: bool) -> list[str]:
    """What REST accepted and Mongo does not hold, one sentence each; empty when all is stored."""
    with ChatDatabase(mongo_url) as database:
        _demand_primary(database)
        found = [*_memberships(database, contract)]
        return found if rooms_only else [*_settings(database, contract), *found]


def _settings(database: ChatDatabase, contract: Contract) -> Iterator[str]:
    rows = database.settings()
    for name, value in (contract.settings | provider.settings(contract)).items():
        if name in rows and not fulfils(name, rows[name].get("value"), value):
            yield f"setting {name} is not stored as written"


def _memberships(database: ChatDatabase, contract: Contract) -> Iterator[str]:
    pairs = [(row["u"]["username"], row.get("name")) for row in database.subscriptions()]
    for user, channel in contract.subscriptions:
        count = pairs.count((user.username, channel.name))
        if count != 1:
            yield f"{user.username} has {count} subscriptions of {channel.name}, expected one"


def _demand_primary(database: ChatDatabase) -> None:
    hello = database.hello()
    if not hello.get("isWritablePrimary", hello.get("ismaster")):
        raise MongoNotPrimaryError(
            "this MongoDB is no writable primary" + (" (a secondary)" if hello.get("secondary") else ""),
            expected="the primary of Rocket.Chat's replica set",
            where=database.where,
            next_step="name the primary in --mongo-url (rs.status() shows it), or run rs.initiate(); "
            "nothing was changed",
        )
