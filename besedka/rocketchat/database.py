"""Rocket.Chat's MongoDB, read only, through named collections.

A misspelt collection would answer "nothing there" instead of an error, so callers name none. Collection
names are those of `packages/models/src/models/` of Rocket.Chat.
"""

from __future__ import annotations

import re
import warnings
from functools import cached_property
from typing import Any, Self

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from besedka import database_url
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat.messages import newest
from besedka.rocketchat.shapes import MESSAGES

Document = dict[str, Any]
DEFAULT_DATABASE = "rocketchat"
TIMEOUT_SECONDS = 3.0


def connected(mongo_url: str, seconds: float) -> MongoClient[Document]:
    """A client of the named host and no other, or of the set of several; each wait ends after that
    many seconds.

    Dates are aware UTC; those out of Python's range come as `bson.DatetimeMS`.
    """
    milliseconds = int(seconds * 1000)
    # With a name, the driver takes a server that says nothing for one of another set.
    alone: dict[str, Any] = {"directConnection": True, "replicaSet": None}
    with warnings.catch_warnings():
        # Options of the driver that Rocket.Chat has are none of this one's business.
        warnings.simplefilter("ignore", UserWarning)
        return _client(mongo_url, milliseconds, alone if database_url.is_of_one_host(mongo_url) else {})


def _client(mongo_url: str, milliseconds: int, more: dict[str, Any]) -> MongoClient[Document]:
    return MongoClient(
        mongo_url,
        **more,
        datetime_conversion="DATETIME_AUTO",
        tz_aware=True,
        unicode_decode_error_handler="replace",
        serverSelectionTimeoutMS=milliseconds,
        socketTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
    )


