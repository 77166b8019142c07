"""The plan: what differs between a Rocket.Chat and the contract.

The order of actions is the one that works: settings, provider (base switch last), users, rooms,
memberships, default channel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from besedka.contract import Channel, Contract, User
from besedka.names import is_twin
from besedka.provision import service
from besedka.provision.action import Action, Notice, Plan
from besedka.provision.errors import AccountClashError
from besedka.provision.state import Account, Room, State
from besedka.rocketchat import catalogue, provider

# Rocket.Chat makes this room at its first boot, and calls it general.
_BUILT_IN = "GENERAL"
# A row of a Custom OAuth service that the contract declares beside its own provider.
_CUSTOM = re.compile(r"Accounts_OAuth_Custom-([A-Z0-9_][a-z0-9_]*)")


@dataclass(frozen=True)
class Options:
    """How to provision.

    `rooms_only` leaves settings, provider and accounts alone. `prune` also removes canonical users from rooms
    that are not theirs; other members are nobody's business here. `patience` is how many seconds to wait for
    Rocket.Chat to answer, `confirmed_host` the host that somebody named as the one to write to.
    """

    rooms_only: bool = False
    prune: bool = False
    patience: float = 10.0
    confirmed_host: str | None = None


def made(contract: Contract, state: State, options: Options) -> Plan:
    """Compare `state` with the contract; raises AccountClashError before anything is done."""
    steps: list[Action | Notice] = []
    if not options.rooms_only:
        steps += [*_settings(contract, state), *_provider(contract, state), *_users(contract, state)]
    steps += [*_rooms(contract, state), *_memberships(contract, state, options)]
    steps += [*_default_flags(contract, state), *_twins(contract, state)]
    return Plan(
        tuple(step for step in steps if isinstance(step, Action)),
        tuple(step for step in steps if isinstance(step, Notice)),
    )


def _settings(contract: Contract, state: State) -> Iterator[Action | Notice]:
    known = set(state.settings)
    for name, value in contract.settings.items():
        custom = _CUSTOM.match(name)
        if custom and custom[0] not in known:
            known.add(custom[0])
            yield Action("provider", custom[1].lower(), None, True)
        if custom and not state.holds(name, value):
            yield Action("setting", name, state.settings.get(name), value, secret=name.endswith("-secret"))
        elif name not in state.settings:
            yield from _unlisted(name, state)
        elif not state.holds(name, value):
            yield Action("setting", name, state.settings[name], value)


def _unlisted(name: str, state: State) -> Iterator[Notice]:
    """REST does not list it. A hidden one is set by OVERWRITE_SETTING_<id> at boot and in no other way."""
    known = catalogue.for_version(state.version).setting(name)
    if known is None or not known.hidden:
        yield Notice("setting-unknown", name, "this Rocket.Chat has no such setting; it was not written")


def _provider(contract: Contract, state: State) -> Iterator[Action | Notice]:
    base = provider.base_id(contract.provider)
    exists = base in state.settings
    changes = []
    for name, value in provider.settings(contract).items():
        if exists and name not in state.settings:
            text = "the provider's row is missing; remove the provider in the admin pages and apply again"
            yield Notice("provider-row-missing", name, text)
        elif not state.holds(name, value):
            changes.append(
                Action("setting", name, state.settings.get(name), value, secret=name.endswith("-secret"))
            )
    if not exists:
        yield Action("provider", contract.provider.name, None, True)
    yield from changes
    if not changes and (problem := service.difference(contract, state.services)):
        yield Notice("provider-not-live", contract.provider.name, problem)
    lower = f"Accounts_OAuth_Custom-{contract.provider.name}"
    # A name that begins with a digit or with `_` has no capital of its own.
    stray = [name for name in state.settings if lower != base and name.startswith(lower)]
    for name in sorted(stray):
        text = "a row under a lower-case name makes Rocket.Chat remove the service; delete it from Mongo"
        yield Notice("provider-lower-case", name, text)


def _users(contract: Contract, state: State) -> Iterator[Action]:
    for user in contract.users:
        holder = state.addresses.get(user.email.lower())
        if holder is not None and holder.lower() != user.username.lower():
            raise AccountClashError(
                f"e-mail {user.email} of canonical user {user.username!r} belongs to account {holder!r}",
                expected=f"no account but {user.username!r} with that address",
                where="Administration → Workspace → Users",
                next_step=f"change the address of {holder!r} or delete that account; nothing was changed",
            )
        account = state.account(user.username)
        if account is None:
            after = {"name": user.full_name, "email": user.email, "roles": list(user.chat_roles)}
            yield Action("user", user.username, None, after)
        elif repair := _repair(user, account):
            yield Action("account", user.username, {name: _field(account, name) for name in repair}, repair)


def _repair(user: User, account: Account) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": user.full_name,
        "email": user.email if account.email.lower() != user.email.lower() else account.email,
        "verified": True,
        "roles": sorted({*account.roles, *user.chat_roles}),
        "active": True,
    }
    repair = {name: value for name, value in wanted.items() if _field(account, name) != value}
    # Rocket.Chat marks a new address as it is told in the same call.
    return repair | ({"verified": True} if "email" in repair else {})


def _field(account: Account, name: str) -> Any:
    value = getattr(account, name)
    return sorted(value) if name == "roles" else value


def _present(contract: Contract, state: State) -> dict[str, Room]:
    """Channel → its room. Rocket.Chat's first room becomes a default one that is missing, if it is free."""
    found = {one.name: state.rooms[one.name] for one in contract.channels if one.name in state.rooms}
    built_in = state.room_by_id(_BUILT_IN)
    lacking = [one.name for one in contract.default_channels if one.name not in found]
    if lacking and built_in and built_in not in found.values():
        found[lacking[0]] = built_in
    return found


