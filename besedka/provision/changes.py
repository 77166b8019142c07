"""How each kind of action is done and undone; the two stand side by side.

An undo changes only what is still as the action left it: what somebody else has changed since stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from besedka.provision import second_administrator
from besedka.provision.action import Action
from besedka.provision.errors import LicenceMissingError, ReservedNameError
from besedka.provision.session import Session
from besedka.provision.state import Account, Room, State
from besedka.rocketchat.rest import Json, RocketChatError

_NEW_USER = {
    "verified": True,
    "joinDefaultChannels": True,
    "requirePasswordChange": False,
    "sendWelcomeEmail": False,
}


class Undone(Enum):
    """What became of an undo."""

    RESTORED = "restored"
    ALREADY = "was as before already"
    LEFT = "changed by somebody else since, left alone"


@dataclass
class Place:
    """Where changes happen: the session, and the state kept in step with them."""

    session: Session
    state: State


def do(place: Place, action: Action) -> Json:
    """Carry the action out; returns what was made, e.g. `{"id": …}`, for the journal."""
    return _KINDS[action.kind][0](place, action) or {}


def undo(place: Place, action: Action) -> Undone:
    """Bring back what was before the action, whether or not it was carried out."""
    return _KINDS[action.kind][1](place, action)


def _do_setting(place: Place, action: Action) -> None:
    place.session.post(f"settings/{action.target}", value=action.after)
    place.state.settings[action.target] = action.after


def _undo_setting(place: Place, action: Action) -> Undone:
    # A row that came with the provider goes with it.
    if action.before is None or place.state.holds(action.target, action.before):
        return Undone.ALREADY
    if not place.state.holds(action.target, action.after):
        return Undone.LEFT
    _do_setting(place, replace(action, after=action.before))
    return Undone.RESTORED


def _do_provider(place: Place, action: Action) -> None:
    try:
        place.session.post("settings.addCustomOAuth", name=action.target)
    except RocketChatError as error:
        if error.code != "error-action-not-allowed":
            raise
        raise LicenceMissingError(
            f"Rocket.Chat refuses to add Custom OAuth {action.target!r}",
            expected="a version below 9.0, or the licence module oauth-enterprise",
            where="POST /api/v1/settings.addCustomOAuth",
            next_step="use 8.x or older, or a licence: Custom OAuth is Premium from 9.0 on",
        ) from error
    place.state.settings |= {_base(action): False}


def _undo_provider(place: Place, action: Action) -> Undone:
    rows = [name for name in place.state.settings if name.startswith(_base(action))]
    if not rows:
        return Undone.ALREADY
    place.session.method("removeOAuthService", action.target)
    for name in rows:
        del place.state.settings[name]
    return Undone.RESTORED


def _base(action: Action) -> str:
    return f"Accounts_OAuth_Custom-{action.target.capitalize()}"


def _do_user(place: Place, action: Action) -> Json:
    # Nobody will know this password: the account is signed in to by SSO, which adopts it by its name.
    # The tail satisfies every class that Accounts_Password_Policy may demand.
    password = f"{secrets.token_hex(16)}-Aa1"
    body = {"username": action.target, "password": password} | _NEW_USER | action.after
    try:
        answer = place.session.post("users.create", **body)
    except RocketChatError as error:
        if error.code not in {"error-field-unavailable", "error-blocked-username"}:
            raise
        raise ReservedNameError(
            f"Rocket.Chat reserves the name {action.target!r} and makes no account of it",
            expected="a name outside Accounts_SystemBlockedUsernameList and Accounts_BlockedUsernameList",
            where="POST /api/v1/users.create",
            next_step="let this user sign in to the chat once (SSO makes the account) and apply again, or "
            "start Rocket.Chat with OVERWRITE_SETTING_Accounts_SystemBlockedUsernameList without the name",
        ) from error
    account = Account.of(answer["user"])
    place.state.add(account)
    for room in place.state.rooms.values():
        members = place.state.members.get(room.id)
        if room.default and members is not None:
            members.add(account.username)
    return {"id": account.id}


def _undo_user(place: Place, action: Action) -> Undone:
    account = place.state.account(action.target)
    if account is None:
        return Undone.ALREADY
    place.session.post("users.delete", userId=account.id, confirmRelinquish=True)
    del place.state.accounts[action.target.lower()]
    for members in place.state.members.values():
        if members is not None:
            members.discard(account.username)
    return Undone.RESTORED


def _do_account(place: Place, action: Action) -> None:
    account = place.state.accounts[action.target.lower()]
    place.session.post("users.update", userId=account.id, data=action.after)
    changed: dict[str, Any] = {
        name: tuple(value) if name == "roles" else value for name, value in action.after.items()
    }
    place.state.accounts[action.target.lower()] = replace(account, **changed)


def _do_own_address(place: Place, action: Action) -> None:
    account = place.state.accounts[action.target.lower()]
    left_over = place.state.account(second_administrator.NAME)
    domain = (action.after.get("email") or account.email).rpartition("@")[2]
    with second_administrator.borrowed(
        place.session, domain=domain, left_over=left_over.id if left_over else None
    ) as second:
        second.post("users.update", userId=account.id, data=action.after)
    place.state.accounts.pop(second_administrator.NAME, None)
    place.state.accounts[action.target.lower()] = replace(account, **action.after)


def _undo_account(place: Place, action: Action) -> Undone:
    account = place.state.account(action.target)
    if account is None:
        return Undone.LEFT
    values = {name: getattr(account, name) for name in action.after}
    present = {name: sorted(value) if name == "roles" else value for name, value in values.items()}
    if present == action.before:
        return Undone.ALREADY
    if present != action.after:
        return Undone.LEFT
    _KINDS[action.kind][0](place, replace(action, after=action.before))
    return Undone.RESTORED


def _do_room(place: Place, action: Action) -> Json:
    family, key = ("groups", "group") if action.after["private"] else ("channels", "channel")
    members = [name for name in action.after["members"] if place.state.account(name)]
    answer = place.session.post(f"{family}.create", name=action.target, members=members)
    room = Room.of({"t": "p" if action.after["private"] else "c"} | answer[key])
    place.state.rooms[room.name] = room
    place.state.members[room.id] = {place.session.username, *members}
    return {"id": room.id}


def _undo_room(place: Place, action: Action) -> Undone:
    room = place.state.rooms.get(action.target)
    if room is None:
        return Undone.ALREADY
    place.session.post(f"{room.family}.delete", roomId=room.id)
    del place.state.rooms[action.target]
    return Undone.RESTORED


def _do_room_field(place: Place, action: Action) -> None:
    room = place.state.rooms[action.target]
    ((name, value),) = action.after.items()
    post = place.session.post
    if name == "name":
        post(f"{room.family}.rename", roomId=room.id, name=value)
    elif name == "archived":
        post(f"{room.family}.{'archive' if value else 'unarchive'}", roomId=room.id)
    elif name == "private":
        post(f"{room.family}.setType", roomId=room.id, type="p" if value else "c")
    elif room.private:
        # Private rooms have no setDefault of their own.
        post("rooms.saveRoomSettings", rid=room.id, default=value)
    else:
        post("channels.setDefault", roomId=room.id, default=value)
    changed = replace(room, **{name: value})
    del place.state.rooms[action.target]
    place.state.rooms[changed.name] = changed


def _undo_room_field(place: Place, action: Action) -> Undone:
    ((name, value),) = action.after.items()
    current = action.target if name != "name" else value
    room = place.state.rooms.get(current)
    if room is None or getattr(room, name) != value:
        return Undone.ALREADY
    _do_room_field(place, replace(action, target=current, after=action.before))
    return Undone.RESTORED


def _do_membership(place: Place, action: Action) -> None:
    room, account = _pair(place, action)
    if room is None or account is None:
        message = f"membership {action.target} names a room or an account that does not exist"
        raise KeyError(message)
    verb = "invite" if action.after else "kick"
    place.session.post(f"{room.family}.{verb}", roomId=room.id, userId=account.id)
    members = place.state.members.setdefault(room.id, set())
    if members is not None:
        (members.add if action.after else members.discard)(account.username)


def _undo_membership(place: Place, action: Action) -> Undone:
    room, account = _pair(place, action)
    members = place.state.members.get(room.id) if room else None
    if room is None or account is None or members is None:
        return Undone.ALREADY
    if (account.username in members) == action.before:
        return Undone.ALREADY
    _do_membership(place, replace(action, after=action.before))
    return Undone.RESTORED


def _pair(place: Place, action: Action) -> tuple[Room | None, Account | None]:
    room, _, username = action.target.partition("/")
    return place.state.rooms.get(room), place.state.account(username)


_KINDS: dict[str, tuple[Callable[[Place, Action], Any], Callable[[Place, Action], Undone]]] = {
    "setting": (_do_setting, _undo_setting),
    "provider": (_do_provider, _undo_provider),
    "user": (_do_user, _undo_user),
    "account": (_do_account, _undo_account),
    "own-address": (_do_own_address, _undo_account),
    "room": (_do_room, _undo_room),
    "room-field": (_do_room_field, _undo_room_field),
    "membership": (_do_membership, _undo_membership),
}
