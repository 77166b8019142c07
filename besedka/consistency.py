# ruff: noqa: D102 - the rows of a protocol are those of the contract
"""What a contract must not say, each with its row: contradictions, and what Rocket.Chat itself refuses."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, Protocol

from besedka import names
from besedka.look_alikes import alike, mixed, told, typed_anew

# A role without groups of its own gets those of this row.
COMMON_ROLE = "user"
FIRST_ROOM = "First_Channel_After_Login"
_UNTYPED = re.compile(r"[\x00-\x1f\x7f]")
# Of difflib: `moderators` and `modrator` for `moderator`.
_NEARLY = 0.8


class Account(Protocol):
    """A name and an address, each for one account alone."""

    @property
    def username(self) -> str: ...
    @property
    def email(self) -> str: ...


class Person(Account, Protocol):
    """A row of `[[users]]`."""

    @property
    def role(self) -> str: ...
    @property
    def channels(self) -> Sequence[str]: ...
    @property
    def chat_roles(self) -> Sequence[str]: ...
    @property
    def secret(self) -> str: ...


class Room(Protocol):
    """A row of `[[channels]]`."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def fname(self) -> str | None: ...
    @property
    def private(self) -> bool: ...
    @property
    def default(self) -> bool: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def roles(self) -> Sequence[str] | None: ...
    def admits(self, role: str) -> bool: ...


