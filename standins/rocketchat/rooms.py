"""Rooms and their members: seeding, creating, joining, leaving, roles in a room.

A subscription is unique per (rid, user) and `usersCount` counts the subscriptions: every path in this
package that adds or removes one changes both. Looking at a room never subscribes.
"""

import asyncio
import re
from typing import Any

from pymongo.errors import DuplicateKeyError

from standins.rocketchat.access import (
    can_access,
    change_subscription,
    erase_rooms,
    find_room,
    push_room,
    push_subscription,
    room_by_id,
    subscription_of,
    update_room,
    update_subscriptions,
)
from standins.rocketchat.documents import Document, random_id, user_ref
from standins.rocketchat.errors import RocketError, not_allowed
from standins.rocketchat.messages import system_message
from standins.rocketchat.server import Server
from standins.rocketchat.slug import slug as slug_of

GENERAL = "GENERAL"
_NO_MEMBERS = "members should be an array of usernames if provided for rooms other than direct messages"
_LAST_OWNER = "You are the last owner. Please set new owner before leaving the room."


async def seed_rooms(server: Server) -> None:
    """Boot: the indexes that other code relies on, and #general in a database that has no rooms.

    A general that an administrator deleted stays deleted (server/startup/initialData.js).
    """
    await server.subscriptions.create_index([("rid", 1), ("u._id", 1)], unique=True)
    await server.subscriptions.create_index([("u._id", 1)])
    await server.rooms.create_index([("name", 1)], unique=True, sparse=True)
    await server.messages.create_index([("rid", 1), ("ts", 1)])
    if await server.rooms.find_one({}, {"_id": 1}) is None:
        room = _new_room(server, GENERAL, "c", {"_id": "rocket.cat", "username": "rocket.cat"})
        await server.rooms.insert_one(room | {"name": "general", "usernames": [], "default": True})


def _new_room(server: Server, rid: str, kind: str, owner: Document | None = None) -> Document:
    now = server.now()
    room = {"_id": rid, "t": kind, "msgs": 0, "usersCount": 0, "ts": now, "_updatedAt": now}
    return room | ({"u": user_ref(owner)} if owner else {})


async def join_default_channels(server: Server, user: Document) -> None:
    """Join the default rooms; called once per account, when it is created with a username or gets one."""
    for room in await server.rooms.find({"default": True, "t": {"$in": ["c", "p"]}}).to_list():
        await add_user(server, room, user)


async def subscribe(server: Server, room: Document, user: Document, **fields: Any) -> Document | None:
    """Insert the subscription and count it; None if it is there already."""
    now, rid = server.now(), room["_id"]
    row = {"_id": random_id(), "open": False, "alert": False, "unread": 0, "userMentions": 0}
    row |= {"groupMentions": 0, "ts": now, "rid": rid, "name": room.get("name"), "fname": room.get("fname")}
    row |= {"t": room["t"], "u": user_ref(user), "_updatedAt": now, "ls": None} | fields
    try:
        await server.subscriptions.insert_one(row)
    except DuplicateKeyError:
        return None
    counted = {"$inc": {"usersCount": 1}, "$set": {"_updatedAt": now}}
    updated, _ = await asyncio.gather(
        server.rooms.find_one_and_update({"_id": rid}, counted, return_document=True),
        server.users.update_one({"_id": user["_id"]}, {"$addToSet": {"__rooms": rid}}),
    )
    if updated is None:
        await server.subscriptions.delete_one({"_id": row["_id"]})
        raise RocketError("error-invalid-room", "Invalid room")
    push_subscription(server, "inserted", row)
    push_room(server, "inserted", updated, [user["_id"]])
    return row


async def unsubscribe(server: Server, room: Document, user: Document) -> bool:
    """Remove the subscription and its count; False if there was none."""
    rid, uid = room["_id"], user["_id"]
    row = await server.subscriptions.find_one_and_delete({"rid": rid, "u._id": uid})
    if row is None:
        return False
    await asyncio.gather(
        server.rooms.update_one({"_id": rid}, {"$inc": {"usersCount": -1}}),
        server.users.update_one({"_id": uid}, {"$pull": {"__rooms": rid}}),
    )
    push_subscription(server, "removed", row)
    return True


async def add_user(server: Server, room: Document, user: Document, inviter: Document | None = None) -> None:
    """Make somebody a member (app/lib/server/functions/addUserToRoom.ts); a member already stays one."""
    counts = {"open": True, "alert": True, "unread": 1, "userMentions": 1, "groupMentions": 0}
    if await subscribe(server, room, user, **counts) is not None:
        kind, author = ("au", inviter) if inviter else ("uj", user)
        await system_message(server, room, kind, user["username"], author)


