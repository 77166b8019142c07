"""A person's own view of rooms: favourites, hidden and direct ones, what is unread, preferences.

Answers were read from a running 6.5.3; each function names the file that it follows.
"""

from typing import Any

from standins.rocketchat.access import change_subscription, room_by_id, subscription_of
from standins.rocketchat.accounts import push_user
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import PlainError, RocketError, match
from standins.rocketchat.messages import readable_history
from standins.rocketchat.parameters import listing, typed
from standins.rocketchat.registry import Call, method, route
from standins.rocketchat.rooms import room_or_direct

_MEMBER = dict.fromkeys(("username", "name", "status", "statusText", "utcOffset"), 1)
# Fields of a subscription by the words of `rooms.saveNotification` (`app/push-notifications/server/methods`).
_SWITCHES = {"disableNotifications", "muteGroupMentions", "hideUnreadStatus", "hideMentionStatus"}


def _mine(call: Call, rid: Any) -> Document:
    match((rid, str))
    return {"rid": rid, "u._id": call.uid}


@method("toggleFavorite")
async def favourite(call: Call, rid: Any = None, wanted: Any = None, *_: Any) -> int:
    """`server/methods/toggleFavorite.ts`."""
    now = await call.server.subscriptions.find_one(_mine(call, rid))
    if now is None:
        reason = "You must be part of a room to favorite it"
        raise RocketError("error-invalid-subscription", reason, {"method": "toggleFavorite"})
    marked = wanted if isinstance(wanted, bool) else not now.get("f")
    await change_subscription(call.server, _mine(call, rid), {"$set": {"f": marked}})
    return 1


@route("rooms.favorite", "POST")
async def rooms_favourite(call: Call) -> None:
    if "favorite" not in call.body:
        raise PlainError("The 'favorite' param is required")
    rid = typed(call.body).get("roomId")
    if rid is None:
        room = await call.server.rooms.find_one({"name": typed(call.body, "roomName")["roomName"]})
        rid = (await room_by_id(call.server, room and room["_id"]))["_id"]
    await favourite(call, rid, bool(call.body["favorite"]))


async def _open(call: Call, rid: Any, shown: bool) -> int:
    changed = await change_subscription(call.server, _mine(call, rid), {"$set": {"open": shown}})
    return int(changed is not None)


@method("hideRoom")
async def hide(call: Call, rid: Any = None, *_: Any) -> int:
    """`server/methods/hideRoom.ts`: how many subscriptions were changed."""
    return await _open(call, rid, False)


@method("openRoom")
async def show(call: Call, rid: Any = None, *_: Any) -> int:
    """`server/methods/openRoom.ts`."""
    return await _open(call, rid, True)


def _close(path: str) -> None:
    @route(path, "POST")
    async def close(call: Call) -> None:
        if not await _open(call, typed(call.body, "roomId")["roomId"], False):
            raise PlainError("The user is not subscribed to the room")


for _family in ("channels", "groups", "im", "dm"):
    _close(f"{_family}.close")


@route("rooms.saveNotification", "POST")
async def save_notification(call: Call) -> None:
    """Switches come as the texts "1" and "0"."""
    body = typed(call.body, "roomId")
    given = body.get("notifications")
    if not isinstance(given, dict) or not given:
        raise PlainError("The 'notifications' param is required")
    fields = {name: value == "1" if name in _SWITCHES else value for name, value in given.items()}
    if any("." in name or name.startswith("$") for name in fields):
        raise RocketError("error-invalid-settings", "Invalid settings")
    await change_subscription(call.server, _mine(call, body["roomId"]), {"$set": fields})


async def _direct(call: Call, username: Any) -> Document:
    """`server/methods/createDirectMessage.ts`."""
    match((username, str))
    try:
        room = await room_or_direct(call.server, call.me, f"@{username}")
    except RocketError as error:
        raise RocketError("error-invalid-user", "Invalid user", {"method": "createDirectMessage"}) from error
    return {"t": "d", "rid": room["_id"], "usernames": room["usernames"]}


@method("createDirectMessage")
async def create_direct(call: Call, *usernames: Any) -> Document:
    return await _direct(call, usernames[0] if usernames else None)


