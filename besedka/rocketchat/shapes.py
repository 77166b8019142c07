"""Fields of Rocket.Chat's documents that hold lists, documents or numbers, and what to make of others.

A script that writes `roles: "user"` for `roles: ["user"]` stops each reader of the row: Rocket.Chat refuses
such a log-in (`app/authentication/server/startup/index.js`, error-user-has-no-roles).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bson.decimal128 import Decimal128

from besedka.rocketchat.documents import is_date, meant_date

_LIST, _DOCUMENT, _DOCUMENTS, _NUMBER = "a list", "a document", "a list of documents", "a number"
_TEXT, _DATE, _REACTIONS = "a text", "a date", "a document with a list of usernames for each"
MESSAGES = "rocketchat_message"
# Each log-in adds a row to it, and MongoDB adds none to what is no list ($addToSet).
TOKENS = "services.resume.loginTokens"
SHAPES: dict[str, dict[str, str]] = {
    "users": {
        "emails": _DOCUMENTS,
        "roles": _LIST,
        "services": _DOCUMENT,
        "__rooms": _LIST,
        TOKENS: _DOCUMENTS,
    },
    "rocketchat_room": {
        "u": _DOCUMENT,
        "retention": _DOCUMENT,
        "muted": _LIST,
        "msgs": _NUMBER,
        "usersCount": _NUMBER,
    },
    # What a message counts up; MongoDB refuses to count on from a text ($inc).
    "rocketchat_subscription": {
        "u": _DOCUMENT,
        # As a text it ends the client before the room is drawn (measured on 6.13.0).
        "lr": _DATE,
        "roles": _LIST,
        "unread": _NUMBER,
        "userMentions": _NUMBER,
        "groupMentions": _NUMBER,
    },
    # What stops the web client as it draws the message, and the whole room with it (measured on 6.13.0).
    MESSAGES: {"msg": _TEXT, "md": _LIST, "attachments": _DOCUMENTS, "urls": _LIST, "reactions": _REACTIONS},
}
# Without its author or its time no message can be drawn, either (measured on 6.13.0).
_NEEDED = {MESSAGES: {"u": _DOCUMENT, "ts": _DATE}}


def misshapen(collection: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and shape for each field of the row that has another shape."""
    for name, shape in SHAPES[collection].items():
        if (value := at(row, name)) is not None and not _fits(value, shape):
            yield name, shape
    for name, shape in _NEEDED.get(collection, {}).items():
        if name not in row:
            yield name, shape
    services = row.get("services") if collection == "users" else None
    # `password`, `resume`, each way to sign in; a few hold lists.
    for name, value in services.items() if isinstance(services, dict) else ():
        if isinstance(value, str | int | float):
            yield f"services.{name}", _DOCUMENT


def undrawn(message: dict[str, Any]) -> bool:
    """Whether the message lacks what nothing brings back: its author, or its time."""
    return any(name not in message for name in _NEEDED[MESSAGES])


def whole(collection: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row without the fields that have another shape."""
    for name, _ in misshapen(collection, row):
        row = _without(row, name)
    return row


def at(row: Any, name: str) -> Any:
    """The value of that name, whose dots lead into documents; None where there is none."""
    for part in name.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def meant(name: str, shape: str, value: Any) -> Any:
    """What the value was meant to be; None where nobody can tell."""
    if shape == _NUMBER:
        return int(value) if str(value).isdecimal() else 0
    if shape == _DATE:
        return meant_date(value)
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str) and item]
    if shape == _LIST:
        return texts or None
    if name == "emails":
        return [{"address": text, "verified": True} for text in texts] or None
    return None


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    first, _, rest = name.partition(".")
    if rest:
        return row | {first: _without(row[first], rest)}
    return {key: value for key, value in row.items() if key != name}


def _fits(value: Any, shape: str) -> bool:
    if shape == _TEXT:
        return isinstance(value, str)
    if shape == _DATE:
        return is_date(value)
    if shape == _REACTIONS:
        named = [at(one, "usernames") for one in value.values()] if isinstance(value, dict) else [None]
        return all(isinstance(names, list) for names in named)
    if shape == _DOCUMENT:
        return isinstance(value, dict)
    if shape == _NUMBER:
        return isinstance(value, int | float | Decimal128) and not isinstance(value, bool)
    return isinstance(value, list) and (shape == _LIST or all(isinstance(one, dict) for one in value))
