"""How each kind of action is done and undone; the two stand side by side.

An undo changes only what is still as the action left it: what somebody else has changed since stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from besedka.contract import Contract
from besedka.errors import ContractError
from besedka.provision import second_administrator, service, setting, workspace
from besedka.provision.action import Action
from besedka.provision.errors import ReservedNameError
from besedka.provision.plan import Beside
from besedka.provision.session import Session
from besedka.provision.state import Account, Room, State
from besedka.rocketchat import passwords, provider
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
    LEFT = "left alone"


@dataclass
class Place:
    """Where changes happen: the session, what is beside it, and the state kept in step with them."""

    session: Session
    state: State
    contract: Contract
    beside: Beside = field(default_factory=Beside)


def do(place: Place, action: Action) -> Json:
    """Carry the action out; returns what was made, e.g. `{"id": …}`, for the journal."""
    made = _KINDS[action.kind][0](place, action)
    return made if isinstance(made, dict) else {}


def undo(place: Place, action: Action, made: Json) -> Undone:
    """Bring back what was before the action, whether or not it was carried out.

    `made` is what `do` returned, empty where nobody knows whether it was done.
    """
    own_id = made.get("id")
    if own_id is not None and own_id != _id_of(place, action):
        # What the apply made is gone; what has its name now is somebody else's.
        return Undone.ALREADY if _id_of(place, action) is None else Undone.LEFT
    return _KINDS[action.kind][1](place, action)


def words(action: Action) -> str:
    """What taking the action back does, in words."""
    kind, target = action.kind, action.target
    if action.before is None:
        made = {
            "user": f"account {target} deleted, with what was written from it",
            "room": f"room {target} deleted, with the messages in it",
            "provider": f"provider {target} removed",
            "document": f"document {target} removed",
        }
        return made.get(kind, f"{kind} {target} taken away")
    if kind == "membership":
        room, _, username = target.partition("/")
        return f"{username} {'invited into' if action.before else 'removed from'} {room}"
    if action.after is None:
        return f"{kind} {target} made again"
    shown = replace(action, before=action.after, after=action.before, why="").text()
    return shown if not action.why else f"{kind} {target} set back to what was there"


def _id_of(place: Place, action: Action) -> str | None:
    """The id of what has the action's name now: the account's or the room's."""
    found = (
        place.state.account(action.target) if action.kind == "user" else place.state.rooms.get(action.target)
    )
    return found.id if found else None


def _do_setting(place: Place, action: Action) -> None:
    setting.write(place.session, place.state.version, action.target, action.after)
    place.state.settings[action.target] = action.after


def _undo_setting(place: Place, action: Action) -> Undone:
    place.state.settings |= setting.held(place.beside.documents, place.state.version, action.target)
    # A row that came with the provider goes with it.
    if action.before is None or place.state.holds(action.target, action.before):
        return Undone.ALREADY
    if not place.state.holds(action.target, action.after):
        return Undone.LEFT
    _do_setting(place, replace(action, after=action.before))
    return Undone.RESTORED


def _do_provider(place: Place, action: Action) -> None:
    if action.after is None:
        _remove_provider(place, action.target)
        return
    rows = provider.settings(place.contract) if action.target == place.contract.provider.name else {}
    service.add(place.session, action.target, _base(action), rows, place.beside.documents)
    place.state.settings |= {_base(action): False}


def _undo_provider(place: Place, action: Action) -> Undone:
    base = _base(action)
    present = base in place.state.settings
    if present and action.before is not None:
        # At most the switch is off: a removal that was refused.
        return _undo_setting(place, Action("setting", base, action.before.get(base), False))
    if not present and action.before is None:
        return Undone.ALREADY
    if present:
        _remove_provider(place, action.target)
        return Undone.RESTORED
    _do_provider(place, replace(action, before=None, after=True))
    for name, value in action.before.items():
        _do_setting(place, Action("setting", name, None, value))
    return Undone.RESTORED


def _remove_provider(place: Place, name: str) -> None:
    base = f"{provider.PREFIX}{name.capitalize()}"
    service.remove(place.session, name, base, place.beside.documents)
    for row in [row for row in place.state.settings if row == base or row.startswith(f"{base}-")]:
        del place.state.settings[row]


def _base(action: Action) -> str:
    return f"{provider.PREFIX}{action.target.capitalize()}"


