"""What a client can subscribe to, and who may: published collections and Rocket.Chat's streams.

Rules after `server/modules/notifications/notifications.module.ts`. Every subscription is answered: `ready`,
or `nosub` with an error (not-allowed; 404 for a name that nobody publishes, as Meteor has it).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from standins.rocketchat.access import can_access, can_preview, subscription_of
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError
from standins.rocketchat.hub import DOCUMENTS, Listener
from standins.rocketchat.oauth.services import COLLECTION
from standins.rocketchat.server import Server

_log = logging.getLogger("ddp")
Stop = Callable[[], object]
# Answered with `ready` and no documents: nothing in them for a stand-in.
_EMPTY = {"meteor_autoupdate_clientVersions", "userData", "activeUsers", "fullUserData", "roles"}
_PRIVATE_SETTINGS = ("view-privileged-setting", "edit-privileged-setting", "manage-selected-settings")
_MINE = "__my_messages__"


class Connection(Protocol):
    """The client that subscribes; `uid` is None before it signs in."""

    server: Server
    uid: str | None

    def send(self, message: Document) -> None:
        """Queue a message for the client."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the incoming messages."""

    async def user(self) -> Document | None:
        """The signed-in user."""


Rule = Callable[[Connection, str], Awaitable[bool]]


async def _everybody(_connection: Connection, _event: str) -> bool:
    return True


async def _logged(connection: Connection, event: str) -> bool:
    user = await connection.user()
    if event == "private-settings-changed":
        return any([await connection.server.may(user, name) for name in _PRIVATE_SETTINGS])
    return user is not None


async def _self(connection: Connection, event: str) -> bool:
    uid, _, kind = event.partition("/")
    return kind == "webrtc" or (connection.uid == uid and await connection.user() is not None)


async def _member(connection: Connection, event: str) -> bool:
    if await connection.user() is None or connection.uid is None:
        return False
    return await subscription_of(connection.server, event.partition("/")[0], connection.uid) is not None


async def _room_reader(connection: Connection, event: str) -> bool:
    user = await connection.user()
    if event == _MINE:
        return user is not None
    room = await connection.server.rooms.find_one({"_id": event})
    return room is not None and await can_preview(connection.server, user, room)


_STREAMS: dict[str, Rule] = {
    "stream-notify-all": _everybody,
    "stream-notify-logged": _logged,
    "stream-notify-user": _self,
    "stream-notify-room": _member,
    "stream-room-messages": _room_reader,
    "stream-roles": _logged,
    "stream-apps": _everybody,
    "stream-importers": _everybody,
    "stream-user-presence": _logged,
}


async def publish(connection: Connection, stops: list[Stop], name: str, params: list[Any]) -> None:
    """Start a subscription; what ends it is put into `stops`. Raises RocketError for a refusal."""
    if name == "meteor.loginServiceConfiguration":
        await _login_services(connection, stops)
    elif name in _STREAMS:
        await _stream(connection, stops, name, params)
    elif name not in _EMPTY:
        _log.warning("no such subscription: %s", name)
        raise RocketError(404, f"Subscription '{name}' not found")


async def _login_services(connection: Connection, stops: list[Stop]) -> None:
    """The configured log-in services without their secrets, and every later change."""
    stops.append(connection.server.hub.subscribe(COLLECTION, DOCUMENTS, connection.send))
    for row in await connection.server.services.public_rows():
        row_id = str(row.pop("_id"))
        connection.send({"msg": "added", "collection": COLLECTION, "id": row_id, "fields": row})


async def _stream(connection: Connection, stops: list[Stop], name: str, params: list[Any]) -> None:
    event, options, hub = params[0] if params else None, params[1:2], connection.server.hub
    chosen: Document = options[0] if options and isinstance(options[0], dict) else {}
    presence = name == "stream-user-presence"
    if not isinstance(event, str) or (not event and not presence):
        raise RocketError("invalid-event-name", "")
    if not await _STREAMS[name](connection, event):
        raise RocketError("not-allowed", "")
    if chosen.get("useCollection") is True:
        connection.send({"msg": "added", "collection": name, "id": "id", "fields": {"eventName": event}})
    listener: Listener = connection.send
    if (name, event) == ("stream-room-messages", _MINE):
        listener = lambda message: connection.spawn(_forward_mine(connection, message))  # noqa: E731
    events = [uid for uid in chosen.get("added") or [] if isinstance(uid, str)] if presence else [event]
    stops += [hub.subscribe(name, one, listener) for one in events]
    if name == "stream-room-messages" and connection.uid is not None:
        _end_with_membership(connection, stops, event)


async def _forward_mine(connection: Connection, message: Document) -> None:
    """Send a message of any room its reader may see, with the room's name and type beside it."""
    server, uid = connection.server, connection.uid
    rid = message["fields"]["args"][0]["rid"]
    room = await server.rooms.find_one({"_id": rid})
    if room is None or uid is None or not await can_access(server, await connection.user(), room):
        return
    joined = await subscription_of(server, rid, uid) is not None
    about = {"roomParticipant": joined, "roomType": room["t"], "roomName": room.get("name")}
    fields = message["fields"] | {"args": [*message["fields"]["args"], about]}
    connection.send(message | {"fields": fields})


def _end_with_membership(connection: Connection, stops: list[Stop], rid: str) -> None:
    """A user who is removed from a room that is not public hears nothing of it from then on."""

    def removed(message: Document) -> None:
        action, row = message["fields"]["args"][:2]
        if action == "removed" and row["rid"] == rid and row["t"] != "c":
            while stops:
                stops.pop()()

    event = f"{connection.uid}/subscriptions-changed"
    stops.append(connection.server.hub.subscribe("stream-notify-user", event, removed))


async def publish_user(connection: Connection) -> None:
    """Meteor sends a signed-in client its own user document unasked (`accounts-base`)."""
    user = await connection.user()
    if user is not None:
        fields = {name: user[name] for name in ("username", "name", "emails", "roles") if name in user}
        connection.send({"msg": "added", "collection": "users", "id": user["_id"], "fields": fields})
