"""The DDP methods that a web client calls: lists to start with, rooms, messages, presence.

The `*/get` methods answer an array when called without a date and `{update, remove}` with one
(`server/publications/*`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from standins.rocketchat.access import can_access, find_room, public_room, room_by_id, subscription_of
from standins.rocketchat.documents import random_id
from standins.rocketchat.envelope import PlainError
from standins.rocketchat.messages import mark_read, readable_history, send_message
from standins.rocketchat.parameters import match, me
from standins.rocketchat.permissions import has_permission
from standins.rocketchat.presence import STATUSES, choose_status
from standins.rocketchat.registry import Call, Document, RocketError, method
from standins.rocketchat.rooms import join_room, leave_room

Rows = list[Document]


def since(rows: Rows, updated_at: Any) -> Rows | Document:
    """All rows, or for a client that has a copy those changed after its date."""
    if not isinstance(updated_at, datetime):
        return rows
    fresh = [row for row in rows if row.get("_updatedAt") is None or row["_updatedAt"] > updated_at]
    return {"update": fresh, "remove": []}


@method("public-settings/get", anonymous=True)
async def public_settings(call: Call, updated_at: Any = None, *_: Any) -> Any:
    return since(call.server.settings.public_rows(), updated_at)


@method("private-settings/get", anonymous=True)
async def private_settings(call: Call, updated_at: Any = None, *_: Any) -> Any:
    if not await has_permission(call.server, call.user, "view-privileged-setting"):
        return since([], updated_at)
    return since(call.server.settings.private_rows(), updated_at)


@method("permissions/get", anonymous=True)
async def permissions(call: Call, updated_at: Any = None, *_: Any) -> Any:
    return since(list(call.server.permissions.rows.values()), updated_at)


@method("subscriptions/get", anonymous=True)
async def subscriptions(call: Call, updated_at: Any = None, *_: Any) -> Any:
    query = {"u._id": call.uid if call.user else None}
    return since(await call.server.db["rocketchat_subscription"].find(query).to_list(), updated_at)


@method("rooms/get", anonymous=True)
async def rooms(call: Call, updated_at: Any = None, *_: Any) -> Any:
    query: Document = {"t": "c", "default": True}
    if call.user is not None:
        mine = call.server.db["rocketchat_subscription"].find({"u._id": call.uid}, {"rid": 1})
        query = {"_id": {"$in": [row["rid"] async for row in mine]}}
    elif not call.server.settings.get("Accounts_AllowAnonymousRead"):
        return since([], updated_at)
    found = await call.server.db["rocketchat_room"].find(query).to_list()
    return since([public_room(room) for room in found], updated_at)


def _constant(name: str, value: Any) -> None:
    @method(name, anonymous=True)
    async def constant(_call: Call, *_: Any) -> Any:
        return value


# A community workspace without custom statuses, sounds or translations, as seen by the client. Presence is
# worked out from the sockets that are open, so that the client's own reports change nothing.
for _name, _value in (
    ("license:isEnterprise", False),
    ("license:hasLicense", False),
    ("license:getModules", []),
    ("loadLocale", {}),
    ("listCustomUserStatus", []),
    ("listCustomSounds", []),
    ("UserPresence:setDefaultStatus", None),
    ("UserPresence:ping", None),
    ("UserPresence:connect", None),
    ("UserPresence:online", None),
    ("UserPresence:away", None),
):
    _constant(_name, _value)


@method("getUserRoles", anonymous=True)
async def user_roles(call: Call, *_: Any) -> Rows:
    """Who holds a role that is shown beside names."""
    shown = {"roles": {"$in": ["admin", "moderator", "bot"]}}
    return await call.server.db["users"].find(shown, {"username": 1, "roles": 1}).to_list()


async def _readable(call: Call, room: Document | None, name: str) -> Document:
    if room is None:
        raise RocketError("error-invalid-room", "Invalid room", {"method": name})
    if not await can_access(call.server, call.user, room):
        code, reason = ("error-no-permission", "No permission") if call.user else ("error-invalid-user", "")
        raise RocketError(code, reason or "Invalid user", {"method": name})
    return public_room(room)


@method("getRoomByTypeAndName", anonymous=True)
async def room_by_type_and_name(call: Call, kind: Any = None, name: Any = None, *_: Any) -> Document:
    """A room by type and by name or id; a refusal is what a client shows as "Room not found"."""
    match((kind, str), (name, str))
    room = await find_room(call.server, name, kind)
    if kind == "d" and room is None and call.user:
        names = {"t": "d", "usernames": {"$all": [name, call.user["username"]]}}
        room = await call.server.db["rocketchat_room"].find_one(names)
    return await _readable(call, room, "getRoomByTypeAndName")


@method("getRoomById")
async def get_room_by_id(call: Call, rid: Any = None, *_: Any) -> Document:
    return await _readable(call, await room_by_id(call.server, rid), "getRoomNameById")


@method("getRoomIdByNameOrId")
async def room_id_by_name_or_id(call: Call, key: Any = None, *_: Any) -> str:
    match((key, str))
    room = await _readable(call, await find_room(call.server, key), "getRoomIdByNameOrId")
    return str(room["_id"])


def _moment(value: Any) -> datetime | None:
    """A date as DDP has it, or as the ISO text that clients send for `ls`; None for anything else."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError):
            return None
    return value if isinstance(value, datetime) else None


