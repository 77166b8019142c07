"""What is: settings, log-in services, accounts, rooms and memberships, read by REST in a handful of calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from besedka.contract import Contract, SettingValue
from besedka.provision.session import Session
from besedka.rocketchat.rest import Json, RocketChatError

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
            active=row.get("active", True) is not False,
        )


@dataclass(frozen=True)
class Room:
    """One channel (public) or group (private)."""

    id: str
    name: str
    label: str
    private: bool
    default: bool
    archived: bool

    @classmethod
    def of(cls, row: Json) -> Room:
        """From a row of `channels.list` or `groups.listAll`."""
        return cls(
            id=row["_id"],
            name=row.get("name", ""),
            label=row.get("fname") or row.get("name", ""),
            private=row.get("t") == "p",
            default=bool(row.get("default")),
            archived=bool(row.get("archived")),
        )

    @property
    def family(self) -> str:
        """The REST family the room belongs to."""
        return "groups" if self.private else "channels"


@dataclass
class State:
    """A Rocket.Chat as it was when read; the writers keep it in step with what they change.

    `accounts` go by lower-case user name, because Rocket.Chat's names are unique without regard to case;
    `members` by room id, None where REST does not show them to the administrator.
    """

    version: str
    settings: dict[str, Any] = field(default_factory=dict)
    services: tuple[Json, ...] = ()
    accounts: dict[str, Account] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    members: dict[str, set[str] | None] = field(default_factory=dict)

    def account(self, username: str) -> Account | None:
        """The account of that name, in any case."""
        return self.accounts.get(username.lower())

    def room_by_id(self, room_id: str) -> Room | None:
        """The room of that id."""
        return next((room for room in self.rooms.values() if room.id == room_id), None)

    def holds(self, setting: str, value: SettingValue) -> bool:
        """Whether the setting has exactly that value; `1` is not `True`."""
        present = self.settings.get(setting)
        return type(present) is type(value) and present == value

    def add(self, account: Account, *addresses: str) -> None:
        """Note an account."""
        self.accounts[account.username.lower()] = account
        for address in addresses or (account.email,):
            self.addresses[address.lower()] = account.username


def read(session: Session, contract: Contract, *, rooms_only: bool = False) -> State:
    """Read everything the contract speaks of; `rooms_only` leaves out settings and log-in services."""
    state = State(session.version)
    if not rooms_only:
        state.settings = {row["_id"]: row.get("value") for row in _rows(session, "settings", "settings")}
        state.services = tuple(session.get("service.configurations").get("configurations", ()))
    for row in _rows(session, "users.list", "users"):
        state.add(Account.of(row), *(entry.get("address", "") for entry in row.get("emails") or ()))
    for path, key in (("channels.list", "channels"), ("groups.listAll", "groups")):
        # A discussion carries its parent in `prid`, and a generated name.
        found = (row for row in _rows(session, path, key) if not row.get("prid"))
        state.rooms |= {room.name: room for room in map(Room.of, found)}
    for channel in contract.channels:
        room = state.rooms.get(channel.name)
        if room:
            state.members[room.id] = _members(session, room, contract, state)
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


def _members(session: Session, room: Room, contract: Contract, state: State) -> set[str] | None:
    try:
        rows = _rows(session, f"{room.family}.members", "members", roomId=room.id)
        return {row["username"] for row in rows if row.get("username")}
    except RocketChatError as error:
        # A private room answers `error-room-not-found` to an administrator who is no member.
        if error.code not in {"error-room-not-found", "error-room-archived"}:
            raise
    return _members_by_user(session, room, contract, state)


def _members_by_user(session: Session, room: Room, contract: Contract, state: State) -> set[str] | None:
    """The canonical members, asked user by user (`users.info` with the user's rooms, from 7.0)."""
    found = set()
    for user in contract.users:
        account = state.account(user.username)
        if account is None:
            continue
        answer = session.get("users.info", userId=account.id, includeUserRooms="true")["user"]
        if "rooms" not in answer:
            return None
        if any(entry.get("rid") == room.id for entry in answer["rooms"]):
            found.add(account.username)
    return found