class ChatDatabase:
    """The database behind a `mongodb://` URL; `rocketchat` if the URL names none.

    Connects to the named host and no other (`directConnection`): a replica set advertises member names
    that only its own network resolves. Where several are named, or a record of DNS, the set's primary is
    looked for. Dates out of Python's range come as `bson.DatetimeMS`, because Rocket.Chat stores
    JavaScript's greatest date in its banners. Dates are aware UTC.
    """

    def __init__(self, mongo_url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        database_url.refuse_unreadable(mongo_url=mongo_url)
        self.where = database_url.shown(mongo_url)
        self._url = mongo_url
        try:
            self._client = connected(mongo_url, timeout)
        except (PyMongoError, ValueError, OSError) as error:
            raise self._unreachable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    @cached_property
    def _database(self) -> Database[Document]:
        return self._client.get_default_database(DEFAULT_DATABASE)

    def hello(self) -> Document:
        """The server's answer to `hello`; `isWritablePrimary` and `setName` are what Rocket.Chat needs."""
        try:
            return self._client.admin.command("hello")
        except PyMongoError as error:
            raise self._unreachable(error) from error

    def server_version(self) -> str:
        """Version of the MongoDB server."""
        try:
            return str(self._client.admin.command("buildInfo")["version"])
        except PyMongoError as error:
            raise self._unreachable(error) from error

    def user(self, username: str) -> Document | None:
        """The user of exactly that name."""
        return self._one("users", {"username": username})

    def users_named(self, username: str) -> list[Document]:
        """Every user whose name differs from `username` by case only, itself included."""
        pattern = {"$regex": f"^{re.escape(username)}$", "$options": "i"}
        return self._all("users", {"username": pattern})

    def users(self) -> list[Document]:
        """Every account, bots included."""
        return self._all("users")

    def log_ins(self, username: str, *, failed: bool) -> list[Document]:
        """Log-ins of that name that failed, or that went well; Rocket.Chat counts them to lock the name."""
        query = {"t": "failed-login-attempt" if failed else "login", "u.username": username}
        return self._all("rocketchat_server_events", query)

    def room(self, name: str) -> Document | None:
        """The public or private room of that name."""
        return self._one("rocketchat_room", {"name": name, "t": {"$in": ["c", "p"]}})

    def rooms(self, kinds: tuple[str, ...] | None = ("c", "p")) -> list[Document]:
        """Every channel (`c`) and private group (`p`), or every room whatever its kind (None)."""
        return self._all("rocketchat_room", {"t": {"$in": list(kinds)}} if kinds else {})

    def subscriptions(self, username: str | None = None) -> list[Document]:
        """Memberships of that user (None: all of them)."""
        return self._all("rocketchat_subscription", {"u.username": username} if username else {})

    def messages(self, room: str, text: str | None = None) -> list[Document]:
        """Messages of the room of that name, oldest first; with `text`, only those that say exactly that."""
        found = self.room(room)
        if found is None:
            return []
        query = {"rid": found["_id"]} | ({"msg": text} if text is not None else {})
        return sorted(self._all("rocketchat_message", query), key=lambda message: message["ts"])

    def settings(self) -> dict[str, Document]:
        """Every settings row by id, the whole document."""
        return {str(row["_id"]): row for row in self._all("rocketchat_settings")}

    def login_service(self, name: str) -> Document | None:
        """The row from which Rocket.Chat's log-in service of that name works."""
        return self._one("meteor_accounts_loginServiceConfiguration", {"service": name})

    def login_services(self) -> list[Document]:
        """Every log-in service row."""
        return self._all("meteor_accounts_loginServiceConfiguration")

    def roles(self) -> list[Document]:
        """Every role, of users and of room members."""
        return self._all("rocketchat_roles")

    def permissions(self) -> list[Document]:
        """Every permission, with the roles that have it."""
        return self._all("rocketchat_permissions")

    def banners(self) -> list[Document]:
        """Banners that Rocket.Chat shows to administrators."""
        return self._all("rocketchat_banner")

    def migration(self) -> int | None:
        """Number of the last migration, None where there is no record of any."""
        control = self._one("migrations", {"_id": "control"})
        return int(control["version"]) if control else None

    def migration_is_locked(self) -> bool:
        """Whether a migration is said to be under way (apps/meteor/server/lib/migrations.ts)."""
        return bool((self._one("migrations", {"_id": "control"}) or {}).get("locked"))

    def is_unique(self, collection: str, *fields: str) -> bool:
        """Whether a unique index keeps two rows from being alike in these fields together."""
        try:
            rows = self._collection(collection).index_information().values()
        except PyMongoError as error:
            raise self._unreachable(error) from error
        return any(row.get("unique") and {name for name, _ in row["key"]} == {*fields} for row in rows)

    def newest_messages(self, room_ids: list[Any]) -> list[Document]:
        """What the web client shows at first of these rooms."""
        try:
            return [row for rid in room_ids for row in newest(self._collection(MESSAGES), rid)]
        except PyMongoError as error:
            raise self._unreachable(error) from error

    def rooms_of_messages(self) -> list[Any]:
        """The room ids that messages name, each once."""
        try:
            return list(self._collection("rocketchat_message").distinct("rid"))
        except PyMongoError as error:
            raise self._unreachable(error) from error

    def pending_credentials(self, key: str) -> list[Document]:
        """What an OAuth callback left for the log-in that must follow; a failure is kept here too."""
        return self._all("meteor_oauth_pendingCredentials", {"key": key})

    def _collection(self, name: str) -> Collection[Document]:
        return self._database[name]

    def _one(self, collection: str, query: Document) -> Document | None:
        try:
            return self._collection(collection).find_one(query)
        except PyMongoError as error:
            raise self._unreachable(error) from error

    def _all(self, collection: str, query: Document | None = None) -> list[Document]:
        try:
            return list(self._collection(collection).find(query or {}))
        except PyMongoError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> ServiceUnreachableError:
        # pymongo appends its whole topology to the message.
        reason = database_url.driver_reason(error, self._url)
        return ServiceUnreachableError(
            f"MongoDB cannot be read: {type(error).__name__}: {reason}",
            expected="a MongoDB that answers as primary",
            where=self.where,
            next_step="is mongod running and the address right? See its log.",
        )
