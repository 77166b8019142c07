"""What each REST route takes and gives, as data; `openapi.py` makes a document of it.

`takes` names the fields of the body (of the query string for GET), a star marks the ones without which the
route always refuses. `gives` names what stands beside `success` in a 200. Types go by name, as in
Rocket.Chat's own `packages/rest-typings`; a name has the same type in every route but for those in `types`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from standins.rocketchat.parameters import FIELD_TYPES
from standins.rocketchat.registry import Document

_JSON = {"str": "string", "bool": "boolean", "list": "array", "dict": "object"}
_TEXTS: Document = {"type": "array", "items": {"type": "string"}}
_NAMES: tuple[tuple[Document, str], ...] = (
    ({"type": "string"}, "email name password user code resume pass channel tokenName query fields"),
    ({"type": "string"}, "serviceName accessToken _id sort platform ids status result token"),
    ({"type": "string"}, "latest oldest updatedSince"),
    ({"type": "boolean"}, "active verified confirmRelinquish bypassTwoFactor execute default full"),
    ({"type": "boolean"}, "joinDefaultChannels includeDefaults inclusive includeUserRooms"),
    ({"type": "boolean"}, "requirePasswordChange"),
    ({"type": "integer", "minimum": 0}, "count offset total expiresIn ts"),
    (_TEXTS, "members roles usernames userIds"),
    ({"type": "array"}, "update remove users settings services commands configurations messages"),
    ({"type": "array"}, "moderators banners channels groups deletedRooms"),
    ({"type": "object"}, "group room data oauth totp license emojis"),
)
TYPES: dict[str, Document] = {
    **{name: {"type": _JSON[kind.__name__]} for name, (kind, _) in FIELD_TYPES.items() if type(kind) is type},
    **{name: schema for schema, names in _NAMES for name in names.split()},
    "value": {},
    "subscription": {"type": ["object", "null"]},
}


@dataclass(frozen=True)
class Shape:
    """One route's fields; `types` are the ones that differ here."""

    takes: str = ""
    gives: str = ""
    types: dict[str, Any] = field(default_factory=dict)


_OBJECTS = {name: {"type": "object"} for name in ("channel", "group", "user", "role", "message")}
_ROOM, _WHO, _PAGE = "roomId roomName", "userId username", "offset count sort"
_LISTED = "count offset total"


def _family(prefix: str, one: str) -> dict[str, Shape]:
    """The routes that channels and groups have in common."""
    selected = {"info": (_ROOM, one), "roles": (_ROOM, "roles"), "moderators": (_ROOM, "moderators")}
    selected |= {name: (f"{_ROOM} {_PAGE}", f"{name} {_LISTED}") for name in ("members", "messages")}
    selected |= {"history": (f"{_ROOM} latest oldest inclusive offset count", "messages")}
    changed = {"invite": (f"{_ROOM} {_WHO} userIds usernames", one)}
    quiet = "" if one == "group" else one
    changed |= {"kick": (f"{_ROOM} {_WHO}", quiet), "leave": (_ROOM, quiet)}
    changed |= dict.fromkeys(("delete", "archive", "unarchive"), (_ROOM, ""))
    for role in ("Owner", "Moderator", "Leader"):
        changed |= {f"{verb}{role}": (f"{_ROOM} {_WHO}", "") for verb in ("add", "remove")}
    changed |= {f"set{name.capitalize()}": (f"{_ROOM} {name}*", name) for name in _WORDS}
    changed |= {name: (f"{_ROOM} {field_}*", one) for name, field_ in _SETTERS.items()}
    changed |= {"create": ("name* members readOnly extraData excludeSelf customFields", one)}
    listed = {"roles": {"type": "array"}, "members": {"type": "array"}}
    return {
        f"{prefix}.{name}": Shape(takes, gives, _OBJECTS | ({} if name == "create" else listed))
        for name, (takes, gives) in (selected | changed).items()
    }


_WORDS = ("topic", "announcement", "description", "purpose")
_SETTERS = {
    "setReadOnly": "readOnly",
    "setType": "type",
    "setJoinCode": "joinCode",
    "rename": "name",
    "setCustomFields": "customFields",
}
_PERSON = "active roles verified requirePasswordChange joinDefaultChannels customFields"