async def join_room(server: Server, room: Document, user: Document, join_code: Any = None) -> None:
    """What the Join button and `channels.join` do (server/services/room/service.ts)."""
    if not await can_access(server, user, room):
        raise not_allowed("joinRoom")
    if room.get("joinCodeRequired") and not await server.may(user, "join-without-join-code"):
        if not join_code and server.config.since(6, 6):
            raise RocketError("error-code-required", "Code required", {"method": "joinRoom"})
        if join_code != room.get("joinCode"):
            raise RocketError("error-code-invalid", "Invalid code", {"method": "joinRoom"})
    await add_user(server, room, user)


async def leave_room(server: Server, room: Document, user: Document) -> None:
    if not await server.may(user, f"leave-{room['t']}"):
        raise not_allowed("leaveRoom")
    if await subscription_of(server, room["_id"], user["_id"]) is None:
        raise RocketError("error-user-not-in-room", "You are not in this room", {"method": "leaveRoom"})
    await _keep_an_owner(server, room, user)
    if await unsubscribe(server, room, user):
        await system_message(server, room, "ul", user["username"], user)


async def kick_user(server: Server, room: Document, kicker: Document, user: Document) -> None:
    """Remove somebody (server/methods/removeUserFromRoom.ts).

    Who may kick from any room is told nothing about people who are not in it: 200 and a message `ru`
    (measured on 6.13.0; by default that is an administrator in a public room).
    """
    details = {"method": "removeUserFromRoom"}
    if not await server.may(kicker, "remove-user", room["_id"]):
        raise RocketError("error-not-allowed", "Not allowed", details)
    anybody = await server.may(kicker, f"kick-user-from-any-{room['t']}-room")
    if not anybody and not await can_access(server, kicker, room):
        reason = 'The required "roomId" or "roomName" param provided does not match any group'
        raise RocketError("error-room-not-found", reason)
    if not anybody and await subscription_of(server, room["_id"], user["_id"]) is None:
        raise RocketError("error-user-not-in-room", "User is not in this room", details)
    await _keep_an_owner(server, room, user)
    await unsubscribe(server, room, user)
    await system_message(server, room, "ru", user["username"], kicker)


async def set_muted(server: Server, rid: str, muter: Document, user: Document, muted: bool) -> None:
    """Silence a member or let them speak (server/methods/muteUserInRoom.ts, unmuteUserInRoom.ts)."""
    method = "muteUserInRoom" if muted else "unmuteUserInRoom"
    if not await server.may(muter, "mute-user", rid):
        raise not_allowed(method)
    room = await room_by_id(server, rid, method)
    if await subscription_of(server, rid, user["_id"]) is None:
        raise RocketError("error-user-not-in-room", "User is not in this room", {"method": method})
    silent = [name for name in room.get("muted") or [] if name != user["username"]]
    heard = [name for name in room.get("unmuted") or [] if name != user["username"]]
    silent, heard = ([*silent, user["username"]], heard) if muted else (silent, [*heard, user["username"]])
    await update_room(server, rid, {"muted": silent or None, "unmuted": heard if room.get("ro") else None})
    await system_message(server, room, "user-muted" if muted else "user-unmuted", user["username"], muter)


async def _keep_an_owner(server: Server, room: Document, user: Document) -> None:
    owners = server.subscriptions.find({"rid": room["_id"], "roles": "owner"}, {"u._id": 1})
    if [row["u"]["_id"] async for row in owners] == [user["_id"]]:
        raise RocketError("error-you-are-last-owner", _LAST_OWNER)


async def invite_users(
    server: Server, room: Document, inviter: Document, users: list[Document], *, named: bool = True
) -> None:
    """Add people (app/lib/server/methods/addUsersToRoom.ts); `named` tells the room who invited them."""
    joined = await subscription_of(server, room["_id"], inviter["_id"]) is not None
    allowed = joined and await server.may(inviter, "add-user-to-joined-room", room["_id"])
    if not allowed and not await server.may(inviter, f"add-user-to-any-{room['t']}-room"):
        raise not_allowed("addUsersToRoom")
    for user in users:
        await add_user(server, room, user, inviter if named else None)


async def valid_name(server: Server, name: Any, rid: str | None = None) -> str:
    """The `name` of a room called so (getValidRoomName.ts); raises if it cannot be had."""
    if not isinstance(name, str) or not name.strip():
        raise RocketError("error-invalid-name", "Invalid name")
    slug = name.strip()
    if server.settings.get("UI_Allow_room_names_with_special_chars"):
        slug = slug_of(slug)
    reserved = str(server.settings.get("Accounts_SystemBlockedUsernameList") or "").split(",")
    rule = str(server.settings.get("UTF8_Channel_Names_Validation") or "[0-9a-zA-Z-_.]+")
    if not re.fullmatch(rule, slug) or slug.lower() in reserved:
        raise RocketError("error-invalid-room-name", f"{slug} is not a valid room name.")
    twin = await server.rooms.find_one({"name": slug})
    if twin and twin["_id"] != rid:
        if twin.get("archived"):
            reason = f"There's an archived channel with name {slug}"
            raise RocketError("error-archived-duplicate-name", reason)
        raise _taken(slug)
    return slug


