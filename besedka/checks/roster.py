"""Who is where in Rocket.Chat: from Mongo where it can be read, else over REST as administrator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from besedka.contract import Contract
from besedka.rocketchat import memberships, shapes
from besedka.rocketchat.database import Document
from besedka.rocketchat.documents import is_banned
from besedka.rocketchat.rest import Json, RocketChat, RocketChatError


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
    banned: frozenset[str] = frozenset()


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


def _room(raw: Json, members: set[str], banned: Collection[str] = ()) -> Room:
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
        banned=frozenset(banned),
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
    banned: defaultdict[Any, set[str]] = defaultdict(set)
    for row in subscriptions:
        member = (row.get("u") or {}).get("_id")
        if member in names:
            (banned if is_banned(row) else members)[row.get("rid")].add(names[member])
    found = [_room(raw, members[raw["_id"]], banned[raw["_id"]]) for raw in rooms]
    return _roster(found, [_account(raw) for raw in users], "Mongo")


def from_rest(admin: RocketChat, contract: Contract, version: str) -> Roster:
    """The roster as an administrator is given it; members are those of the contract's rooms alone."""
    people = [shapes.whole("users", raw) for raw in _pages(admin, "users.list", "users")]
    own = {channel.name for channel in contract.channels}
    known = {user.username.lower() for user in contract.users} | {contract.chat.admin.username.lower()}
    ids = {str(row.get("username")): row["_id"] for row in people if _name(row) in known}
    rooms = []
    for kind, lister in (("channels", "channels.list"), ("groups", "groups.listAll")):
        for raw in _pages(admin, lister, kind):
            members = _members(admin, kind, raw["_id"], ids, version) if raw.get("name") in own else set()
            rooms.append(_room(shapes.whole("rocketchat_room", raw), members))
    return _roster(rooms, [_account(row) for row in people], "REST")


def _name(row: Json) -> str:
    return str(row.get("username", "")).lower()


def _members(admin: RocketChat, kind: str, room_id: str, ids: Mapping[str, str], version: str) -> set[str]:
    """Who is in the room.

    A private room does not show its list to an administrator who is no member. Nor does an archived one
    (measured on 6.13.0). There the canonical users are asked for, one by one.
    """
    try:
        rows = _pages(admin, f"{kind}.members", "members", roomId=room_id)
    except RocketChatError:
        return {name for name, own in ids.items() if room_id in memberships.rooms_of(admin, version, own)}
    return {str(row.get("username")) for row in rows}


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
