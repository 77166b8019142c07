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
from besedka.provision import service
from besedka.provision.action import Action, Kind, Notice, Plan
from besedka.provision.errors import AccountClashError
from besedka.provision.state import Account, State
from besedka.rocketchat import catalogue, provider

# What nobody may set on himself, see second_administrator.py.
_OWN_ADDRESS: tuple[str, ...] = ("email", "verified")


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
    for name, value in contract.settings.items():
        if name not in state.settings:
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
    for name in sorted(name for name in state.settings if name.startswith(lower)):
        text = "a row under a lower-case name makes Rocket.Chat remove the service; delete it from Mongo"
        yield Notice("provider-lower-case", name, text)


def _users(contract: Contract, state: State) -> Iterator[Action]:
    for user in contract.users:
        holder = state.addresses.get(user.email.lower())
        if holder is not None and holder.lower() != user.username:
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
            continue
        repair = _repair(user, account)
        if user.username == contract.chat.admin.username:
            own = {name: repair.pop(name) for name in _OWN_ADDRESS if name in repair}
            yield from _change("own-address", account, user, own)
        yield from _change("account", account, user, repair)


def _change(kind: Kind, account: Account, user: User, wanted: dict[str, Any]) -> Iterator[Action]:
    if wanted:
        yield Action(kind, user.username, {name: _field(account, name) for name in wanted}, wanted)


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


def _rooms(contract: Contract, state: State) -> Iterator[Action]:
    for channel in contract.channels:
        room = state.rooms.get(channel.name)
        renamed = state.room_by_id("GENERAL") if channel.default and room is None else None
        if room is None and renamed is None:
            yield Action("room", channel.name, None, _new_room(contract, channel))
            continue
        if renamed:
            yield Action("room-field", renamed.name, {"name": renamed.name}, {"name": channel.name})
        present = room or renamed
        if present and present.archived:
            yield Action("room-field", channel.name, {"archived": True}, {"archived": False})
        if present and present.private != channel.private:
            before, after = {"private": present.private}, {"private": channel.private}
            yield Action("room-field", channel.name, before, after)


def _new_room(contract: Contract, channel: Channel) -> dict[str, Any]:
    members = [user.username for user, theirs in contract.subscriptions if theirs == channel]
    creator = contract.chat.admin.username
    return {"private": channel.private, "members": [name for name in members if name != creator]}


def _default_flags(contract: Contract, state: State) -> Iterator[Action]:
    for channel in contract.channels:
        room = state.rooms.get(channel.name)
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
        pattern = re.compile(
            rf"{re.escape(channel.name)}([-_.]?(chat|room|channel|\d+|[-_.].*))?", re.IGNORECASE
        )
        for room in state.rooms.values():
            alike = pattern.fullmatch(room.name) or room.label == channel.label
            if alike and room.name not in names and not (channel.default and room.id == "GENERAL"):
                text = f"looks like a second {channel.name!r}; nothing was made or removed because of it"
                yield Notice("room-twin", room.name, text)
