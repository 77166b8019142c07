"""Messages: saving them, telling the members, counting what is unread, reading history."""

import asyncio
import re
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from standins.rocketchat.access import (
    can_access,
    can_preview,
    change_subscription,
    member_subscriptions,
    push_room,
    push_subscription,
    room_by_id,
)
from standins.rocketchat.documents import Document, random_id, user_ref
from standins.rocketchat.errors import PlainError, RocketError, match
from standins.rocketchat.server import Server

_MENTION = re.compile(r"(?:^|\s|>|\()[@]([0-9a-zA-Z._-]+)")
# What a client may set on its own message (app/lib/server/functions/sendMessage.ts).
_CLIENT_FIELDS = ("alias", "avatar", "emoji", "attachments", "tmid", "groupable", "customFields", "bot")


def text_size(text: str) -> int:
    """Length as JavaScript counts it: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


async def check_can_send(server: Server, user: Document, room: Document) -> None:
    """Raise what validateRoomMessagePermissions raises (canSendMessage.ts): plain errors without a code.

    An archived room takes messages (measured on 6.13.0; 7.7.1 asks nothing about it either).
    """
    if not await can_access(server, user, room):
        raise PlainError("error-not-allowed")
    spared = user["username"] in (room.get("unmuted") or [])
    if room.get("ro") and not spared and not await server.may(user, "post-readonly", room["_id"]):
        raise PlainError("You can't send messages because the room is readonly.")
    if user["username"] in (room.get("muted") or []):
        raise PlainError("You_have_been_muted")


async def send_message(server: Server, user: Document, message: Document) -> Document:
    """A user's message into `message["rid"]`; returns the stored document.

    A repeated `_id` of the same author and room is answered with what is stored: a client that retries
    after a lost reply does not write twice.
    """
    text = message.get("msg") or ""
    if text_size(text) > int(server.settings.get("Message_MaxAllowedSize") or 0):
        raise RocketError("error-message-size-exceeded", "Message size exceeds Message_MaxAllowedSize")
    room = await room_by_id(server, message.get("rid"))
    await check_can_send(server, user, room)
    fields = {name: message[name] for name in _CLIENT_FIELDS if message.get(name) is not None}
    if message.get("_id"):
        fields["_id"] = message["_id"]
    return await post(server, room, user, text, fields)


async def post(server: Server, room: Document, user: Document, text: str, fields: Document) -> Document:
    """Store a message and announce it; the caller has checked that it may be sent.

    Who gives it another name or picture needs a right (sendMessage.ts; measured on 6.13.0).
    """
    disguised = fields.get("alias") or fields.get("avatar")
    if disguised and not await server.may(user, "message-impersonate", room["_id"]):
        raise PlainError("Not enough permission")
    now = server.now()
    message = {"_id": random_id(), "rid": room["_id"], "msg": text, "ts": now, "u": user_ref(user)} | fields
    message |= {"_updatedAt": now, "urls": [], "mentions": await _mentions(server, text), "channels": []}
    try:
        await server.messages.insert_one(message)
    except DuplicateKeyError as error:
        stored = await server.messages.find_one({"_id": message["_id"]})
        if stored and stored["rid"] == room["_id"] and stored["u"]["_id"] == user["_id"]:
            return stored
        raise RocketError("error-not-allowed", "Not allowed") from error
    announce(server, message)
    if message.get("tmid"):
        await _answered(server, message)
    change: Document = {"$inc": {"msgs": 1}, "$set": {"lm": now, "_updatedAt": now}}
    if server.settings.get("Store_Last_Message") is not False:
        change["$set"]["lastMessage"] = message
    updated, members = await asyncio.gather(
        server.rooms.find_one_and_update({"_id": room["_id"]}, change, return_document=True),
        _raise_alerts(server, message),
    )
    if updated:
        push_room(server, "updated", updated, [row["u"]["_id"] for row in members])
    return message


async def _answered(server: Server, answer: Document) -> None:
    """Count an answer at its thread's first message, which the author follows from then on.

    After `app/threads/server/functions.ts`. Unread marks of threads are not kept.
    """
    change = {
        "$inc": {"tcount": 1},
        "$set": {"tlm": answer["ts"], "_updatedAt": answer["ts"]},
        "$addToSet": {"replies": answer["u"]["_id"]},
    }
    thread = {"_id": answer["tmid"], "rid": answer["rid"]}
    first = await server.messages.find_one_and_update(thread, change, return_document=True)
    if first is not None:
        announce(server, first)


async def _mentions(server: Server, text: str) -> list[Document]:
    names = _MENTION.findall(text) if "@" in text else []
    found: list[Document] = [{"_id": name, "username": name} for name in ("all", "here") if name in names]
    if names:
        rows = server.users.find({"username": {"$in": names}}, {"username": 1, "name": 1})
        found += [row | {"type": "user"} async for row in rows]
    return found


async def _raise_alerts(server: Server, message: Document) -> list[Document]:
    """Mark the room unread for everybody but the author (app/lib/server/lib/notifyUsersOnMessage.ts).

    The counter `unread` follows mentions only, which is Unread_Count's default. Returns all subscriptions.
    """
    rows = await member_subscriptions(server, message["rid"])
    mentioned = {row["_id"] for row in message["mentions"]}
    everybody = bool(mentioned & {"all", "here"})
    seen: Document = {"alert": True, "open": True}
    quiet = []
    for row in rows:
        uid = row["u"]["_id"]
        if uid == message["u"]["_id"]:
            continue
        if everybody or uid in mentioned:
            counts = {"unread": 1, "groupMentions" if everybody else "userMentions": 1}
            await change_subscription(server, {"_id": row["_id"]}, {"$inc": counts, "$set": seen})
        elif not row.get("alert") or not row.get("open"):
            row.update(seen | {"_updatedAt": message["ts"]})
            quiet.append(row)
    if quiet:
        change = {"$set": seen | {"_updatedAt": message["ts"]}}
        await server.subscriptions.update_many({"_id": {"$in": [row["_id"] for row in quiet]}}, change)
    for row in quiet:
        push_subscription(server, "updated", row)
    return rows


def announce(server: Server, message: Document) -> None:
    """Push a message, new or changed, to the readers of its room."""
    server.hub.publish("stream-room-messages", message["rid"], message)
    server.hub.publish("stream-room-messages", "__my_messages__", message)


async def system_message(
    server: Server, room: Document, kind: str, text: str, user: Document, **fields: Any
) -> None:
    """A message of a system type, e.g. `uj` (joined), `au` (added), `ul` (left), `ru` (removed)."""
    now = server.now()
    message = {"_id": random_id(), "t": kind, "rid": room["_id"], "ts": now, "msg": text, "u": user_ref(user)}
    message |= {"groupable": False, "_updatedAt": now, **fields}
    await server.messages.insert_one(message)
    await server.rooms.update_one({"_id": room["_id"]}, {"$inc": {"msgs": 1}})
    announce(server, message)


async def delete_message(server: Server, user: Document, message: Document) -> None:
    """Remove a message: one's own with `delete-own-message`, any with `delete-message`."""
    rid = message["rid"]
    own = message["u"]["_id"] == user["_id"]
    allowed = own and await server.may(user, "delete-own-message", rid)
    if not allowed and not await server.may(user, "delete-message", rid):
        raise RocketError("error-action-not-allowed", "Not allowed", {"action": "Delete_message"})
    await server.messages.delete_one({"_id": message["_id"]})
    await server.rooms.update_one({"_id": rid}, {"$inc": {"msgs": -1}})
    server.hub.publish("stream-notify-room", f"{rid}/deleteMessage", {"_id": message["_id"]})


