"""Taking inventory: every user, room, membership and message with a digest of what must not change.

Left out of the digests is what a start or a log-in changes by itself: presence, resume tokens, unread
counters, the provider's tokens, `_updatedAt`. Field names are those of `packages/core-typings/src/` of
Rocket.Chat (IUser, IRoom, ISubscription, IMessage).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

Document = dict[str, Any]
Entries = dict[str, tuple[str, str]]

SITE_USERS = "site users"
MESSAGES = "messages"
# Collection → what its documents are called here, and the fields that make their content.
COLLECTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "users": ("chat users", ("username", "name", "emails", "type", "active", "roles", "services")),
    "rocketchat_room": (
        "rooms",
        ("t", "name", "fname", "u", "ro", "archived", "default", "topic", "announcement", "uids"),
    ),
    "rocketchat_subscription": ("subscriptions", ("rid", "u", "t", "name", "roles")),
    "rocketchat_message": (
        MESSAGES,
        ("rid", "u", "t", "msg", "ts", "attachments", "file", "files", "tmid", "drid", "pinned"),
    ),
}
KINDS = (SITE_USERS, *(kind for kind, _ in COLLECTIONS.values()))
# Tokens of log-ins that come and go.
PASSING_SERVICES = ("resume", "email", "passwordReset", "loginToken")
# Of a provider's service: what each log-in through it writes anew, doctor's visitor's too.
PASSING_FIELDS = ("accessToken", "refreshToken", "idToken", "expiresAt")
CODEC: CodecOptions[Document] = CodecOptions(
    document_class=dict,
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)
SHOWN = 10


@dataclass(frozen=True)
class Loss:
    """One thing that is not as it was. `what` is missing or changed."""

    kind: str
    label: str
    what: str

    def text(self) -> str:
        """As a message shows it."""
        return f"{self.what}: {self.kind} {self.label}"


@dataclass
class Inventory:
    """Kind → identity → (how a message names it, digest of its content)."""

    entries: dict[str, Entries] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def add_document(self, collection: str, raw: bytes) -> None:
        """Count a BSON document, if its collection is one that is counted."""
        if collection not in COLLECTIONS:
            return
        kind, fields = COLLECTIONS[collection]
        document = bson.decode(raw, CODEC)
        content = {name: document[name] for name in fields if name in document}
        if "services" in content and isinstance(content["services"], dict):
            content["services"] = {
                name: _lasting(value)
                for name, value in content["services"].items()
                if name not in PASSING_SERVICES
            }
        label = _label(collection, document)
        self.entries[kind][str(document["_id"])] = (label, _digest(bson.encode(content, codec_options=CODEC)))

    def add_site_users(self, rows: Iterable[tuple[int | str, str, tuple[object, ...]]]) -> None:
        """Count the site's accounts: id, username, content."""
        for identity, username, content in rows:
            self.entries[SITE_USERS][str(identity)] = (username, _digest(repr(content).encode()))

    def count(self, kind: str) -> int:
        """How many there are."""
        return len(self.entries[kind])

    def digest(self, kind: str) -> str:
        """One digest over all of that kind: 16 hexadecimal digits."""
        rows = sorted((identity, digest) for identity, (_, digest) in self.entries[kind].items())
        return _digest(json.dumps(rows).encode())

    def lines(self) -> list[str]:
        """One line per kind: how many, and the digest."""
        return [f"{kind:<13} {self.count(kind):>7}  {self.digest(kind)}" for kind in KINDS]

    def losses(self, now: Inventory, *, content_of: Iterable[str] = KINDS) -> list[Loss]:
        """What stands here and not in `now`, or, for the kinds of `content_of`, is another one there."""
        strict = set(content_of)
        found = []
        for kind in KINDS:
            for identity, (label, digest) in self.entries[kind].items():
                other = now.entries[kind].get(identity)
                if other is None:
                    found.append(Loss(kind, label, "missing"))
                elif kind in strict and other[1] != digest:
                    found.append(Loss(kind, label, "changed"))
        return found

    def to_json(self) -> dict[str, Any]:
        """For a file."""
        return {
            kind: {key: list(value) for key, value in rows.items()} for kind, rows in self.entries.items()
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; KeyError, TypeError or ValueError when it is not one."""
        return cls({kind: {key: _pair(value) for key, value in raw[kind].items()} for kind in KINDS})


def summary(losses: list[Loss]) -> str:
    """The losses in one text, the first ten by name."""
    shown = [loss.text() for loss in losses[:SHOWN]]
    more = [f"and {len(losses) - SHOWN} more"] if len(losses) > SHOWN else []
    return "; ".join(shown + more)


def _pair(value: list[str]) -> tuple[str, str]:
    label, digest = value
    return label, digest


def _lasting(service: object) -> object:
    if not isinstance(service, dict):
        return service
    return {name: value for name, value in service.items() if name not in PASSING_FIELDS}


def _label(collection: str, document: Document) -> str:
    author = document.get("u")
    who = author.get("username") if isinstance(author, dict) else None
    if collection == "users":
        return str(document.get("username") or document["_id"])
    if collection == "rocketchat_room":
        return str(document.get("name") or document["_id"])
    if collection == "rocketchat_subscription":
        return f"of {who} in {document.get('name') or document.get('rid')}"
    # Not the text: messages are nobody's business but their readers'.
    return f"{document['_id']} by {who} in room {document.get('rid')}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
