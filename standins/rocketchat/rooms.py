"""Rooms and their members: seeding, creating, joining, leaving, roles in a room.

A subscription is unique per (rid, user) and `usersCount` counts the subscriptions: every path in this
package that adds or removes one changes both. Looking at a room never subscribes.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from standins.rocketchat.access import (
    can_access,
    find_room,
    member_subscriptions,
    push_room,
    push_subscription,
    subscription_of,
)
from standins.rocketchat.documents import random_id, user_ref
from standins.rocketchat.messages import system_message
from standins.rocketchat.permissions import has_permission
from standins.rocketchat.registry import Document, RocketError

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

GENERAL = "GENERAL"


async def seed_rooms(server: Server) -> None:
    """Boot: the indexes that other code relies on, and #general in a database that has no rooms.

    A general that an administrator deleted stays deleted (server/startup/initialData.js).
    """
    db = server.db
    await db["rocketchat_subscription"].create_index([("rid", 1), ("u._id", 1)], unique=True)
    await db["rocketchat_subscription"].create_index([("u._id", 1)])
    await db["rocketchat_room"].create_index([("name", 1)], unique=True, sparse=True)
    await db["rocketchat_message"].create_index([("rid", 1), ("ts", 1)])
    if await db["rocketchat_room"].find_one({}, {"_id": 1}) is None:
        now = server.clock.now()
        room = {"_id": GENERAL, "ts": now, "t": "c", "name": "general", "usernames": [], "msgs": 0}
        room |= {"usersCount": 0, "u": {"_id": "rocket.cat", "username": "rocket.cat"}}
        await db["rocketchat_room"].insert_one(room | {"default": True, "_updatedAt": now})


async def join_default_channels(server: Server, user: Document, *, silenced: bool = False) -> None:
    """Join the default rooms; called once per account, when it is created with a username or gets one."""
    rooms = await server.db["rocketchat_room"].find({"default": True, "t": {"$in": ["c", "p"]}}).to_list()
    for room in rooms:
        await add_user(server, room, user, silenced=silenced)


async def subscribe(server: Server, room: Document, user: Document, **fields: Any) -> Document | None:
    """Insert the subscription and count it; None if it is there already."""
    now = server.clock.now()
    row = {
        "_id": random_id(),
        "open": False,
        "alert": False,
        "unread": 0,
        "userMentions": 0,
        "groupMentions": 0,
    }
    row |= {
        "ts": now,
        "rid": room["_id"],
        "name": room.get("name"),
        "fname": room.get("fname"),
        "t": room["t"],
    }
    row |= {"u": user_ref(user), "_updatedAt": now, "ls": None} | fields
    try:
        await server.db["rocketchat_subscription"].insert_one(row)
    except DuplicateKeyError:
        return None
    updated, _ = await asyncio.gather(
        server.db["rocketchat_room"].find_one_and_update(
            {"_id": room["_id"]},
            {"$inc": {"usersCount": 1}, "$set": {"_updatedAt": now}},
            return_document=ReturnDocument.AFTER,
        ),
        server.db["users"].update_one({"_id": user["_id"]}, {"$addToSet": {"__rooms": room["_id"]}}),
    )
    if updated is None:
        await server.db["rocketchat_subscription"].delete_one({"_id": row["_id"]})
        raise RocketError("error-invalid-room", "Invalid room")
    push_subscription(server, "inserted", row)
    push_room(server, "inserted", updated, [user["_id"]])
    return row


async def unsubscribe(server: Server, room: Document, user: Document) -> bool:
    """Remove the subscription and its count; False if there was none."""
    rid, uid = room["_id"], user["_id"]
    row = await server.db["rocketchat_subscription"].find_one_and_delete({"rid": rid, "u._id": uid})
    if row is None:
        return False
    await asyncio.gather(
        server.db["rocketchat_room"].update_one({"_id": rid}, {"$inc": {"usersCount": -1}}),
        server.db["users"].update_one({"_id": uid}, {"$pull": {"__rooms": rid}}),
    )
    push_subscription(server, "removed", row)
    return True


async def add_user(
    server: Server, room: Document, user: Document, *, inviter: Document | None = None, silenced: bool = False
) -> None:
    """Make somebody a member (app/lib/server/functions/addUserToRoom.ts); a member already stays one."""
    counts = {"open": True, "alert": True, "unread": 1, "userMentions": 1, "groupMentions": 0}
    if await subscribe(server, room, user, **counts) is None or silenced:
        return
    kind, author = ("au", inviter) if inviter else ("uj", user)
    await system_message(server, room, kind, user["username"], author)


async def join_room(server: Server, room: Document, user: Document, join_code: Any = None) -> None:
    """What the Join button and `channels.join` do (server/services/room/service.ts)."""
    if not await can_access(server, user, room):
        raise RocketError("error-not-allowed", "Not allowed", {"method": "joinRoom"})
    if room.get("joinCodeRequired") and not await has_permission(server, user, "join-without-join-code"):
        if not join_code:
            raise RocketError("error-code-required", "Code required", {"method": "joinRoom"})
        if join_code != room.get("joinCode"):
            raise RocketError("error-code-invalid", "Invalid code", {"method": "joinRoom"})
    await add_user(server, room, user)


async def leave_room(server: Server, room: Document, user: Document) -> None:
    if not await has_permission(server, user, f"leave-{room['t']}"):
        raise RocketError("error-not-allowed", "Not allowed", {"method": "leaveRoom"})
    if await subscription_of(server, room["_id"], user["_id"]) is None:
        raise RocketError("error-user-not-in-room", "You are not in this room", {"method": "leaveRoom"})
    await _keep_an_owner(server, room, user)
    if await unsubscribe(server, room, user):
        await system_message(server, room, "ul", user["username"], user)


async def kick_user(server: Server, room: Document, kicker: Document, user: Document) -> None:
    if not await has_permission(server, kicker, "remove-user", room["_id"]):
        raise RocketError("error-not-allowed", "Not allowed", {"method": "removeUserFromRoom"})
    await _keep_an_owner(server, room, user)
    if not await unsubscribe(server, room, user):
        raise RocketError(
            "error-user-not-in-room", "User is not in this room", {"method": "removeUserFromRoom"}
        )
    await system_message(server, room, "ru", user["username"], kicker)


async def _keep_an_owner(server: Server, room: Document, user: Document) -> None:
    owners = server.db["rocketchat_subscription"].find({"rid": room["_id"], "roles": "owner"}, {"u._id": 1})
    if [row["u"]["_id"] async for row in owners] == [user["_id"]]:
        reason = "You are the last owner. Please set new owner before leaving the room."
        raise RocketError("error-you-are-last-owner", reason)


async def invite_users(server: Server, room: Document, inviter: Document, users: list[Document]) -> None:
    """Add people (app/lib/server/methods/addUsersToRoom.ts)."""
    joined = await subscription_of(server, room["_id"], inviter["_id"]) is not None
    allowed = joined and await has_permission(server, inviter, "add-user-to-joined-room", room["_id"])
    if not allowed and not await has_permission(server, inviter, f"add-user-to-any-{room['t']}-room"):
        raise RocketError("error-not-allowed", "Not allowed", {"method": "addUsersToRoom"})
    for user in users:
        await add_user(server, room, user, inviter=inviter)


async def valid_name(server: Server, name: Any, rid: str | None = None) -> str:
    """The `name` of a room called so (getValidRoomName.ts); raises if it cannot be had."""
    if not isinstance(name, str) or not name.strip():
        raise RocketError("error-invalid-name", "Invalid name")
    slug = name.strip()
    if server.settings.get("UI_Allow_room_names_with_special_chars"):
        slug = re.sub(r"[^0-9A-Za-z._-]+", "-", slug).strip("-") or random_id()
    if not re.fullmatch(str(server.settings.get("UTF8_Channel_Names_Validation") or "[0-9a-zA-Z-_.]+"), slug):
        raise RocketError("error-invalid-room-name", f"{slug} is not a valid room name.")
    twin = await server.db["rocketchat_room"].find_one({"name": slug})
    if twin and twin["_id"] != rid:
        if twin.get("archived"):
            reason = f"There's an archived channel with name {slug}"
            raise RocketError("error-archived-duplicate-name", reason)
        raise RocketError("error-duplicate-channel-name", f"A channel with name '{slug}' exists")
    return slug


async def create_room(  # noqa: PLR0913 - the parameters of Rocket.Chat's own function
    server: Server,
    kind: str,
    name: Any,
    owner: Document,
    *,
    members: list[Any],
    read_only: bool = False,
    extra: Document | None = None,
    exclude_self: bool = False,
) -> Document:
    """A new room of type c or p with its members (app/lib/server/functions/createRoom.ts)."""
    if not all(isinstance(member, str) for member in members):
        reason = "members should be an array of usernames if provided for rooms other than direct messages"
        raise RocketError("error-invalid-members", reason)
    slug = await valid_name(server, name)
    now = server.clock.now()
    room = {"fname": name, "_updatedAt": now}
    room |= {key: value for key, value in (extra or {}).items() if not key.startswith(("_", "$"))}
    room |= {"_id": random_id(), "name": slug, "t": kind, "msgs": 0, "usersCount": 0, "u": user_ref(owner)}
    room |= {"ts": now, "ro": bool(read_only)}
    try:
        await server.db["rocketchat_room"].insert_one(room)
    except DuplicateKeyError as error:
        raise RocketError("error-duplicate-channel-name", f"A channel with name '{slug}' exists") from error
    names = [*members] if exclude_self else [owner["username"], *members]
    async for user in server.db["users"].find({"username": {"$in": names}}):
        mine = {"ls": now, "roles": ["owner"]} if user["_id"] == owner["_id"] else {}
        await subscribe(server, room, user, open=True, **mine)
    return await server.db["rocketchat_room"].find_one({"_id": room["_id"]}) or room


async def delete_room(server: Server, rid: Any, user: Document) -> None:
    """Remove a room with its messages and subscriptions (server/lib/eraseRoom.ts)."""
    room = await server.db["rocketchat_room"].find_one({"_id": rid}) if isinstance(rid, str) else None
    if room is None:
        raise RocketError("error-invalid-room", "Invalid room", {"method": "eraseRoom"})
    if not await has_permission(server, user, f"delete-{room['t']}", rid):
        raise RocketError("error-not-allowed", "Not allowed", {"method": "eraseRoom"})
    await server.db["rocketchat_room"].delete_one({"_id": rid})
    rows = await member_subscriptions(server, rid)
    await server.db["rocketchat_subscription"].delete_many({"rid": rid})
    await server.db["rocketchat_message"].delete_many({"rid": rid})
    await server.db["users"].update_many({"__rooms": rid}, {"$pull": {"__rooms": rid}})
    for row in rows:
        push_subscription(server, "removed", row)


async def set_archived(server: Server, room: Document, user: Document, archived: bool) -> None:
    if not await has_permission(server, user, "archive-room" if archived else "unarchive-room", room["_id"]):
        raise RocketError("error-not-authorized", "Not authorized")
    fields = (
        {"archived": True, "open": False, "alert": False} if archived else {"archived": False, "open": True}
    )
    await update_subscriptions(server, room["_id"], fields)
    await update_room(server, room["_id"], {"archived": archived})
    await system_message(server, room, "room-archived" if archived else "room-unarchived", "", user)


async def update_subscriptions(server: Server, rid: str, fields: Document) -> None:
    """Set fields of every subscription of the room and tell each member."""
    change = {"$set": fields | {"_updatedAt": server.clock.now()}}
    await server.db["rocketchat_subscription"].update_many({"rid": rid}, change)
    for row in await member_subscriptions(server, rid):
        push_subscription(server, "updated", row)


async def update_room(server: Server, rid: str, fields: Document) -> Document:
    """Set fields of the room (None removes one) and tell its members; returns the room as it is then."""
    gone = {name: "" for name, value in fields.items() if value is None}
    kept = {name: value for name, value in fields.items() if value is not None}
    change: Document = {"$set": kept | {"_updatedAt": server.clock.now()}}
    room = await server.db["rocketchat_room"].find_one_and_update(
        {"_id": rid}, change | ({"$unset": gone} if gone else {}), return_document=ReturnDocument.AFTER
    )
    if room is None:
        raise RocketError("error-invalid-room", "Invalid room")
    push_room(server, "updated", room, [row["u"]["_id"] for row in await member_subscriptions(server, rid)])
    return room


async def set_room_role(  # noqa: PLR0913
    server: Server, room: Document, giver: Document, user: Document, role: str, *, given: bool
) -> None:
    """Give or take owner, moderator or leader in a room (server/methods/addRoomOwner.ts and its kin)."""
    if not await has_permission(server, giver, f"set-{role}", room["_id"]):
        raise RocketError("error-not-allowed", "Not allowed")
    row = await subscription_of(server, room["_id"], user["_id"])
    if row is None:
        raise RocketError("error-user-not-in-room", "User is not in this room")
    article = "an owner" if role == "owner" else f"a {role}"
    if (role in (row.get("roles") or [])) == given:
        code, word = (f"error-user-already-{role}", "already") if given else (f"error-user-not-{role}", "not")
        raise RocketError(code, f"User is {word} {article}")
    if role == "owner" and not given:
        owners = {"rid": room["_id"], "roles": "owner"}
        if await server.db["rocketchat_subscription"].count_documents(owners) == 1:
            raise RocketError(
                "error-remove-last-owner", "This is the last owner. Please set a new owner first."
            )
    change = {"$addToSet" if given else "$pull": {"roles": role}, "$set": {"_updatedAt": server.clock.now()}}
    after = await server.db["rocketchat_subscription"].find_one_and_update(
        {"_id": row["_id"]}, change, return_document=ReturnDocument.AFTER
    )
    push_subscription(server, "updated", after or row)
    kind = "subscription-role-added" if given else "subscription-role-removed"
    await system_message(server, room, kind, user["username"], giver, role=role)


async def room_or_direct(server: Server, user: Document, target: str) -> Document:
    """Where `chat.postMessage` writes: `#channel` (joined on the way if public), `@user`, an id or a name."""
    if target.startswith("@"):
        return await _direct_room(server, user, {"$or": [{"_id": target[1:]}, {"username": target[1:]}]})
    room = await find_room(server, target.removeprefix("#"))
    if room is None:
        if target.startswith("#"):
            raise RocketError("invalid-channel", "invalid-channel")
        return await _direct_room(server, user, {"_id": target})
    if room["t"] == "c":
        await add_user(server, room, user)
    return room


async def _direct_room(server: Server, user: Document, query: Document) -> Document:
    other = await server.db["users"].find_one(query)
    if other is None:
        raise RocketError("invalid-channel", "invalid-channel")
    people = list({person["_id"]: person for person in (user, other)}.values())
    rid = "".join(sorted([user["_id"], other["_id"]]))
    room = await server.db["rocketchat_room"].find_one({"_id": rid})
    if room is None:
        now = server.clock.now()
        room = {"_id": rid, "t": "d", "msgs": 0, "usersCount": 0, "ts": now, "_updatedAt": now}
        room |= {"uids": [p["_id"] for p in people], "usernames": [p["username"] for p in people]}
        await server.db["rocketchat_room"].insert_one(room)
    for mine, theirs in zip(people, reversed(people), strict=True):
        names = {"name": theirs["username"], "fname": theirs.get("name") or theirs["username"]}
        await subscribe(server, room, mine, open=True, **names)
    return room
