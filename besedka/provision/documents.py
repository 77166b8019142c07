"""Rocket.Chat's MongoDB, written to where no call of Rocket.Chat can mend what lies there.

Such are rows that scripts made or lost: a membership of no room, a count, a date that is text. Values of
settings are never written so: Rocket.Chat, while it runs, need not notice.
"""

from __future__ import annotations

import json
from typing import Any, Self

from bson import json_util
from bson.codec_options import DatetimeConversion
from pymongo.errors import PyMongoError

from besedka import database_url
from besedka.errors import ServiceUnreachableError
from besedka.provision.action import Action
from besedka.provision.errors import OtherServerError
from besedka.provision.session import Session
from besedka.rocketchat.database import DEFAULT_DATABASE, connected
from besedka.rocketchat.messages import newest
from besedka.rocketchat.shapes import MESSAGES

Document = dict[str, Any]
_SECONDS = 3.0
_SECRET = frozenset({"users", "meteor_accounts_loginServiceConfiguration"})
_JSON = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL,
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


class Documents:
    """The database at `mongo_url`; raises ServiceUnreachableError when it does not answer."""

    def __init__(self, mongo_url: str) -> None:
        self.where = database_url.shown(mongo_url)
        self._client = connected(mongo_url, _SECONDS)
        self._database = self._client.get_default_database(DEFAULT_DATABASE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def rows(self, collection: str) -> list[Document]:
        """Every document of the collection."""
        found: list[Document] = self._asked(lambda: list(self._database[collection].find()))
        return found

    def newest_messages(self, room_ids: list[Any]) -> list[Document]:
        """What the web client shows at first of these rooms."""
        table = self._database[MESSAGES]
        return [row for rid in room_ids for row in self._asked(lambda rid=rid: newest(table, rid))]

    def demand_same_data(self, session: Session) -> None:
        """Raise OtherServerError unless this is the database that the session's Rocket.Chat works on."""
        row = self._asked(lambda: self._database["rocketchat_settings"].find_one({"_id": "uniqueID"})) or {}
        if row.get("value") != session.server_id:
            raise OtherServerError(
                f"this MongoDB belongs to another Rocket.Chat (uniqueID {row.get('value')})",
                expected=f"the database of {session.url} (uniqueID {session.server_id})",
                where=self.where,
                next_step="give the address that stands in that Rocket.Chat's MONGO_URL as --mongo-url; "
                "nothing was changed",
            )

    def holds(self, target: str, fields: Document | None) -> bool:
        """Whether the document has these fields, all of them (None: whether there is no such document)."""
        collection, key = _place(target)
        found = self._asked(lambda: self._database[collection].find_one({"_id": key}))
        if fields is None or found is None:
            return found is None and fields is None
        return all(plain(_part(found, name)) == value for name, value in fields.items())

    def change(self, target: str, before: Document | None, after: Document | None) -> None:
        """Bring the document from `before` to `after`: None for no document, `null` for no such field."""
        collection, key = _place(target)
        table = self._database[collection]
        if after is None:
            self._asked(lambda: table.delete_one({"_id": key}))
        elif before is None:
            self._asked(lambda: table.replace_one({"_id": key}, _bson(after), upsert=True))
        else:
            kept = {name: _bson(value) for name, value in after.items() if value is not None}
            gone = {name: "" for name, value in after.items() if value is None}
            update = ({"$set": kept} if kept else {}) | ({"$unset": gone} if gone else {})
            self._asked(lambda: table.update_one({"_id": key}, update))

    def _asked(self, ask: Any) -> Any:
        try:
            return ask()
        except PyMongoError as error:
            raise ServiceUnreachableError(
                f"MongoDB refused: {type(error).__name__}: {str(error).partition(', ')[0]}",
                expected="the writable primary of Rocket.Chat's replica set",
                where=self.where,
                next_step="see its log",
            ) from error


def changed(collection: str, row: Document, after: Document, why: str) -> Action:
    """The action that gives fields of a document other values; None takes a field away."""
    before = {name: plain(_part(row, name)) for name in after}
    values = {name: plain(value) for name, value in after.items()}
    return _action(collection, row["_id"], before, values, why)


def removed(collection: str, row: Document, why: str) -> Action:
    """The action that takes a document away."""
    return _action(collection, row["_id"], plain(row), None, why)


def inserted(collection: str, row: Document, why: str) -> Action:
    """The action that puts a document there."""
    return _action(collection, row["_id"], None, plain(row), why)


def plain(value: Any) -> Any:
    """The value as MongoDB's extended JSON, which a journal can hold and `_bson` reads."""
    return json.loads(json_util.dumps(value, json_options=_JSON))


def _bson(value: Any) -> Any:
    return json_util.loads(json.dumps(value), json_options=_JSON)


def _action(collection: str, key: Any, before: Any, after: Any, why: str) -> Action:
    target = f"{collection}/{json_util.dumps(key, json_options=_JSON)}"
    return Action("document", target, before, after, secret=collection in _SECRET, why=why)


def _place(target: str) -> tuple[str, Any]:
    collection, _, key = target.partition("/")
    return collection, json_util.loads(key, json_options=_JSON)


def _part(document: Document, name: str) -> Any:
    value: Any = document
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