@method("loadHistory", anonymous=True)
async def load_history(
    call: Call, rid: Any = None, end: Any = None, limit: Any = 20, last_seen: Any = None, *_: Any
) -> Any:
    """`{messages, firstUnread, unreadNotLoaded}`, newest first, or False to who may not read the room."""
    match((rid, str))
    room = await call.server.db["rocketchat_room"].find_one({"_id": rid})
    size = limit if isinstance(limit, int) and 0 < limit <= 1000 else 20
    times = {"latest": _moment(end), "last_seen": _moment(last_seen)}
    history = room and await readable_history(call.server, call.user, room, limit=size, **times)
    return history or False


@method("loadMissedMessages")
async def load_missed_messages(call: Call, rid: Any = None, start: Any = None, *_: Any) -> Any:
    match((rid, str), (start, datetime))
    room = await call.server.db["rocketchat_room"].find_one({"_id": rid})
    history = room and await readable_history(call.server, call.user, room, oldest=start, limit=50)
    return history["messages"] if history else False


@method("getRoomRoles", anonymous=True)
async def room_roles(call: Call, rid: Any = None, *_: Any) -> Rows:
    await _readable(call, await room_by_id(call.server, rid), "getRoomRoles")
    query = {"rid": rid, "roles": {"$in": ["owner", "moderator", "leader"]}}
    fields = {"rid": 1, "u": 1, "roles": 1}
    return await call.server.db["rocketchat_subscription"].find(query, fields).to_list()


@method("joinRoom")
async def join(call: Call, rid: Any = None, code: Any = None, *_: Any) -> bool:
    match((rid, str))
    await join_room(call.server, await room_by_id(call.server, rid), me(call), code)
    return True


@method("leaveRoom")
async def leave(call: Call, rid: Any = None, *_: Any) -> None:
    match((rid, str))
    await leave_room(call.server, await room_by_id(call.server, rid), me(call))


@method("sendMessage")
async def send(call: Call, message: Any = None, *_: Any) -> Document | None:
    """Write a message. As in Rocket.Chat, only error-not-allowed is an error to the caller.

    Any other refusal (read-only, archived, too long) is shown to the author as a message that only they
    see, and the method returns nothing (`app/lib/server/methods/sendMessage.ts`).
    """
    match((message, dict))
    match(*((message.get(name, ""), str) for name in ("_id", "rid", "msg")))
    try:
        return await send_message(call.server, me(call), message)
    except (RocketError, PlainError) as error:
        text = str(error.code) if isinstance(error, RocketError) else str(error)
        private = {"_id": random_id(), "rid": message.get("rid"), "ts": call.server.clock.now(), "msg": text}
        private |= {"u": {"_id": "rocket.cat", "username": "rocket.cat"}, "private": True, "groupable": False}
        call.server.hub.publish("stream-notify-user", f"{call.uid}/message", private)
        if text == "error-not-allowed":
            raise RocketError(text, "Not allowed", {"method": "sendMessage"}) from error
        return None


@method("readMessages")
async def read_messages(call: Call, rid: Any = None, *_: Any) -> None:
    await mark_read(call.server, me(call), rid)


@method("setUserStatus")
async def set_user_status(call: Call, status: Any = None, text: Any = None, *_: Any) -> None:
    match((status or "online", str), (text or "", str))
    if status and status not in STATUSES:
        raise RocketError("error-invalid-status", "Invalid status", {"method": "setUserStatus"})
    await choose_status(call.server, call.uid, status or me(call).get("status") or "online", text)


@method("stream-notify-room")
async def notify_room(call: Call, event: Any = None, name: Any = None, *args: Any) -> None:
    """Typing: passed on to the room if the name is the caller's own and they are in it; else nothing."""
    match((event, str))
    rid, _, kind = event.partition("/")
    field = "name" if call.server.settings.get("UI_Use_Real_Name") else "username"
    if kind not in {"typing", "user-activity"} or me(call).get(field) != name:
        return
    if await subscription_of(call.server, rid, call.uid) is not None:
        call.server.hub.publish("stream-notify-room", event, name, *args)
