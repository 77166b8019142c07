"""What an owner can change about a room: name, topic, type, read-only, join code, default.

After `app/channel-settings/server/methods/saveRoomSettings.ts`: every change needs `edit-room` in the room,
`default` and `featured` also `view-room-administration`.
"""

from typing import Any

from standins.rocketchat.access import room_by_id, update_room, update_subscriptions
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError, invalid
from standins.rocketchat.messages import system_message
from standins.rocketchat.rooms import valid_name
from standins.rocketchat.server import Server

# setting -> (the room's field, its type, the system message that tells about it).
_SETTINGS: dict[str, tuple[str, type, str]] = {
    "roomTopic": ("topic", str, "room_changed_topic"),
    "roomAnnouncement": ("announcement", str, "room_changed_announcement"),
    "roomDescription": ("description", str, "room_changed_description"),
    "roomCustomFields": ("customFields", dict, ""),
    "readOnly": ("ro", bool, ""),
    "systemMessages": ("sysMes", list, ""),
    **{name: (name, bool, "") for name in ("reactWhenReadOnly", "default", "featured", "encrypted")},
    "joinCode": ("joinCode", str, ""),
    "roomName": ("fname", str, "r"),
    "roomType": ("t", str, "room_changed_privacy"),
}


async def save_room_settings(server: Server, user: Document, rid: Any, changes: Document) -> None:
    """Apply the changes in their order; nothing is written unless all are known, typed and allowed."""
    details = {"method": "saveRoomSettings"}
    if not set(changes) <= set(_SETTINGS):
        raise RocketError("error-invalid-settings", "Invalid settings provided", details)
    room = await room_by_id(server, rid, "saveRoomSettings")
    if not await server.may(user, "edit-room", rid):
        raise _refused("Editing room is not allowed", "Editing_room")
    for name, value in changes.items():
        if value is not None and not isinstance(value, _SETTINGS[name][1]):
            raise invalid(f"{name} must be {_SETTINGS[name][1].__name__}")
    administers = await server.may(user, "view-room-administration")
    if not administers and {"default", "featured"} & set(changes):
        raise _refused("Viewing room administration is not allowed", "Viewing_room_administration")
    kind = changes.get("roomType", room["t"])
    if kind not in {"c", "p"}:
        raise RocketError("error-invalid-room-type", "error-invalid-room-type", {"type": kind})
    if kind != room["t"] and not await server.may(user, f"create-{kind}"):
        raise _refused("Changing the type of a room is not allowed", "Change_Room_Type")
    if "roomName" in changes:
        await valid_name(server, changes["roomName"], rid)
    for name, value in changes.items():
        # A name is compared with the one in the address (functions/saveRoomName.ts).
        field = "name" if name == "roomName" else _SETTINGS[name][0]
        if room.get(field) != value or name == "joinCode":
            await _save(server, user, room, name, value)


def _refused(reason: str, action: str) -> RocketError:
    return RocketError("error-action-not-allowed", reason, {"method": "saveRoomSettings", "action": action})


async def _save(server: Server, user: Document, room: Document, name: str, value: Any) -> None:
    field, _, kind = _SETTINGS[name]
    fields, text = {field: value}, value if isinstance(value, str) else ""
    if name == "joinCode":
        fields |= {"joinCode": value or None, "joinCodeRequired": bool(value)}
    elif name == "roomName":
        fields["name"] = await valid_name(server, value, room["_id"])
    elif name == "readOnly":
        kind = "room-set-read-only" if value else "room-removed-read-only"
    elif name == "roomType":
        text = "public" if value == "c" else "private"
    await update_room(server, room["_id"], fields)
    if name in {"roomName", "roomType"}:
        await update_subscriptions(server, room["_id"], fields)
    if kind:
        await system_message(server, room, kind, text, user)
