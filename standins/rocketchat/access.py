"""Rooms as others see them: finding one, who may read it, and telling its members that it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standins.rocketchat.permissions import has_permission
from standins.rocketchat.registry import Document, RocketError

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

# API.v1.defaultFieldsToExclude (app/api/server/ApiClass.ts).
HIDDEN_FIELDS = ("joinCode", "members", "importIds", "e2e")


def public_room(room: Document) -> Document:
    """The room without the fields that no API answer carries; `joinCodeRequired` stays."""
    return {key: value for key, value in room.items() if key not in HIDDEN_FIELDS}


async def find_room(server: Server, id_or_name: Any, kind: str | None = None) -> Document | None:
    """A room by id, else by name; of type `kind` when one is named."""
    for field in ("_id", "name"):
        query = {field: str(id_or_name)} | ({"t": kind} if kind else {})
        if room := await server.db.rocketchat_room.find_one(query):
            return room
    return None


async def room_by_id(server: Server, rid: Any, *, code: str = "error-invalid-room") -> Document:
    """The room, or the refusal that Rocket.Chat's methods give for one that is not there."""
    room = await server.db.rocketchat_room.find_one({"_id": rid}) if isinstance(rid, str) else None
    if room is None:
        raise RocketError(code, "Invalid room")
    return room


async def subscription_of(server: Server, rid: str, uid: str) -> Document | None:
    return await server.db.rocketchat_subscription.find_one({"rid": rid, "u._id": uid})


async def can_access(server: Server, user: Document | None, room: Document) -> bool:
    """Whether the user may read the room (app/authorization/server/functions/canAccessRoom.ts).

    A public channel is open to holders of `view-c-room`, and to nobody's session only while
    Accounts_AllowAnonymousRead is on; everything else is open to its members.
    """
    if user is None:
        return room["t"] == "c" and bool(server.settings.get("Accounts_AllowAnonymousRead"))
    if room["t"] == "c" and await has_permission(server, user, "view-c-room"):
        return True
    return await subscription_of(server, room["_id"], user["_id"]) is not None


async def can_preview(server: Server, user: Document | None, room: Document) -> bool:
    """Whether the user may read the room's messages: a non-member also needs `preview-c-room`."""
    if not await can_access(server, user, room):
        return False
    if user is None or room["t"] != "c" or await has_permission(server, user, "preview-c-room"):
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
    return await server.db.rocketchat_subscription.find({"rid": rid}).to_list()