def _rooms(contract: Contract, state: State) -> Iterator[Action]:
    present = _present(contract, state)
    for channel in contract.channels:
        room = present.get(channel.name)
        if room is None:
            yield Action("room", channel.name, None, _new_room(contract, channel))
            continue
        if room.name != channel.name:
            yield Action("room-field", room.name, {"name": room.name}, {"name": channel.name})
        if room.archived:
            yield Action("room-field", channel.name, {"archived": True}, {"archived": False})
        if room.private != channel.private:
            before, after = {"private": room.private}, {"private": channel.private}
            yield Action("room-field", channel.name, before, after)
        if channel.fname and room.label != channel.fname:
            yield Action("room-field", channel.name, {"label": room.label}, {"label": channel.fname})


def _new_room(contract: Contract, channel: Channel) -> dict[str, Any]:
    members = [user.username for user, theirs in contract.subscriptions if theirs == channel]
    creator = contract.chat.admin.username
    others = [name for name in members if name != creator]
    shown = {"label": channel.fname} if channel.fname else {}
    return {"private": channel.private, "members": others} | shown


def _default_flags(contract: Contract, state: State) -> Iterator[Action]:
    present = _present(contract, state)
    for channel in contract.channels:
        room = present.get(channel.name)
        if (room.default if room else False) != channel.default:
            yield Action(
                "room-field", channel.name, {"default": not channel.default}, {"default": channel.default}
            )


def _memberships(contract: Contract, state: State, options: Options) -> Iterator[Action | Notice]:
    for channel in contract.channels:
        room = state.rooms.get(channel.name)
        if room is None:
            continue
        members = state.members.get(room.id)
        if members is None or (room.private and contract.chat.admin.username not in members):
            text = (
                "the administrator is no member, so REST can neither show nor change it; let a member invite"
            )
            yield Notice("room-out-of-reach", channel.name, f"{text} {contract.chat.admin.username!r}")
            continue
        for user in contract.users:
            account = state.account(user.username)
            belongs, target = channel.name in user.channels, f"{channel.name}/{user.username}"
            if account is not None:
                yield from _membership(target, account.username in members, belongs, options)
            elif belongs and options.rooms_only:
                yield Notice("user-missing", target, f"there is no account {user.username!r} to invite")
            elif belongs and not room.default:
                # A default channel needs none: accounts join it when they are made.
                yield Action("membership", target, False, True)


def _membership(target: str, inside: bool, belongs: bool, options: Options) -> Iterator[Action | Notice]:
    if belongs != inside and (belongs or options.prune):
        yield Action("membership", target, inside, belongs)
    elif inside and not belongs:
        yield Notice("member-too-many", target, "is a member and should not be; --prune removes it")


def _twins(contract: Contract, state: State) -> Iterator[Notice]:
    """Rooms that look like a second one: `vip-chat`, `vip_1`, `VIP` beside `vip`, or of the same label."""
    names = {channel.name for channel in contract.channels}
    for channel in contract.channels:
        for room in state.rooms.values():
            alike = is_twin(room.name, channel.name) or room.label == channel.label
            if alike and room.name not in names and room.id != _BUILT_IN:
                text = f"looks like a second {channel.name!r}; nothing was made or removed because of it"
                yield Notice("room-twin", room.name, text)
