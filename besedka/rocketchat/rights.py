"""Permissions that decide whether members open their rooms."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from besedka.contract import Contract

# A member opens a room by this one, or by the one for the room's kind.
ANY_ROOM = "view-joined-room"

Holders = Mapping[str, Collection[str]]


def of_kind(*, private: bool) -> str:
    """The permission to open rooms of the kind."""
    return f"view-{'p' if private else 'c'}-room"


def kept_out(contract: Contract, holders: Holders, roles: Holders, *, private: bool) -> list[str]:
    """Canonical users who may not open their rooms of the kind; `roles` are those of each account by name."""
    able = {*holders.get(ANY_ROOM, ()), *holders.get(of_kind(private=private), ())}
    rooms = {channel.name for channel in contract.channels if channel.private is private}
    members = [user.username for user in contract.users if rooms & set(user.channels)]
    return sorted(name for name in members if name.lower() in roles and not able & {*roles[name.lower()]})