async def readable_history(  # noqa: PLR0913 - the filters of channels.history
    server: Server,
    user: Document | None,
    room: Document,
    *,
    latest: datetime | None = None,
    oldest: datetime | None = None,
    last_seen: datetime | None = None,
    limit: int = 20,
    offset: int = 0,
    inclusive: bool = False,
) -> Document | None:
    """`{messages, firstUnread, unreadNotLoaded}`, newest first (loadMessageHistory.ts).

    None for who may not read the room.
    """
    if not await can_preview(server, user, room):
        return None
    equal = "e" if inclusive else ""
    bounds = {f"$lt{equal}": latest, f"$gt{equal}": oldest}
    times = {operator: moment for operator, moment in bounds.items() if moment is not None}
    there: Document = {"rid": room["_id"], "_hidden": {"$ne": True}}
    query, collection = there | ({"ts": times} if times else {}), server.messages
    messages = await collection.find(query).sort("ts", -1).skip(offset).limit(limit).to_list()
    result: Document = {"messages": messages, "firstUnread": None, "unreadNotLoaded": 0}
    if last_seen is not None and (not messages or messages[-1]["ts"] > last_seen):
        until = {"$lt": messages[-1]["ts"]} if messages else {}
        unread = there | {"ts": {"$gt": last_seen, **until}}
        result["firstUnread"] = await collection.find_one(unread, sort=[("ts", 1)])
        result["unreadNotLoaded"] = await collection.count_documents(unread)
    return result


async def mark_read(server: Server, user: Document, rid: str) -> None:
    """`subscriptions.read` (server/lib/readMessages.ts); who has not joined is refused."""
    match((rid, str))
    read = {"open": True, "alert": False, "unread": 0, "userMentions": 0, "groupMentions": 0}
    mine = {"rid": rid, "u._id": user["_id"]}
    if await change_subscription(server, mine, {"$set": read | {"ls": server.now()}}) is None:
        raise PlainError("error-invalid-subscription")