def _do_service(place: Place, action: Action) -> None:
    # Rocket.Chat makes its log-in service anew whenever one of the provider's settings is written.
    for value in (False, True):
        place.session.post(f"settings/{_base(action)}", value=value)


def _undo_service(place: Place, action: Action) -> Undone:
    return Undone.ALREADY


def _do_user(place: Place, action: Action) -> Json:
    # Nobody will know this password: the account is signed in to by SSO, which adopts it by its name.
    body = (
        {"username": action.target, "password": passwords.fitting(place.state.settings)}
        | _NEW_USER
        | action.after
    )
    try:
        answer = place.session.post("users.create", **body)
    except RocketChatError as error:
        if error.code not in {"error-field-unavailable", "error-blocked-username"}:
            raise
        raise ReservedNameError(
            f"Rocket.Chat reserves the name {action.target!r} and makes no account of it",
            expected="a name outside Accounts_SystemBlockedUsernameList and Accounts_BlockedUsernameList",
            where="POST /api/v1/users.create",
            next_step="let this user sign in to the chat once (SSO makes the account) and apply again; or "
            "start Rocket.Chat with OVERWRITE_SETTING_Accounts_SystemBlockedUsernameList without the name",
        ) from error
    account = Account.of(answer["user"])
    place.state.add(account)
    for room in place.state.rooms.values():
        if room.default:
            place.state.members.setdefault(room.id, set()).add(account.username)
    return {"id": account.id}


def _undo_user(place: Place, action: Action) -> Undone:
    account = place.state.account(action.target)
    if account is None:
        return Undone.ALREADY
    place.session.post("users.delete", userId=account.id, confirmRelinquish=True)
    del place.state.accounts[action.target.lower()]
    for members in place.state.members.values():
        members.discard(account.username)
    return Undone.RESTORED


def _do_account(place: Place, action: Action) -> None:
    account = place.state.accounts[action.target.lower()]
    if "password" in action.after:
        # Nobody will know it: it only makes the account one that can be signed in to.
        place.session.post(
            "users.update", userId=account.id, data={"password": passwords.fitting(place.state.settings)}
        )
        return
    place.session.post("users.update", userId=account.id, data=action.after)
    changed: dict[str, Any] = {
        name: tuple(value) if name == "roles" else value for name, value in action.after.items()
    }
    place.state.accounts[action.target.lower()] = replace(account, **changed)


def _undo_account(place: Place, action: Action) -> Undone:
    second_administrator.remove(place)
    account = place.state.account(action.target)
    if account is None or "password" in action.after:
        return Undone.LEFT if account is None else Undone.ALREADY
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
    shown = action.after.get("label", action.target)
    answer = place.session.post(f"{family}.create", name=shown, members=members)
    made = answer.get(key) or {"_id": "", "name": action.target}
    room = Room.of({"t": "p" if action.after["private"] else "c"} | made)
    if room.name != action.target:
        place.session.post("rooms.delete", roomId=room.id)
        raise ContractError(
            f"Rocket.Chat makes the name {room.name!r} of the text {shown!r}",
            expected=repr(action.target),
            where="name and fname in [[channels]] of besedka.toml",
            next_step=f"call the room {room.name!r} in besedka.toml",
        )
    place.state.rooms[room.name] = room
    place.state.members[room.id] = {place.session.username, *members}
    return {"id": room.id}


def _undo_room(place: Place, action: Action) -> Undone:
    room = place.state.rooms.get(action.target)
    if room is None:
        return Undone.ALREADY
    place.session.post("rooms.delete", roomId=room.id)
    del place.state.rooms[action.target]
    return Undone.RESTORED


def _undo_room_gone(place: Place, action: Action) -> Undone:
    if action.target in place.state.rooms:
        return Undone.ALREADY
    _do_room(place, replace(action, before=None, after=action.before | {"members": []}))
    return Undone.RESTORED