def _taken(name: str) -> RocketError:
    return RocketError("error-duplicate-channel-name", f"A channel with name '{name}' exists")


async def create_room(server: Server, kind: str, owner: Document, asked: Document) -> Document:
    """A new room of type c or p with its members (app/lib/server/functions/createRoom.ts).

    `asked` are `channels.create`'s: name, members, readOnly, extraData, excludeSelf, customFields.
    """
    members, extra = asked.get("members") or [], asked.get("extraData") or {}
    if not all(isinstance(member, str) for member in members):
        raise RocketError("error-invalid-members", _NO_MEMBERS)
    slug = await valid_name(server, asked["name"])
    room = {"fname": asked["name"]} | {k: v for k, v in extra.items() if not k.startswith(("_", "$"))}
    room |= {"customFields": asked["customFields"]} if asked.get("customFields") else {}
    room |= _new_room(server, random_id(), kind, owner) | {"name": slug, "ro": bool(asked.get("readOnly"))}
    try:
        await server.rooms.insert_one(room)
    except DuplicateKeyError as error:
        raise _taken(slug) from error
    names = [*members] if asked.get("excludeSelf") else [owner["username"], *members]
    async for user in server.users.find({"username": {"$in": names}}):
        mine = {"ls": room["ts"], "roles": ["owner"]} if user["_id"] == owner["_id"] else {}
        await subscribe(server, room, user, open=True, **mine)
    return await server.rooms.find_one({"_id": room["_id"]}) or room


async def delete_room(server: Server, rid: Any, user: Document) -> None:
    room = await room_by_id(server, rid, "eraseRoom")
    if not await server.may(user, f"delete-{room['t']}", rid):
        raise not_allowed("eraseRoom")
    await erase_rooms(server, [rid])


async def set_archived(server: Server, room: Document, user: Document, archived: bool) -> None:
    if not await server.may(user, "archive-room" if archived else "unarchive-room", room["_id"]):
        raise RocketError("error-not-authorized", "Not authorized")
    quiet = {"alert": False} if archived else {}
    await update_subscriptions(server, room["_id"], {"archived": archived, "open": not archived} | quiet)
    await update_room(server, room["_id"], {"archived": archived})
    await system_message(server, room, "room-archived" if archived else "room-unarchived", "", user)


async def set_room_role(  # noqa: PLR0913, PLR0917 - who gives whom what where
    server: Server, room: Document, giver: Document, user: Document, role: str, given: bool
) -> None:
    """Give or take owner, moderator or leader in a room (server/methods/addRoomOwner.ts and its kin)."""
    if not await server.may(giver, f"set-{role}", room["_id"]):
        raise RocketError("error-not-allowed", "Not allowed")
    row = await subscription_of(server, room["_id"], user["_id"])
    if row is None:
        raise RocketError("error-user-not-in-room", "User is not in this room")
    if (role in (row.get("roles") or [])) == given:
        word, article = "already" if given else "not", "an owner" if role == "owner" else f"a {role}"
        raise RocketError(f"error-user-{word}-{role}", f"User is {word} {article}")
    owners = {"rid": room["_id"], "roles": "owner"}
    if role == "owner" and not given and await server.subscriptions.count_documents(owners) == 1:
        reason = "This is the last owner. Please set a new owner first."
        raise RocketError("error-remove-last-owner", reason)
    change = {"$addToSet" if given else "$pull": {"roles": role}}
    await change_subscription(server, {"_id": row["_id"]}, change)
    kind = "subscription-role-added" if given else "subscription-role-removed"
    await system_message(server, room, kind, user["username"], giver, role=role)


async def room_or_direct(server: Server, user: Document, target: str) -> Document:
    """Where `chat.postMessage` writes: `#channel` (joined on the way if public), `@user`, an id or a name."""
    if target.startswith("@"):
        return await _direct_room(server, user, {"$or": [{"_id": target[1:]}, {"username": target[1:]}]})
    room = await find_room(server, target.removeprefix("#"))
    if room is None:
        # No user's id begins with the sign of a channel.
        return await _direct_room(server, user, {"_id": target})
    if room["t"] == "c":
        await add_user(server, room, user)
    return room


async def _direct_room(server: Server, user: Document, query: Document) -> Document:
    other = await server.users.find_one(query)
    if other is None:
        raise RocketError("invalid-channel", "invalid-channel")
    people = list({person["_id"]: person for person in (user, other)}.values())
    rid = "".join(sorted([user["_id"], other["_id"]]))
    room = await server.rooms.find_one({"_id": rid})
    if room is None:
        names = {"uids": [p["_id"] for p in people], "usernames": [p["username"] for p in people]}
        room = _new_room(server, rid, "d") | names
        await server.rooms.insert_one(room)
    for mine, theirs in zip(people, reversed(people), strict=True):
        names = {"name": theirs["username"], "fname": theirs.get("name") or theirs["username"]}
        await subscribe(server, room, mine, open=True, **names)
    return room
