"""The DDP methods that a web client calls: lists to start with, rooms, messages, presence.

The `*/get` methods answer an array when called without a date and `{update, remove}` with one
(`server/publications/*`).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from standins.rocketchat.access import (
    ROOM_ROLES,
    can_access,
    find_room,
    public_room,
    room_by_id,
    rooms_of,
    subscription_of,
    with_role,
)
from standins.rocketchat.documents import Document, random_id
from standins.rocketchat.errors import PlainError, RocketError, match, not_allowed
from standins.rocketchat.messages import mark_read, readable_history, send_message
from standins.rocketchat.parameters import parse_date
from standins.rocketchat.presence import STATUSES, choose_status
from standins.rocketchat.registry import Call, method, route
from standins.rocketchat.rooms import join_room, leave_room

Rows = list[Document]


def _changes(rows: Rows, since: datetime | None) -> Document:
    fresh = [row for row in rows if not since or "_updatedAt" not in row or row["_updatedAt"] > since]
    return {"update": fresh, "remove": []}


def collection(name: str, path: str = "") -> Callable[[Callable[[Call], Awaitable[Rows]]], None]:
    """Declare `<name>/get`: all rows, or for a client that has a copy those changed after its date.

    `path` is the REST route that answers the same (`updatedSince`), always in the second form.
    """

    def declare(rows_of: Callable[[Call], Awaitable[Rows]]) -> None:
        @method(f"{name}/get", anonymous=True)
        async def get(call: Call, updated_at: Any = None, *_: Any) -> Rows | Document:
            rows = await rows_of(call)
            return _changes(rows, updated_at) if isinstance(updated_at, datetime) else rows

        async def listed(call: Call) -> Document:
            return _changes(await rows_of(call), parse_date(call.query.get("updatedSince")))

        if path:
            route(path, "GET")(listed)

    return declare


@collection("public-settings")
async def public_settings(call: Call) -> Rows:
    return call.server.settings.public_rows()


@collection("private-settings")
async def private_settings(call: Call) -> Rows:
    return call.server.settings.private_rows() if await call.may("view-privileged-setting") else []


@collection("permissions", "permissions.listAll")
async def permissions(call: Call) -> Rows:
    return list((await call.server.permissions.stored()).values())


@collection("subscriptions", "subscriptions.get")
async def subscriptions(call: Call) -> Rows:
    return await call.server.subscriptions.find({"u._id": call.uid}).to_list() if call.user else []


@collection("rooms", "rooms.get")
async def my_rooms(call: Call) -> Rows:
    query: Document = {"t": "c", "default": True}
    if call.user is not None:
        query = {"_id": await rooms_of(call.server, call.uid)}
    elif not call.server.settings.get("Accounts_AllowAnonymousRead"):
        return []
    return [public_room(room) async for room in call.server.rooms.find(query)]


@method("loadLocale", anonymous=True)
async def load_locale(call: Call, language: Any = None, *_: Any) -> str:
    """moment's script, which the client runs (`server/methods/loadLocale.ts`); our own asks for none."""
    match((language, str))
    client = call.server.config.chat_client
    return client.locale(language) if client else ""


@method("getUserRoles", anonymous=True)
async def user_roles(call: Call, *_: Any) -> Rows:
    """Who holds a role that is shown beside names."""
    shown = {"roles": {"$in": ["admin", "moderator", "bot"]}}
    return await call.server.users.find(shown, {"username": 1, "roles": 1}).to_list()


async def _readable(call: Call, room: Document | None, name: str) -> Document:
    if room is None:
        raise RocketError("error-invalid-room", "Invalid room", {"method": name})
    if not await can_access(call.server, call.user, room):
        no_user, no_permission = (
            ("error-invalid-user", "Invalid user"),
            ("error-no-permission", "No permission"),
        )
        raise RocketError(*(no_permission if call.user else no_user), {"method": name})
    return public_room(room)


