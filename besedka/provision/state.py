"""What is: settings, log-in services, accounts, rooms and memberships, read by REST in a handful of calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from besedka.contract import Contract
from besedka.provision.session import Session
from besedka.rocketchat import catalogue, licences, memberships, shapes
from besedka.rocketchat.rest import Json
from besedka.values import SettingValue

PAGE = 100


@dataclass(frozen=True)
class Account:
    """One account; `email` is its first address, `verified` that address's flag."""

    id: str
    username: str
    name: str
    email: str
    verified: bool
    roles: tuple[str, ...]
    active: bool

    @classmethod
    def of(cls, row: Json) -> Account:
        """From a row of `users.list`; bots have no address."""
        first = (row.get("emails") or [{}])[0]
        return cls(
            id=row["_id"],
            username=row.get("username", ""),
            name=row.get("name", ""),
            email=first.get("address", ""),
            verified=bool(first.get("verified")),
            roles=tuple(row.get("roles") or ()),
            active=bool(row.get("active")),
        )


@dataclass(frozen=True)
class Room:
    """One channel (public) or group (private). `messages` and `people` are Rocket.Chat's own counts."""

    id: str
    name: str
    label: str
    private: bool
    default: bool = False
    archived: bool = False
    read_only: bool = False
    join_code: bool = False
    muted: tuple[str, ...] = ()
    messages: int = 0
    people: int = 0

    @classmethod
    def of(cls, row: Json) -> Room:
        """From a row of `channels.list` or `groups.listAll`."""
        return cls(
            id=row["_id"],
            name=row.get("name", ""),
            label=row.get("fname") or row.get("name", ""),
            private=row.get("t") == "p",
            default=row.get("default") is True,
            archived=bool(row.get("archived")),
            read_only=bool(row.get("ro")),
            join_code=bool(row.get("joinCodeRequired")),
            muted=tuple(row.get("muted") or ()),
            messages=int(row.get("msgs") or 0),
            people=int(row.get("usersCount") or 0),
        )

    @property
    def family(self) -> str:
        """The REST family the room belongs to."""
        return "groups" if self.private else "channels"

    @property
    def hollow(self) -> bool:
        """Whether nobody and nothing is in it, as far as Rocket.Chat counts."""
        return not self.messages and not self.people


@dataclass
class State:
    """Rocket.Chat as it was when read; the writers keep it in step with what they change.

    `modules` are those of the licence, asked for only where Custom OAuth or a row of `[settings]` needs one;
    None where nobody said.
    `accounts` go by lower-case user name, because Rocket.Chat's names are unique without regard to case.
    Those that are not are `doubles`. `addresses` maps an e-mail to the accounts that hold it. `members` maps
    a room's id to the canonical users with a membership there.
    """

    version: str
    modules: frozenset[str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    services: tuple[Json, ...] = ()
    accounts: dict[str, Account] = field(default_factory=dict)
    doubles: list[str] = field(default_factory=list)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    permissions: dict[str, list[str]] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def account(self, username: str) -> Account | None:
        """The account of that name, in any case."""
        return self.accounts.get(username.lower())

    def inside(self, room: Room, username: str) -> bool:
        """Whether a canonical user has a membership in the room."""
        return username in self.members.get(room.id, ())

    def room_by_id(self, room_id: str) -> Room | None:
        """The room of that id."""
        return next((room for room in self.rooms.values() if room.id == room_id), None)

    def note_general(self, name: str) -> None:
        """Note that Rocket.Chat's first room is about to come back, with its members."""
        self.rooms[name] = Room("GENERAL", name, name, private=False, default=True)

    def note_room(self, room: Room, members: set[str]) -> None:
        """Note that this room is about to be one that calls list, with these members."""
        self.rooms[room.name] = room
        self.members[room.id] = members

    def holds(self, setting: str, value: SettingValue) -> bool:
        """Whether the setting has exactly that value; `1` is not `True`."""
        present = self.settings.get(setting)
        return type(present) is type(value) and present == value

    def add(self, account: Account, *addresses: str) -> None:
        """Note an account."""
        key = account.username.lower()
        if key in self.accounts:
            self.doubles.append(key)
        self.accounts[key] = account
        for address in addresses or (account.email,):
            if address:
                self.addresses.setdefault(address.lower(), []).append(account.username)


def read(session: Session, contract: Contract, *, rooms_only: bool = False) -> State:
    """Read everything the contract speaks of; `rooms_only` leaves out settings and log-in services."""
    state = State(session.version)
    if not rooms_only:
        state.settings = {row["_id"]: row.get("value") for row in _rows(session, "settings", "settings")}
        known = catalogue.for_version(state.version)
        asked = (known.setting(name) for name in contract.settings)
        decided = any(setting and setting.enterprise for setting in asked)
        if decided or known.steps["custom_oauth_login"].allowed == "licence":
            state.modules = licences.modules(session)
        state.services = tuple(session.get("service.configurations").get("configurations", ()))
    roles = session.get("roles.list").get("roles", ())
    # One that an administrator made has a random id beside its name (models/Roles.ts, createWithRandomId).
    state.roles = frozenset(row[key] for row in roles for key in ("_id", "name") if row.get(key))
    rights = session.get("permissions.listAll").get("update", ())
    # A script may have written a text in place of the list.
    state.permissions = {
        row["_id"]: list(held) if isinstance(held := row.get("roles"), list) else [] for row in rights
    }
    for told in _rows(session, "users.list", "users"):
        row = shapes.whole("users", told)
        state.add(Account.of(row), *(entry.get("address", "") for entry in row.get("emails") or ()))
    for path, key in (("channels.list", "channels"), ("groups.listAll", "groups")):
        # A discussion carries its parent in `prid`, and a generated name.
        found = (row for row in _rows(session, path, key) if not row.get("prid"))
        state.rooms |= {room.name: room for room in map(Room.of, found)}
    for username in {contract.chat.admin.username, *(user.username for user in contract.users)}:
        account = state.account(username)
        for room_id in memberships.rooms_of(session, session.version, account.id) if account else ():
            state.members.setdefault(room_id, set()).add(account.username if account else username)
    return state


def _rows(session: Session, path: str, key: str, **query: str | int) -> Iterator[Json]:
    """Every row of a paged list. `count=0` means all, unless API_Allow_Infinite_Count is off."""
    answer = session.get(path, count=0, **query)
    seen = 0
    while rows := answer.get(key) or []:
        yield from rows
        seen += len(rows)
        if seen >= answer.get("total", seen):
            return
        answer = session.get(path, count=PAGE, offset=seen, **query)
