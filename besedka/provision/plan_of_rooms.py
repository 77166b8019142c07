"""The plan's rooms: made, found again under another name, opened to their members, filled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from besedka.contract import Channel, Contract
from besedka.names import is_twin
from besedka.provision.action import Action, Notice
from besedka.provision.state import Room, State
from besedka.rocketchat import rights

# Without it an administrator who is no member of a private room can invite nobody, himself included
# (measured on 6.13.0: `error-not-allowed`; `apps/meteor/app/lib/server/methods/addUsersToRoom.ts`). No role
# has it by default.
INVITE_ANYWHERE = "add-user-to-any-p-room"
# Rocket.Chat makes this room at its first boot, and calls it general.
_BUILT_IN = "GENERAL"
Steps = Iterator[Action | Notice]


def made(contract: Contract, state: State, *, rooms_only: bool, prune: bool) -> list[Action | Notice]:
    """Everything about rooms and memberships, in the order that works."""
    found = {channel.name: _found(channel, contract, state) for channel in contract.channels}
    steps: list[Action | Notice] = [*_rights(contract, state)]
    for channel in contract.channels:
        steps += _room(channel, found[channel.name], contract, state)
    steps += _memberships(contract, state, found, rooms_only=rooms_only, prune=prune)
    for channel in contract.channels:
        room = found[channel.name]
        steps += _voices(channel, room, contract) if room else ()
        for field in ("default", "read_only"):
            wanted = getattr(channel, field)
            if (getattr(room, field) if room else False) != wanted:
                steps.append(Action("room-field", channel.name, {field: not wanted}, {field: wanted}))
    return [*steps, *_twins(contract, state, found)]


def _rights(contract: Contract, state: State) -> Iterator[Action]:
    """The right to open rooms, where a role has lost it; a permission without a row waits for a restart."""
    roles = {name: account.roles for name, account in state.accounts.items()}
    for private in (False, True):
        name = rights.of_kind(private=private)
        unable = rights.kept_out(contract, state.permissions, roles, private=private)
        held = [roles[one.lower()] for one in unable if roles[one.lower()]]
        if held and name in state.permissions:
            before = state.permissions[name]
            given = {"user" if "user" in mine else min(mine) for mine in held}
            yield Action("permission", name, before, sorted({*before, *given}))


def _found(channel: Channel, contract: Contract, state: State) -> Room | None:
    """The channel's room. Where no room has its name, the only one that can be it, renamed.

    Rocket.Chat's first room becomes the first default one that is missing, if it is no room of the contract.
    """
    room = state.rooms.get(channel.name)
    if room:
        return room
    lacking = [one for one in contract.default_channels if one.name not in state.rooms]
    built_in = state.room_by_id(_BUILT_IN)
    names = {known.name for known in contract.channels}
    if built_in and built_in.name not in names and channel in lacking[:1]:
        return built_in
    alike = _alike(channel, contract, state)
    return alike[0] if len(alike) == 1 else None


def _room(channel: Channel, room: Room | None, contract: Contract, state: State) -> Steps:
    if room is None:
        # Of several that look like it a person chooses; see _twins.
        if not _alike(channel, contract, state):
            yield Action("room", channel.name, None, _new_room(contract, channel))
        return
    if room.name != channel.name:
        yield Action("room-field", room.name, {"name": room.name}, {"name": channel.name})
    if room.archived:
        yield Action("room-field", channel.name, {"archived": True}, {"archived": False})
    if room.private != channel.private:
        admin = contract.chat.admin.username
        if channel.private and not state.inside(room, admin):
            # Once it is private, nobody but a member can let the administrator in again.
            yield Action("membership", f"{channel.name}/{admin}", False, True)
        before, after = {"private": room.private}, {"private": channel.private}
        yield Action("room-field", channel.name, before, after)
    if channel.fname and room.label != channel.fname:
        yield Action("room-field", channel.name, {"label": room.label}, {"label": channel.fname})
    if room.join_code:
        yield Action("room-field", channel.name, {"join_code": True}, {"join_code": False})


def _voices(channel: Channel, room: Room, contract: Contract) -> Steps:
    """All who belong here may write; Rocket.Chat takes the mute from members alone (`rooms.unmuteUser`)."""
    members = [user for user, theirs in contract.subscriptions if theirs == channel]
    if silenced := [user.username for user in members if user.username in room.muted]:
        yield Action("room-field", channel.name, {"muted": silenced}, {"muted": []})


def _new_room(contract: Contract, channel: Channel) -> dict[str, Any]:
    members = [user.username for user, theirs in contract.subscriptions if theirs == channel]
    creator = contract.chat.admin.username
    others = [name for name in members if name != creator]
    shown = {"label": channel.fname} if channel.fname else {}
    return {"private": channel.private, "members": others} | shown


def _memberships(
    contract: Contract, state: State, found: dict[str, Room | None], *, rooms_only: bool, prune: bool
) -> Steps:
    admin = contract.chat.admin.username
    open_rooms: list[Action | Notice] = []
    closed_rooms: list[Action | Notice] = []
    for channel in contract.channels:
        room = found[channel.name]
        if room is None:
            continue
        steps = list(_members(channel, room, contract, state, rooms_only=rooms_only, prune=prune))
        out_of_reach = room.private and channel.private and not state.inside(room, admin)
        if not out_of_reach:
            open_rooms += steps
        elif room.archived:
            text = f"archived, and {admin!r} is no member: let a member unarchive it and invite {admin!r}"
            yield Notice("room-out-of-reach", channel.name, text, blocking=True)
        else:
            closed_rooms += [step for step in steps if isinstance(step, Notice) or step.after]
    yield from open_rooms
    yield from _by_right(closed_rooms, admin, state)


def _by_right(steps: list[Action | Notice], admin: str, state: State) -> Steps:
    """Invitations into private rooms that the administrator is not in: by a right lent for that long."""
    # The administrator first: a member can do the rest.
    ordered = sorted(steps, key=lambda step: not step.target.endswith(f"/{admin}"))
    before = state.permissions.get(INVITE_ANYWHERE, [])
    lent = sorted({*before, "admin"})
    needed = any(isinstance(step, Action) for step in steps) and "admin" not in before
    if needed:
        yield Action("permission", INVITE_ANYWHERE, before, lent)
    yield from ordered
    if needed:
        yield Action("permission", INVITE_ANYWHERE, lent, before)


def _members(  # noqa: PLR0913 - two of them are options
    channel: Channel, room: Room, contract: Contract, state: State, *, rooms_only: bool, prune: bool
) -> Steps:
    for user in contract.users:
        account = state.account(user.username)
        belongs, target = channel.name in user.channels, f"{channel.name}/{user.username}"
        if account is not None:
            inside = state.inside(room, account.username)
            # Somebody who goes private with the room has been let in before.
            joined = channel.private and not room.private and contract.is_administrator(user.username)
            # The administrator makes the rooms and invites, whatever a role on the site says.
            kept = inside and contract.is_administrator(user.username)
            yield from _membership(target, inside or joined, belongs or kept, prune=prune)
        elif belongs and rooms_only:
            yield Notice("user-missing", target, f"there is no account {user.username!r} to invite")
        elif belongs and not room.default:
            # A default channel needs none: accounts join it when they are made.
            yield Action("membership", target, False, True)


def _membership(target: str, inside: bool, belongs: bool, *, prune: bool) -> Steps:
    if belongs != inside and (belongs or prune):
        yield Action("membership", target, inside, belongs)
    elif inside and not belongs:
        text = "is a member and should not be; --prune removes it"
        yield Notice("member-too-many", target, text, blocking=True)


def _twins(contract: Contract, state: State, found: dict[str, Room | None]) -> Steps:
    """Rooms that look like a second one: gone if nobody and nothing is in them, else a person's to judge."""
    used = {room.id for room in found.values() if room}
    seen = set()
    for channel in contract.channels:
        for room in _alike(channel, contract, state):
            if room.id in used or room.id in seen:
                continue
            seen.add(room.id)
            if room.hollow:
                why = f"it looks like a second {channel.name!r}, and nobody and nothing is in it"
                yield Action("room-gone", room.name, {"private": room.private}, None, why=why)
                continue
            text = (
                f"looks like a second {channel.name!r} and is not empty: move what is worth keeping, then "
                "delete one of the two, or rename it so that it is told apart"
            )
            yield Notice("room-twin", room.name, text, blocking=True)


def _alike(channel: Channel, contract: Contract, state: State) -> list[Room]:
    """Rooms of no channel's name that look like it: `vip-chat`, `vip_1`, `VIP`, or of the same label."""
    names = {known.name for known in contract.channels}
    labels = {channel.name, channel.label}
    return [
        room
        for room in state.rooms.values()
        if room.name not in names
        and (is_twin(room.name, channel.name) or room.label in labels)
        and room.id != _BUILT_IN
    ]
