"""Rooms as others see them: finding one, who may read it, changing it and telling its members so."""

from typing import Any

from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError
from standins.rocketchat.server import Server

# API.v1.defaultFieldsToExclude (app/api/server/ApiClass.ts).
HIDDEN_FIELDS = ("joinCode", "members", "importIds", "e2e")
ROOM_ROLES = {"$in": ["owner", "moderator", "leader"]}


def public_room(room: Document) -> Document:
    """The room without the fields that no API answer carries; `joinCodeRequired` stays."""
    return {key: value for key, value in room.items() if key not in HIDDEN_FIELDS}


async def find_room(server: Server, id_or_name: Any, kind: str | None = None) -> Document | None:
    """A room by id, else by name; of type `kind` when one is named."""
    for field in ("_id", "name"):
        query = {field: str(id_or_name)} | ({"t": kind} if kind else {})
        if room := await server.rooms.find_one(query):
            return room
    return None


async def room_by_id(server: Server, rid: Any, method: str | None = None) -> Document:
    """The room, or the refusal that Rocket.Chat's methods give for one that is not there."""
    room = await server.rooms.find_one({"_id": rid}) if isinstance(rid, str) else None
    if room is None:
        raise RocketError("error-invalid-room", "Invalid room", {"method": method} if method else None)
    return room


async def subscription_of(server: Server, rid: str, uid: str) -> Document | None:
    return await server.subscriptions.find_one({"rid": rid, "u._id": uid})


async def can_access(server: Server, user: Document | None, room: Document) -> bool:
    """Whether the user may read the room (app/authorization/server/functions/canAccessRoom.ts).

    A public channel is open to holders of `view-c-room`, and to nobody's session only while
    Accounts_AllowAnonymousRead is on. Everything else is open to its members.
    """
    if user is None:
        return room["t"] == "c" and bool(server.settings.get("Accounts_AllowAnonymousRead"))
    if room["t"] == "c" and await server.may(user, "view-c-room"):
        return True
    return await subscription_of(server, room["_id"], user["_id"]) is not None


async def can_preview(server: Server, user: Document | None, room: Document) -> bool:
    """Whether the user may read the room's messages: a non-member also needs `preview-c-room`."""
    if not await can_access(server, user, room):
        return False
    if user is None or room["t"] != "c" or await server.may(user, "preview-c-room"):
        return True
    return await subscription_of(server, room["_id"], user["_id"]) is not None


def push_subscription(server: Server, action: str, subscription: Document) -> None:
    """`subscriptions-changed` of the subscription's user; `action` is inserted, updated or removed."""
    uid = subscription["u"]["_id"]
    server.hub.publish("stream-notify-user", f"{uid}/subscriptions-changed", action, subscription)


def push_room(server: Server, action: str, room: Document, uids: list[str]) -> None:
    """`rooms-changed` of each of these users."""
    for uid in uids:
        server.hub.publish("stream-notify-user", f"{uid}/rooms-changed", action, public_room(room))


async def member_subscriptions(server: Server, rid: str) -> list[Document]:
    return await server.subscriptions.find({"rid": rid}).to_list()


async def rooms_of(server: Server, uid: str, **more: Any) -> Document:
    """A condition on `_id`: the rooms that the user is in."""
    rows = server.subscriptions.find({"u._id": uid, **more}, {"rid": 1})
    return {"$in": [row["rid"] async for row in rows]}


async def change_subscription(server: Server, query: Document, change: Document) -> Document | None:
    """Change one subscription and tell its user; None if there is none."""
    stamped = change | {"$set": change.get("$set", {}) | {"_updatedAt": server.now()}}
    after = await server.subscriptions.find_one_and_update(query, stamped, return_document=True)
    if after is not None:
        push_subscription(server, "updated", after)
    return after


async def update_subscriptions(server: Server, rid: str, fields: Document) -> None:
    """Set fields of every subscription of the room and tell each member."""
    await server.subscriptions.update_many({"rid": rid}, {"$set": fields | {"_updatedAt": server.now()}})
    for row in await member_subscriptions(server, rid):
        push_subscription(server, "updated", row)


async def update_room(server: Server, rid: str, fields: Document) -> None:
    """Set fields of the room (None removes one) and tell its members."""
    gone = {name: "" for name, value in fields.items() if value is None}
    kept = {name: value for name, value in fields.items() if value is not None}
    change: Document = {"$set": kept | {"_updatedAt": server.now()}} | ({"$unset": gone} if gone else {})
    room = await server.rooms.find_one_and_update({"_id": rid}, change, return_document=True)
    if room is None:
        raise RocketError("error-invalid-room", "Invalid room")
    push_room(server, "updated", room, [row["u"]["_id"] for row in await member_subscriptions(server, rid)])


async def erase_rooms(server: Server, rids: list[str]) -> None:
    """Remove rooms with their messages and subscriptions (server/lib/eraseRoom.ts)."""
    those = {"$in": rids}
    await server.rooms.delete_many({"_id": those})
    rows = await server.subscriptions.find({"rid": those}).to_list()
    await server.subscriptions.delete_many({"rid": those})
    await server.messages.delete_many({"rid": those})
    await server.users.update_many({"__rooms": those}, {"$pull": {"__rooms": those}})
    for row in rows:
        push_subscription(server, "removed", row)


async def with_role(server: Server, rid: str, role: Any) -> list[Document]:
    """`{_id, rid, u, roles}` of the members who hold a role in the room."""
    query = {"rid": rid, "roles": role}
    return await server.subscriptions.find(query, {"rid": 1, "u": 1, "roles": 1}).to_list()
