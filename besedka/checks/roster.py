"""Who is where in Rocket.Chat: from Mongo where it can be read, else over REST as administrator."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from besedka.rocketchat import shapes
from besedka.rocketchat.database import Document
from besedka.rocketchat.rest import Json, RocketChat


@dataclass(frozen=True)
class Room:
    """A channel or private group. `members` are usernames; in a
    hollow one is nobody and nothing."""

    id: str
    name: str
    label: str
    private: bool
    default: bool
    archived: bool
    read_only: bool
    join_code: bool
    encrypted: bool
    muted: frozenset[str]
    members: frozenset[str]
    hollow: bool = False


@dataclass(frozen=True)
class Account:
    """An account of Rocket.Chat. `has_password` is None where it is not shown (REST)."""

    username: str
    name: str
    emails: tuple[str, ...]
    verified: frozenset[str]
    has_password: bool | None
    active: bool
    roles: frozenset[str]
    must_reset: bool = False
    kind: str = "user"
    # Addresses as they are written; `emails` are in small letters.
    spelt: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Roster:
    """Rooms by name and accounts by lower-case username; `source` says where they were read."""

    rooms: dict[str, Room]
    accounts: dict[str, Account]
    source: str


def _room(raw: Json, members: set[str]) -> Room:
    return Room(
        id=str(raw["_id"]),
        name=str(raw.get("name", "")),
        label=str(raw.get("fname") or ""),
        private=raw.get("t") == "p",
        default=raw.get("default") is True,
        archived=bool(raw.get("archived")),
        read_only=bool(raw.get("ro")),
        join_code=bool(raw.get("joinCodeRequired")),
        encrypted=bool(raw.get("encrypted")),
        muted=frozenset(raw.get("muted") or []),
        members=frozenset(members),
        hollow=not raw.get("msgs") and not raw.get("usersCount"),
    )


def _account(raw: Json) -> Account:
    addresses = [
        (str(row.get("address", "")).lower(), row.get("verified")) for row in raw.get("emails") or []
    ]
    services = raw.get("services")
    return Account(
        username=str(raw.get("username", "")),
        name=str(raw.get("name") or ""),
        emails=tuple(address for address, _ in addresses),
        verified=frozenset(address for address, flag in addresses if flag is True),
        has_password=None if services is None else bool((services.get("password") or {}).get("bcrypt")),
        # Without the field each log-in is refused (app/authentication/server/startup/index.js, 6.x and 7.x).
        active=bool(raw.get("active")),
        roles=frozenset(raw.get("roles") or []),
        must_reset=bool(raw.get("requirePasswordChange")),
        kind=str(raw.get("type") or ""),
        spelt=frozenset(str(row.get("address", "")) for row in raw.get("emails") or []),
    )


def from_mongo(users: list[Document], rooms: list[Document], subscriptions: list[Document]) -> Roster:
    """The roster made of Mongo's documents."""
    names = {user["_id"]: str(user.get("username", "")) for user in users}
    members: defaultdict[Any, set[str]] = defaultdict(set)
    for row in subscriptions:
        member = (row.get("u") or {}).get("_id")
        if member in names:
            members[row.get("rid")].add(names[member])
    found = [_room(raw, members[raw["_id"]]) for raw in rooms]
    return _roster(found, [_account(raw) for raw in users], "Mongo")


def from_rest(admin: RocketChat) -> Roster:
    """The roster as an administrator is given it."""
    rooms = []
    for kind, lister in (("channels", "channels.list"), ("groups", "groups.listAll")):
        for raw in _pages(admin, lister, kind):
            rows = _pages(admin, f"{kind}.members", "members", roomId=raw["_id"])
            rooms.append(
                _room(shapes.whole("rocketchat_room", raw), {str(row.get("username")) for row in rows})
            )
    accounts = [_account(shapes.whole("users", raw)) for raw in _pages(admin, "users.list", "users")]
    return _roster(rooms, accounts, "REST")


def _pages(admin: RocketChat, path: str, key: str, **query: str) -> list[Json]:
    rows: list[Json] = []
    while True:
        page = admin.get(path, count=0, offset=len(rows), **query)
        rows += page[key]
        if not page[key] or len(rows) >= page.get("total", 0):
            return rows


def _roster(rooms: list[Room], accounts: list[Account], source: str) -> Roster:
    return Roster(
        rooms={room.name: room for room in rooms},
        accounts={account.username.lower(): account for account in accounts},
        source=source,
    )
