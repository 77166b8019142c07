"""What a client can subscribe to, and who may: published collections and Rocket.Chat's streams.

Rules after `server/modules/notifications/notifications.module.ts`. Every subscription is answered: `ready`,
or `nosub` with an error (not-allowed; 404 for a name that nobody publishes, as Meteor has it).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from standins.rocketchat.access import can_access, can_preview, subscription_of
from standins.rocketchat.hub import DOCUMENTS
from standins.rocketchat.permissions import has_permission
from standins.rocketchat.registry import Document, RocketError

if TYPE_CHECKING:
    from standins.rocketchat.ddp import Connection, Stop

_log = logging.getLogger("ddp")
Rule = Callable[["Connection", str], Awaitable[bool]]
_SERVICES = "meteor_accounts_loginServiceConfiguration"
# Answered with `ready` and no documents: nothing in them for a stand-in.
_EMPTY = {"meteor_autoupdate_clientVersions", "userData", "activeUsers", "fullUserData", "roles"}
_PRIVATE_SETTINGS = ("view-privileged-setting", "edit-privileged-setting", "manage-selected-settings")


async def _everybody(_connection: Connection, _event: str) -> bool:
    return True


async def _logged(connection: Connection, event: str) -> bool:
    user = await connection.user()
    if event == "private-settings-changed":
        return any([await has_permission(connection.server, user, name) for name in _PRIVATE_SETTINGS])
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
    if event == "__my_messages__":
        return user is not None
    room = await connection.server.db["rocketchat_room"].find_one({"_id": event})
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


def _listen(connection: Connection, stops: list[Stop], collection: str, event: str, listener: Any) -> None:
    connection.server.hub.subscribe(collection, event, listener)
    stops.append(lambda: connection.server.hub.unsubscribe(collection, event, listener))


async def _login_services(connection: Connection, stops: list[Stop]) -> None:
    """The configured log-in services without their secrets, and every later change."""
    _listen(connection, stops, _SERVICES, DOCUMENTS, connection.send)
    async for row in connection.server.db[_SERVICES].find({}, {"secret": 0}):
        fields = {name: value for name, value in row.items() if name != "_id"}
        connection.send({"msg": "added", "collection": _SERVICES, "id": str(row["_id"]), "fields": fields})


async def _stream(connection: Connection, stops: list[Stop], name: str, params: list[Any]) -> None:
    event = params[0] if params else None
    options = params[1] if len(params) > 1 else None
    presence = name == "stream-user-presence"
    if not isinstance(event, str) or (not event and not presence):
        raise RocketError("invalid-event-name", "")
    if not await _STREAMS[name](connection, event):
        raise RocketError("not-allowed", "")
    if isinstance(options, dict) and options.get("useCollection") is True:
        connection.send({"msg": "added", "collection": name, "id": "id", "fields": {"eventName": event}})
    events = [event]
    if presence:
        added = options.get("added") if isinstance(options, dict) else None
        events = [uid for uid in added or [] if isinstance(uid, str)]
    for one in events:
        _listen(connection, stops, name, one, _listener(connection, name, one))
    if name == "stream-room-messages" and connection.uid is not None:
        _end_with_membership(connection, stops, event)


def _listener(connection: Connection, name: str, event: str) -> Callable[[Document], object]:
    """What gets an event to the client; `__my_messages__` is checked for each message."""
    if (name, event) != ("stream-room-messages", "__my_messages__"):
        return connection.send

    def forward(message: Document) -> None:
        connection.spawn(_forward_mine(connection, message))

    return forward


async def _forward_mine(connection: Connection, message: Document) -> None:
    """Send a message of any room its reader may see, with the room's name and type beside it."""
    server, uid = connection.server, connection.uid
    rid = message["fields"]["args"][0]["rid"]
    room = await server.db["rocketchat_room"].find_one({"_id": rid})
    if room is None or uid is None or not await can_access(server, await connection.user(), room):
        return
    joined = await subscription_of(server, rid, uid) is not None
    about = {"roomParticipant": joined, "roomType": room["t"], "roomName": room.get("name")}
    fields = message["fields"] | {"args": [*message["fields"]["args"], about]}
    connection.send(message | {"fields": fields})


def _end_with_membership(connection: Connection, stops: list[Stop], rid: str) -> None:
    """Whoever is removed from a room that is not public hears nothing of it from then on."""

    def removed(message: Document) -> None:
        action, row = message["fields"]["args"][:2]
        if action == "removed" and row["rid"] == rid and row["t"] != "c":
            while stops:
                stops.pop()()

    _listen(connection, stops, "stream-notify-user", f"{connection.uid}/subscriptions-changed", removed)


async def publish_user(connection: Connection) -> None:
    """Meteor sends a signed-in client its own user document unasked (`accounts-base`)."""
    user = await connection.user()
    if user is not None:
        fields = {name: user[name] for name in ("username", "name", "emails", "roles") if name in user}
        connection.send({"msg": "added", "collection": "users", "id": user["_id"], "fields": fields})