@method("getRoomByTypeAndName", anonymous=True)
async def room_by_type_and_name(call: Call, kind: Any = None, name: Any = None, *_: Any) -> Document:
    """A room by type and by name or id; a refusal is what a client shows as "Room not found"."""
    match((kind, str), (name, str))
    room = await find_room(call.server, name, kind)
    if kind == "d" and room is None and call.user:
        names = {"t": "d", "usernames": {"$all": [name, call.user["username"]]}}
        room = await call.server.rooms.find_one(names)
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
    """A date as DDP has it, or as the ISO text that clients send for `ls`; otherwise None."""
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
    size = limit if isinstance(limit, int) and 0 < limit <= 1000 else 20
    times = {"latest": _moment(end), "last_seen": _moment(last_seen)}
    return await _history(call, rid, limit=size, **times) or False


@method("loadMissedMessages")
async def load_missed_messages(call: Call, rid: Any = None, start: Any = None, *_: Any) -> Any:
    match((rid, str), (start, datetime))
    history = await _history(call, rid, oldest=start, limit=50)
    return history["messages"] if history else False


async def _history(call: Call, rid: str, **options: Any) -> Document | None:
    room = await call.server.rooms.find_one({"_id": rid})
    return await readable_history(call.server, call.user, room, **options) if room else None


@method("getRoomRoles", anonymous=True)
async def room_roles(call: Call, rid: Any = None, *_: Any) -> Rows:
    await _readable(call, await room_by_id(call.server, rid), "getRoomRoles")
    return await with_role(call.server, rid, ROOM_ROLES)


@method("joinRoom")
async def join(call: Call, rid: Any = None, code: Any = None, *_: Any) -> bool:
    match((rid, str))
    await join_room(call.server, await room_by_id(call.server, rid), call.me, code)
    return True


@method("leaveRoom")
async def leave(call: Call, rid: Any = None, *_: Any) -> None:
    match((rid, str))
    await leave_room(call.server, await room_by_id(call.server, rid), call.me)


@method("sendMessage")
async def send(call: Call, message: Any = None, *_: Any) -> Document | None:
    """Write a message. As in Rocket.Chat, only error-not-allowed is an error to the caller.

    Any other refusal (read-only, archived, too long) returns nothing. Its author alone sees a message about
    it (`app/lib/server/methods/sendMessage.ts`).
    """
    match((message, dict))
    match(*((message.get(name, ""), str) for name in ("_id", "rid", "msg")))
    try:
        return await send_message(call.server, call.me, message)
    except (RocketError, PlainError) as error:
        text = str(error.code) if isinstance(error, RocketError) else str(error)
        private = {"_id": random_id(), "rid": message.get("rid"), "ts": call.server.now(), "msg": text}
        private |= {"u": {"_id": "rocket.cat", "username": "rocket.cat"}, "private": True, "groupable": False}
        call.server.hub.publish("stream-notify-user", f"{call.uid}/message", private)
        if text == "error-not-allowed":
            raise not_allowed("sendMessage") from error
        return None


@method("readMessages")
async def read_messages(call: Call, rid: Any = None, *_: Any) -> None:
    await mark_read(call.server, call.me, rid)


@method("setUserStatus")
async def set_user_status(call: Call, status: Any = None, text: Any = None, *_: Any) -> None:
    match((status or "online", str), (text or "", str))
    if status and status not in STATUSES:
        raise RocketError("error-invalid-status", "Invalid status", {"method": "setUserStatus"})
    await choose_status(call.server, call.uid, status or call.me.get("status") or "online", text)


@method("stream-notify-room")
async def notify_room(call: Call, event: Any = None, name: Any = None, *args: Any) -> None:
    """Typing: passed on to the room if the name is the caller's own and they are in it; else nothing."""
    match((event, str))
    rid, _, kind = event.partition("/")
    field = "name" if call.server.settings.get("UI_Use_Real_Name") else "username"
    if kind not in {"typing", "user-activity"} or call.me.get(field) != name:
        return
    if await subscription_of(call.server, rid, call.uid) is not None:
        call.server.hub.publish("stream-notify-room", event, name, *args)