def _do_room_field(place: Place, action: Action) -> None:
    room = place.state.rooms[action.target]
    ((name, value),) = action.after.items()
    if name == "archived":
        verb = "archive" if value else "unarchive"
        place.session.post(f"{room.family}.{verb}", roomId=room.id)
    elif name == "muted":
        for username in {*action.before["muted"]} ^ {*value}:
            verb = "muteUser" if username in value else "unmuteUser"
            place.session.post(f"rooms.{verb}", roomId=room.id, username=username)
    else:
        # This call takes an administrator who is no member of the room, too (measured on 6.13.0).
        setting, given = _ROOM_SETTINGS[name], value
        if name == "private":
            given = "p" if value else "c"
        elif name == "join_code":
            given = secrets.token_hex(8) if value else ""
        place.session.post("rooms.saveRoomSettings", rid=room.id, **{setting: given})
    after = tuple(value) if name == "muted" else value
    changed: dict[str, Any] = {name: after}
    del place.state.rooms[action.target]
    room = replace(room, **changed)
    place.state.rooms[room.name] = room


def _undo_room_field(place: Place, action: Action) -> Undone:
    ((name, value),) = action.after.items()
    current = action.target if name != "name" else value
    room = place.state.rooms.get(current)
    if room is None or name == "join_code":
        # The code that was there is known to nobody.
        return Undone.ALREADY if room is None else Undone.LEFT
    present = getattr(room, name)
    if present != value and (name != "muted" or {*present} & {*action.before["muted"]}):
        return Undone.ALREADY
    _do_room_field(place, replace(action, target=current, before=action.after, after=action.before))
    return Undone.RESTORED


def _do_permission(place: Place, action: Action) -> None:
    rows = [{"_id": action.target, "roles": action.after}]
    place.session.post("permissions.update", permissions=rows)
    place.state.permissions[action.target] = action.after


def _undo_permission(place: Place, action: Action) -> Undone:
    if sorted(place.state.permissions.get(action.target, [])) != sorted(action.after):
        return Undone.ALREADY
    _do_permission(place, replace(action, after=action.before))
    return Undone.RESTORED


def _do_membership(place: Place, action: Action) -> None:
    room, account = _pair(place, action)
    if room is None or account is None:
        raise KeyError(action.target)
    verb = "invite" if action.after else "kick"
    place.session.post(f"{room.family}.{verb}", roomId=room.id, userId=account.id)
    members = place.state.members.setdefault(room.id, set())
    (members.add if action.after else members.discard)(account.username)


def _undo_membership(place: Place, action: Action) -> Undone:
    room, account = _pair(place, action)
    if room is None or account is None or place.state.inside(room, account.username) == action.before:
        return Undone.ALREADY
    _do_membership(place, replace(action, after=action.before))
    return Undone.RESTORED


def _do_document(place: Place, action: Action) -> None:
    documents = place.beside.documents
    if documents and not place.session.dry:
        documents.change(action.target, action.before, action.after)
    place.session.writes += 1


def _undo_document(place: Place, action: Action) -> Undone:
    documents = place.beside.documents
    if documents is None:
        return Undone.LEFT
    if documents.holds(action.target, action.before):
        return Undone.ALREADY
    if not documents.holds(action.target, action.after):
        return Undone.LEFT
    _do_document(place, replace(action, before=action.after, after=action.before))
    return Undone.RESTORED


def _do_site(place: Place, action: Action) -> None:
    if place.beside.site:
        place.beside.site.mend(place.contract, action.target)
    place.session.writes += 1


def _undo_site(place: Place, action: Action) -> Undone:
    return Undone.LEFT


def _pair(place: Place, action: Action) -> tuple[Room | None, Account | None]:
    room, _, username = action.target.partition("/")
    return place.state.rooms.get(room), place.state.account(username)


# Field of `state.Room` → parameter of `rooms.saveRoomSettings`.
_ROOM_SETTINGS = {
    "name": "roomName",
    "label": "roomName",
    "private": "roomType",
    "default": "default",
    "read_only": "readOnly",
    "join_code": "joinCode",
}
_KINDS: dict[str, tuple[Callable[[Place, Action], Any], Callable[[Place, Action], Undone]]] = {
    "setting": (_do_setting, _undo_setting),
    "provider": (_do_provider, _undo_provider),
    "service": (_do_service, _undo_service),
    "user": (_do_user, _undo_user),
    "account": (_do_account, _undo_account),
    "own-address": (second_administrator.change, _undo_account),
    "room": (_do_room, _undo_room),
    "room-gone": (_undo_room, _undo_room_gone),
    "room-field": (_do_room_field, _undo_room_field),
    "permission": (_do_permission, _undo_permission),
    "membership": (_do_membership, _undo_membership),
    "document": (_do_document, _undo_document),
    "site": (_do_site, _undo_site),
    "workspace": (workspace.confirm, _undo_service),
}