SHAPES: dict[str, Shape] = {
    **_family("channels", "channel"),
    **_family("groups", "group"),
    "channels.join": Shape(f"{_ROOM} joinCode", "channel", _OBJECTS),
    "channels.list": Shape(f"_id query fields {_PAGE}", f"channels {_LISTED}"),
    "channels.list.joined": Shape(_PAGE, f"channels {_LISTED}"),
    "channels.setDefault": Shape(f"{_ROOM} default*", "channel", _OBJECTS),
    "groups.list": Shape(f"query fields {_PAGE}", f"groups {_LISTED}"),
    "groups.listAll": Shape(_PAGE, f"groups {_LISTED}"),
    "rooms.info": Shape(_ROOM, "room"),
    "rooms.get": Shape("updatedSince", "update remove"),
    "rooms.delete": Shape("roomId*"),
    "rooms.leave": Shape(_ROOM),
    "rooms.saveRoomSettings": Shape("rid* readOnly default", "rid"),
    "chat.postMessage": Shape("roomId channel text alias emoji attachments", "ts channel message", _OBJECTS),
    "chat.sendMessage": Shape("message*", "message", _OBJECTS),
    "chat.getMessage": Shape("msgId*", "message", _OBJECTS),
    "chat.delete": Shape("msgId* roomId* asUser", "_id ts message", _OBJECTS | {"ts": {"type": "string"}}),
    "subscriptions.get": Shape("updatedSince", "update remove"),
    "subscriptions.getOne": Shape("roomId*", "subscription"),
    "subscriptions.read": Shape("rid roomId"),
    "commands.list": Shape("", f"commands {_LISTED}"),
    "emoji-custom.list": Shape("", "emojis"),
    "licenses.info": Shape("", "license"),
    "banners": Shape("platform", "banners"),
    "users.presence": Shape("ids", "users full"),
    "roles.list": Shape("", "roles", {"roles": {"type": "array"}}),
    "roles.addUserToRole": Shape("roleId roleName username* roomId", "role", _OBJECTS),
    "roles.removeUserFromRole": Shape("roleId roleName username* scope", "role", _OBJECTS),
    "roles.getUsersInRole": Shape(f"role* roomId {_PAGE}", "users total"),
    "permissions.listAll": Shape("", "update remove"),
    "permissions.update": Shape("permissions*", "permissions"),
    "settings": Shape("_id includeDefaults offset count", f"settings {_LISTED}"),
    "settings.public": Shape("_id offset count", f"settings {_LISTED}"),
    "GET settings/:_id": Shape("", "_id value"),
    "POST settings/:_id": Shape("value execute"),
    "settings.addCustomOAuth": Shape("name*"),
    "settings.oauth": Shape("", "services"),
    "service.configurations": Shape("", "configurations"),
    "users.create": Shape(f"email* name* password* username* {_PERSON}", "user", _OBJECTS),
    "users.register": Shape("username* email* pass* name*", "user", _OBJECTS),
    "users.info": Shape(f"{_WHO} includeUserRooms", "user", _OBJECTS),
    "users.list": Shape(f"query fields {_PAGE}", f"users {_LISTED}"),
    "users.update": Shape("userId* data*", "user", _OBJECTS),
    "users.delete": Shape(f"{_WHO} confirmRelinquish", "deletedRooms"),
    "users.createToken": Shape(_WHO, "data"),
    "users.generatePersonalAccessToken": Shape("tokenName* bypassTwoFactor", "token"),
    "users.removePersonalAccessToken": Shape("tokenName*"),
    "users.setStatus": Shape("status message", "", {"message": {"type": "string"}}),
    "users.getUsernameSuggestion": Shape("", "result"),
    "me": Shape("", "_id username"),
    "login": Shape(
        "user username email password code resume oauth totp serviceName accessToken expiresIn", "status data"
    ),
    "logout": Shape("", "status data"),
    "method.call/:method": Shape("message*", "message", {"message": {"type": "string"}}),
    "method.callAnon/:method": Shape("message*", "message", {"message": {"type": "string"}}),
}


def shape_of(verb: str, path: str) -> Shape:
    """A route's shape; raises KeyError for a route that has none."""
    return SHAPES.get(f"{verb} {path}") or SHAPES[path]


def schema_of(shape: Shape, name: str) -> Document:
    """The JSON schema of one field of a route."""
    schema: Document = shape.types.get(name, TYPES[name])
    return schema