@route("dm.create", "POST")
@route("im.create", "POST")
async def create_direct_by_rest(call: Call) -> Document:
    made = await _direct(call, typed(call.body, "username")["username"])
    return {"room": made | {"_id": made["rid"]}}


async def _direct_room(call: Call) -> Document:
    """`im.*`: the direct room that `roomId` or the other's `username` names, if the caller is in it."""
    query: Document = {"_id": call.query.get("roomId")}
    if "username" in call.query:
        query = {"t": "d", "usernames": {"$all": [call.query["username"], call.me["username"]]}}
    room = await call.server.rooms.find_one(query)
    if room is None or await subscription_of(call.server, room["_id"], call.uid) is None:
        reason = 'The required "roomId" or "username" param provided does not match any direct message'
        raise RocketError("error-room-not-found", reason)
    return room


@route("im.members", "GET")
async def direct_members(call: Call) -> Document:
    room = await _direct_room(call)
    query = {"_id": {"$in": room["uids"]}}
    return await listing(call, call.server.users, query, "members", [("username", -1)], _MEMBER)


@method("unreadMessages")
async def unread(call: Call, first: Any = None, rid: Any = None, *_: Any) -> None:
    """Mark a room unread, from a message on or from the last (`app/message-mark-as-unread/server`)."""
    message = None
    if isinstance(first, dict):
        message = await call.server.messages.find_one({"_id": str(first.get("_id"))})
        rid = message and message["rid"]
    seen = {"ls": message["ts"]} if message else {}
    await change_subscription(call.server, _mine(call, rid), {"$set": {"open": True, "alert": True} | seen})


@method("loadNextMessages", anonymous=True)
async def next_messages(call: Call, rid: Any = None, end: Any = None, limit: Any = 20, *_: Any) -> Any:
    """What follows a moment, oldest first (`server/methods/loadNextMessages.ts`)."""
    room = await room_by_id(call.server, rid)
    if await readable_history(call.server, call.user, room, limit=1) is None:
        return False
    later = {"ts": {"$gt": end}} if end is not None else {}
    rows = call.server.messages.find({"rid": rid, "_hidden": {"$ne": True}} | later).sort("ts", 1)
    return {"messages": await rows.limit(limit if isinstance(limit, int) and limit > 0 else 20).to_list()}


@method("loadSurroundingMessages", anonymous=True)
async def surrounding(call: Call, message: Any = None, limit: Any = 50, *_: Any) -> Any:
    """A message with its neighbours (`server/methods/loadSurroundingMessages.ts`)."""
    match((message, dict))
    there = await call.server.messages.find_one({"_id": str(message.get("_id"))})
    if there is None:
        return False
    room, half = (
        await room_by_id(call.server, there["rid"]),
        max(1, (limit if isinstance(limit, int) else 50) // 2),
    )
    before = await readable_history(call.server, call.user, room, latest=there["ts"], limit=half)
    if before is None:
        return False
    rows = call.server.messages.find({"rid": room["_id"], "ts": {"$gt": there["ts"]}}).sort("ts", 1)
    after = await rows.limit(half).to_list()
    more = {"moreBefore": len(before["messages"]) == half, "moreAfter": len(after) == half}
    return {"messages": [*before["messages"], there, *after]} | more


@method("userSetUtcOffset")
async def utc_offset(call: Call, hours: Any = None, *_: Any) -> None:
    """`server/methods/userSetUtcOffset.ts`."""
    match((hours, (int, float)))
    await call.server.users.update_one({"_id": call.uid}, {"$set": {"utcOffset": hours}})


@route("users.setPreferences", "POST")
async def preferences(call: Call) -> Document:
    """`app/api/server/v1/users.ts`; which names there are is not checked here."""
    data = typed(call.body, "data")["data"]
    if call.body.get("userId") not in {None, call.uid}:
        raise RocketError("error-action-not-allowed", "Editing user is not allowed")
    if any("." in name or name.startswith("$") for name in data):
        raise RocketError("invalid-params", "must NOT have additional properties")
    changes = {f"settings.preferences.{name}": value for name, value in data.items()}
    if changes:
        await call.server.users.update_one({"_id": call.uid}, {"$set": changes})
        push_user(call.server, call.uid, changes)
    kept = ((call.me.get("settings") or {}).get("preferences") or {}) | data
    return {"user": {"_id": call.uid, "settings": {"preferences": kept}}}