class Naming(Protocol):
    """`[site.adapter]`, where it names people and roles."""

    @property
    def visitor(self) -> str | None: ...
    @property
    def roles(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Rows:
    """What a contract says of people and rooms; `opened` is the room that the pages show first."""

    users: Sequence[Person]
    channels: Sequence[Room]
    opened: str | None
    admin: Account
    groups: Mapping[str, str]
    settings: names.Settings
    adapter: Naming


def problems(contract: Rows) -> list[str]:
    """One text for each problem, with its row first; empty when all is well.

    Who is where is asked only of people and rooms that are right by themselves: one mistake, one text.
    """
    return (
        [*_decomposed(contract)]
        or [*_doubles(contract)]
        or [*names.unreadable_rules(contract.settings), *_people(contract), *_rooms(contract)]
        or [*_administrator(contract), *_labels(contract), *_default_rooms(contract), *_groups(contract)]
        or [*_memberships(contract)]
    )


def _decomposed(contract: Rows) -> Iterator[str]:
    """Texts that are compared letter by letter, in another form of Unicode than whoever types them.

    Django keeps user names in NFKC (`AbstractBaseUser.normalize_username`, `UsernameField`).
    """
    for number, user in enumerate(contract.users, 1):
        row = f"users.{number} ({user.username})"
        yield from _of_form("NFKC", f"{row}.username", [user.username])
        yield from _of_form("NFC", f"{row}.role", [user.role])
        yield from _of_form("NFC", f"{row}.email", [user.email])
        yield from _of_form("NFC", f"{row}.channels", user.channels)
    for number, room in enumerate(contract.channels, 1):
        row = f"channels.{number} ({room.name})"
        yield from _of_form("NFC", f"{row}.name", [room.name])
        yield from _of_form("NFC", f"{row}.roles", room.roles or ())


def _doubles(contract: Rows) -> Iterator[str]:
    """Names that only look like one another, by letters of two alphabets: one text each, at its first row.

    Two that are wholly of their own alphabets are two names, unless nothing has the one of them.
    """
    for named, meant in _named(contract):
        rows = {text: row for row, text in reversed([*named, *meant])}
        known = {text for _, text in named}
        for text, row in rows.items():
            right = next((other for other in rows if alike(text, other) and not mixed(other)), None)
            if right is not None and (mixed(text) or (text not in known and right in known)):
                yield (
                    f"{row}: {text!r} only looks like {right!r} of {rows[right]}: {told(text, right)}; "
                    "type it anew"
                )


def _named(contract: Rows) -> Iterator[tuple[list[tuple[str, str]], list[tuple[str, str]]]]:
    """Rows that name people, rooms and roles, and rows that mean one of those; each with its text."""
    users = [(f"users.{number} ({one.username})", one) for number, one in enumerate(contract.users, 1)]
    rooms = [(f"channels.{number} ({one.name})", one) for number, one in enumerate(contract.channels, 1)]
    people = [(f"{row}.username", user.username) for row, user in users]
    visitor = contract.adapter.visitor
    walks = [("site.adapter.visitor", visitor)] if visitor is not None else []
    yield [*people, ("chat.admin.username", contract.admin.username)], walks
    first = contract.settings.get(FIRST_ROOM)
    meant = [(f"settings.{FIRST_ROOM}", first)] if isinstance(first, str) else []
    meant += [(f"{row}.channels", name) for row, user in users for name in user.channels]
    yield [(f"{row}.name", room.name) for row, room in rooms], meant
    groups = [(f"provider.groups.{role}", role) for role in contract.groups]
    groups += [(f"site.adapter.roles.{role}", role) for role in contract.adapter.roles]
    roles = [(f"{row}.roles", role) for row, room in rooms for role in room.roles or ()]
    yield [(f"{row}.role", user.role) for row, user in users], [*roles, *groups]


def _of_form(form: Literal["NFC", "NFKC"], row: str, texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if (composed := unicodedata.normalize(form, text)) != text:
            yield (
                f"{row}: {text!a} is not in Unicode's form {form}, in which {composed!r} is typed; "
                f"write {composed!a}"
            )


def _people(contract: Rows) -> Iterator[str]:
    rows = [f"users.{number} ({user.username})" for number, user in enumerate(contract.users, 1)]
    if not contract.users:
        yield "users: there is none, so nobody could sign in"
    yield from _alike("username", [user.username for user in contract.users], rows)
    yield from _alike("email", [user.email for user in contract.users], rows)
    for row, user in zip(rows, contract.users, strict=True):
        for reason in typed_anew(user.username, names.refused_user(user.username, contract.settings)):
            yield f"{row}.username: {reason}"
        if not user.chat_roles:
            yield f"{row}.chat_roles: there is none, and who has no role in Rocket.Chat may do nothing there"
        yield from _twice(f"{row}.chat_roles", user.chat_roles)
        if _UNTYPED.search(user.secret):
            yield f"{row}.password: a line break or a control character cannot be typed into a form"


def _administrator(contract: Rows) -> Iterator[str]:
    admin = contract.admin
    refused = names.misshapen(admin.username, contract.settings, names.USER_RULE)
    for reason in typed_anew(admin.username, refused):
        yield f"chat.admin.username: {reason}"
        return
    for number, user in enumerate(contract.users, 1):
        if user.username != admin.username and user.username.lower() == admin.username.lower():
            yield (
                f"chat.admin.username: {admin.username!r} and users.{number} {user.username!r} are one "
                "account to Rocket.Chat, which keeps one spelling; write both alike"
            )
        same_name = user.username.lower() == admin.username.lower()
        if same_name and "admin" not in user.chat_roles:
            yield (
                f"users.{number} ({user.username}).chat_roles: lacks 'admin', and chat.admin is that user; "
                "write it there, or name another administrator"
            )
        if same_name != (user.email.lower() == admin.email.lower()):
            yield (
                f"chat.admin: {admin.username} ({admin.email}) and users.{number} {user.username} "
                f"({user.email}) share a name or an address, not both; Rocket.Chat holds each for one "
                "account alone. Make both equal, or neither"
            )


def _rooms(contract: Rows) -> Iterator[str]:
    rows = [f"channels.{number} ({room.name})" for number, room in enumerate(contract.channels, 1)]
    yield from _alike("name", [room.name for room in contract.channels], rows)
    shown = contract.settings.get(names.DISPLAY_RULE) is True
    for row, room in zip(rows, contract.channels, strict=True):
        for reason in typed_anew(room.name, names.refused_room(room.name, contract.settings)):
            yield f"{row}.name: {reason}"
        if room.fname not in {None, room.name} and not shown:
            yield (
                f"{row}.fname: Rocket.Chat shows a room by another text than its name only with "
                f"{names.DISPLAY_RULE} = true in [settings]"
            )
        yield from _twice(f"{row}.roles", room.roles or ())
        unknown = sorted(set(room.roles or ()) - _held(contract) - set(contract.groups))
        if unknown:
            yield f"{row}.roles: names the role {unknown[0]!r}, which does not exist: no user has it"
        elif contract.users and not any(room.admits(user.role) for user in contract.users):
            yield f"{row}.roles: nobody may enter, no user has one of the roles {sorted(room.roles or ())}"


def _twice(row: str, roles: Sequence[str]) -> Iterator[str]:
    if twice := [role for role, count in Counter(roles).items() if count > 1]:
        yield f"{row}: lists the role {twice[0]!r} twice"


def _labels(contract: Rows) -> Iterator[str]:
    """A label stands on a button: who sees two alike cannot tell the rooms apart."""
    for number, room in enumerate(contract.channels, 1):
        for user in contract.users:
            seen = [other for other in contract.channels[: number - 1] if other.label == room.label]
            both = [other.name for other in seen if other.admits(user.role) and room.admits(user.role)]
            if both:
                yield (
                    f"channels.{number} ({room.name}).label: {room.label!r} is the label of {both[0]} too, "
                    f"and {user.username} sees both buttons"
                )
                break


def _default_rooms(contract: Rows) -> Iterator[str]:
    if not any(room.default for room in contract.channels):
        yield "channels: at least one must have default = true, because new accounts join only default rooms"
    for number, room in enumerate(contract.channels, 1):
        row = f"channels.{number} ({room.name})"
        if room.default and room.private:
            yield f"{row}.default: a default room is joined by every new account, so it cannot be private"
        shut_out = sorted({user.role for user in contract.users if not room.admits(user.role)})
        if room.default and not room.private and shut_out:
            yield f"{row}.roles: every new account joins a default room, and {', '.join(shut_out)} may not"
        if room.read_only and room.name == contract.opened:
            yield (
                f"{row}.read_only: the pages open this room first, and nobody could write there; name "
                "another default room in settings.First_Channel_After_Login"
            )


def _memberships(contract: Rows) -> Iterator[str]:
    known = {room.name for room in contract.channels}
    for number, user in enumerate(contract.users, 1):
        row = f"users.{number} ({user.username}).channels"
        for name, count in Counter(user.channels).items():
            if name not in known:
                yield f"{row}: lists channel {name!r}, which does not exist"
            if count > 1:
                yield f"{row}: lists channel {name!r} twice"
        entitled = {room.name for room in contract.channels if room.admits(user.role)}
        if set(user.channels) <= known and set(user.channels) != entitled:
            yield (
                f"{row}: lists {sorted(user.channels)}, but [[channels]] admits the role {user.role!r} to "
                f"{sorted(entitled)}"
            )


def _groups(contract: Rows) -> Iterator[str]:
    """A row for a role that nobody has yet does no harm. One that is nearly a user's role is a mistake."""
    held = sorted(_held(contract))
    named = {role for room in contract.channels for role in room.roles or ()}
    for role in contract.groups:
        meant = get_close_matches(role, held, n=1, cutoff=_NEARLY)
        if role not in {*held, *named, COMMON_ROLE} and meant:
            row = f"provider.groups.{role}"
            yield f"{row}: names the role {role!r}, which does not exist; is {meant[0]!r} meant?"


def _held(contract: Rows) -> set[str]:
    return {user.role for user in contract.users}


def _alike(field: str, values: Iterable[str], rows: list[str]) -> Iterator[str]:
    """Rocket.Chat and the site compare names and addresses without regard to case."""
    lowered = [value.lower() for value in values]
    for value, count in Counter(lowered).items():
        if count > 1:
            where = " and ".join(row for row, other in zip(rows, lowered, strict=True) if other == value)
            yield f"{where}: {field} {value!r} stands twice, whatever the case"
