"""channels.*, groups.* and rooms.* of the REST API.

After `app/api/server/v1/channels.ts`, `groups.ts` and `rooms.ts`. Channels and groups are one code, declared
once per type: they differ in names, in who sees a room and in which routes check a strict schema. A group's
outsider gets `error-room-not-found`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from standins.rocketchat import rooms
from standins.rocketchat.access import (
    ROOM_ROLES,
    can_access,
    find_room,
    public_room,
    rooms_of,
    subscription_of,
    with_role,
)
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import PlainError, RocketError, forbidden
from standins.rocketchat.json_query import narrowed, projection
from standins.rocketchat.messages import readable_history
from standins.rocketchat.parameters import (
    listing,
    paging,
    parse_date,
    typed,
    user_from,
    users_from,
)
from standins.rocketchat.registry import Call, route
from standins.rocketchat.room_settings import save_room_settings


@dataclass(frozen=True)
class Family:
    """The routes of one room type and the words in which they speak of a room."""

    prefix: str
    kind: str
    single: str
    title: str


CHANNELS = Family("channels", "c", "channel", "channel")
GROUPS = Family("groups", "p", "group", "private group")
FamilyHandler = Callable[[Family, Call], Awaitable[Document]]
Action = Callable[[Call, Document], Awaitable[object]]
_MEMBER_FIELDS = dict.fromkeys(("username", "name", "status", "statusText", "utcOffset", "_updatedAt"), 1)
_NO_MATCH = 'The required "roomId" or "roomName" param provided does not match any {}'
_NO_ROOM = 'The parameter "roomId" or "roomName" is required'


async def select(
    family: Family, call: Call, values: Document, *, archived: bool = False, outsiders: bool = False
) -> Document:
    """The room that roomId or roomName names; an archived one only where `archived` allows it.

    A private room is hidden from those who are no members, an administrator too (measured on 6.13.0).
    `outsiders` says that others may name it.
    """
    key = typed(values).get("roomId") or values.get("roomName")
    if family is GROUPS and not key:
        raise RocketError("error-room-param-not-provided", _NO_ROOM)
    field = "_id" if "roomId" in values else "name"
    room = await call.server.rooms.find_one({field: key, "t": family.kind}) if key else None
    if room and family is GROUPS and not outsiders and not await can_access(call.server, call.user, room):
        room = None
    if room is None:
        raise RocketError("error-room-not-found", _NO_MATCH.format(family.single))
    if room.get("archived") and not archived:
        raise RocketError("error-room-archived", f"The {family.title}, {room.get('name')}, is archived")
    return room


async def shown(family: Family, call: Call, rid: str) -> Document:
    """`{channel}` or `{group}` with the room as it is now."""
    return {family.single: public_room(await call.server.rooms.find_one({"_id": rid}) or {})}


def both(
    name: str, verb: str, *families: Family, needs: str = "", permissions: tuple[str, ...] = ()
) -> Callable[[FamilyHandler], FamilyHandler]:
    """Declare a route of both families, or of the named ones; `{}` in `needs` is the type of room."""

    def declare(handler: FamilyHandler) -> FamilyHandler:
        for family in families or (CHANNELS, GROUPS):
            needed = needs.format(family.kind)
            declared = route(f"{family.prefix}.{name}", verb, needs=needed, permissions=permissions)
            declared(partial(handler, family))
        return handler

    return declare


def act(
    name: str,
    *families: Family,
    archived: bool = False,
    answers: bool = True,
    outsiders: bool = False,
) -> Callable[[Action], Action]:
    """Declare a POST that does something to the selected room and answers with it.

    A group's kick and leave answer with nothing, like whatever has `answers` off. `outsiders` find a group
    that they are not in.
    """

    def declare(action: Action) -> Action:
        @both(name, "POST", *families)
        async def handler(family: Family, call: Call) -> Document:
            room = await select(family, call, call.body, archived=archived, outsiders=outsiders)
            await action(call, room)
            quiet = not answers or (family is GROUPS and name in {"kick", "leave"})
            return {} if quiet else await shown(family, call, room["_id"])

        return action

    return declare


@both("create", "POST", needs="create-{}")
async def create(family: Family, call: Call) -> Document:
    body, word = call.body, "Param" if family is CHANNELS else "Body param"
    if not body.get("name"):
        raise PlainError(f'{word} "name" is required')
    for name, kind, text in (("members", list, "an array"), ("extraData", dict, "an object")):
        if body.get(name) and not isinstance(body[name], kind):
            raise PlainError(f'{word} "{name}" must be {text} if provided')
    return {
        family.single: public_room(await rooms.create_room(call.server, family.kind, call.me, typed(body)))
    }


@both("info", "GET")
async def info(family: Family, call: Call) -> Document:
    return {family.single: public_room(await select(family, call, call.query, archived=True))}


async def _page_of_rooms(family: Family, call: Call, *, joined: bool) -> Document:
    query: Document = {"t": family.kind}
    if joined:
        query["_id"] = await rooms_of(call.server, call.uid, t=family.kind)
    elif call.query.get("_id"):
        query["_id"] = call.query["_id"]
    found, query, fields = call.server.rooms, narrowed(call, query), projection(call)
    page = await listing(call, found, query, family.prefix, [("name", 1)], fields)
    return page | {family.prefix: [public_room(room) for room in page[family.prefix]]}


@both("list", "GET")
async def list_rooms(family: Family, call: Call) -> Document:
    """All channels for holders of `view-c-room`, else the caller's; groups are always the caller's."""
    all_of_them = family is CHANNELS and await call.may("view-c-room")
    return await _page_of_rooms(family, call, joined=not all_of_them)


@both("list.joined", "GET", CHANNELS)
async def list_joined(family: Family, call: Call) -> Document:
    return await _page_of_rooms(family, call, joined=True)


@both("listAll", "GET", GROUPS, permissions=("view-room-administration",))
async def list_all(family: Family, call: Call) -> Document:
    return await _page_of_rooms(family, call, joined=False)


@both("members", "GET")
async def members(family: Family, call: Call) -> Document:
    room = await select(family, call, call.query, archived=family is CHANNELS)
    query = {"__rooms": room["_id"], "active": True}
    return await listing(call, call.server.users, query, "members", [("username", 1)], _MEMBER_FIELDS)


@both("messages", "GET")
async def messages(family: Family, call: Call) -> Document:
    room = await select(family, call, call.query, archived=family is CHANNELS)
    joined = await subscription_of(call.server, room["_id"], call.uid)
    outside = joined is None and await call.may("view-joined-room")
    if family is CHANNELS and (outside or not await call.may("view-c-room")):
        raise forbidden()
    query = narrowed(call, {"rid": room["_id"], "_hidden": {"$ne": True}})
    return await listing(call, call.server.messages, query, "messages", [("ts", -1)], projection(call))


@both("history", "GET")
async def history(family: Family, call: Call) -> Document:
    room = await select(family, call, call.query, archived=True)
    (offset, count), query = paging(call, 20), call.query
    options: Document = {name: parse_date(query.get(name)) for name in ("latest", "oldest")}
    options |= {"inclusive": query.get("inclusive") == "true", "offset": offset, "limit": count}
    result = await readable_history(call.server, call.user, room, **options)
    if result is None:
        raise forbidden()
    return {"messages": result["messages"]}


@both("roles", "GET")
async def roles(family: Family, call: Call) -> Document:
    room = await select(family, call, call.query)
    return {"roles": await with_role(call.server, room["_id"], ROOM_ROLES)}


@both("moderators", "GET")
async def moderators(family: Family, call: Call) -> Document:
    room = await select(family, call, call.query)
    return {"moderators": [row["u"] for row in await with_role(call.server, room["_id"], "moderator")]}


@act("invite", outsiders=True)
async def invite(call: Call, room: Document) -> None:
    users = await users_from(call, call.body)
    if not users and room["t"] == "c":
        raise PlainError("invalid-user-invite-list", "Cannot invite if no users are provided")
    if not users:
        raise RocketError("error-empty-invite-list", "Cannot invite if no valid users are provided")
    # Before 7.0 a public room is not told who invited (measured on 6.13.0; v1/channels.ts of 7.7.1).
    named = room["t"] == "p" or call.server.config.since(7)
    await rooms.invite_users(call.server, room, call.me, users, named=named)


@act("unarchive", archived=True, answers=False)
async def unarchive(call: Call, room: Document) -> None:
    if room["t"] == "c" and not room.get("archived"):
        raise PlainError(f"The channel, {room.get('name')}, is not archived")
    await rooms.set_archived(call.server, room, call.me, False)


act("join", CHANNELS)(
    lambda call, room: rooms.join_room(call.server, room, call.me, call.body.get("joinCode"))
)
act("leave")(lambda call, room: rooms.leave_room(call.server, room, call.me))
act("archive", answers=False)(lambda call, room: rooms.set_archived(call.server, room, call.me, True))
act("delete", archived=True, answers=False)(
    lambda call, room: rooms.delete_room(call.server, room["_id"], call.me)
)


@act("kick", outsiders=True)
async def kick(call: Call, room: Document) -> None:
    await rooms.kick_user(call.server, room, call.me, await user_from(call, call.body))


async def _set_role(role: str, given: bool, call: Call, room: Document) -> None:
    user = await user_from(call, call.body)
    await rooms.set_room_role(call.server, room, call.me, user, role, given)


def _declare_setting(name: str, field: str, setting: str, attribute: str, *families: Family) -> None:
    """A route that changes one setting of a room; a text may be emptied, anything else must be given."""
    is_text = attribute in {"topic", "announcement", "description"}

    @both(name, "POST", *families)
    async def change(family: Family, call: Call) -> Document:
        value = typed(call.body).get(field)
        if field not in call.body or (not is_text and value in (None, "", {})):
            raise PlainError(f'The bodyParam "{field}" is required')
        room = await select(family, call, call.body, archived=False)
        # A private room is renamed to what it is called without a word (measured on 6.13.0; v1/groups.ts).
        if attribute and room.get(attribute) == value and (family, name) != (GROUPS, "rename"):
            raise PlainError(f"The channel {field} is the same as what it would be changed to.")
        value = (value or "") if is_text else value
        await save_room_settings(call.server, call.me, room["_id"], {setting: value})
        return {field: value} if is_text else await shown(family, call, room["_id"])


for _role in ("owner", "moderator", "leader"):
    act(f"add{_role.capitalize()}", answers=False)(partial(_set_role, _role, True))
    act(f"remove{_role.capitalize()}", answers=False)(partial(_set_role, _role, False))
for _setting in (
    ("setReadOnly", "readOnly", "readOnly", "ro"),
    ("setType", "type", "roomType", "t"),
    ("setTopic", "topic", "roomTopic", "topic"),
    ("setAnnouncement", "announcement", "roomAnnouncement", "announcement"),
    ("setDescription", "description", "roomDescription", "description"),
    ("setPurpose", "purpose", "roomDescription", "description"),
    ("rename", "name", "roomName", "name"),
    ("setCustomFields", "customFields", "roomCustomFields", "customFields"),
):
    _declare_setting(*_setting)
# Private rooms have none: 405, as for any route that is not there (measured on 6.13.0; v1/groups.ts).
_declare_setting("setJoinCode", "joinCode", "joinCode", "", CHANNELS)


@both("setDefault", "POST", CHANNELS)
async def set_default(family: Family, call: Call) -> Document:
    """The two error types are swapped in Rocket.Chat itself (channels.ts)."""
    if "default" not in call.body:
        raise RocketError("error-channels-setdefault-is-same", 'The bodyParam "default" is required')
    room, value = await select(family, call, call.body, archived=False), call.body["default"]
    if room.get("default") is value:
        reason = "The channel default setting is the same as what it would be changed to."
        raise RocketError("error-channels-setdefault-missing-default-param", reason)
    change = {"default": str(value).lower() in {"true", "1"}}
    await save_room_settings(call.server, call.me, room["_id"], change)
    return await shown(family, call, room["_id"])


async def _any_room(call: Call, values: Document) -> Document:
    """rooms.*: a room of any type, by id or name, unless it is archived (findRoomByIdOrName)."""
    key = typed(values).get("roomId") or values.get("roomName")
    if not key:
        raise RocketError("error-roomid-param-not-provided", _NO_ROOM)
    room = await find_room(call.server, key)
    if room is None or (room["t"] == "d" and call.uid not in (room.get("uids") or [])):
        raise RocketError("error-room-not-found", _NO_MATCH.format("channel"))
    if room.get("archived"):
        raise RocketError("error-room-archived", f"The channel, {room.get('name')}, is archived")
    return room


@route("rooms.info", "GET")
async def rooms_info(call: Call) -> Document:
    room = await _any_room(call, call.query)
    if not await can_access(call.server, call.user, room):
        raise PlainError("not-allowed", "Not Allowed")
    return {"room": public_room(room)}


async def _administers(call: Call) -> None:
    if not await call.may("view-room-administration"):
        raise PlainError("error-not-authorized")


@route("rooms.adminRooms", "GET")
async def admin_rooms(call: Call) -> Document:
    """Every room, with any members (app/api/server/lib/rooms.ts, findAdminRooms)."""
    await _administers(call)
    query: Document = {"t": {"$in": ["c", "p", "d"]}}
    return await listing(call, call.server.rooms, query, "rooms", [("default", -1), ("name", 1)])


@route("rooms.adminRooms.getRoom", "GET")
async def admin_room(call: Call) -> Document:
    """One room, also one that the administrator is not in (measured on 6.13.0)."""
    await _administers(call)
    room = await call.server.rooms.find_one({"_id": call.query.get("rid") or ""})
    if room is None:
        raise PlainError("not-allowed", "Not Allowed")
    return public_room(room)


async def _mute(muted: bool, call: Call) -> None:
    user, rid = await user_from(call, call.body), call.body["roomId"]
    await rooms.set_muted(call.server, rid, call.me, user, muted)


route("rooms.muteUser", "POST")(partial(_mute, True))
route("rooms.unmuteUser", "POST")(partial(_mute, False))


@route("rooms.delete", "POST")
async def rooms_delete(call: Call) -> None:
    if not typed(call.body).get("roomId"):
        raise PlainError("The 'roomId' param is required")
    await rooms.delete_room(call.server, call.body["roomId"], call.me)


@route("rooms.leave", "POST")
async def rooms_leave(call: Call) -> None:
    await rooms.leave_room(call.server, await _any_room(call, call.body), call.me)


@route("rooms.saveRoomSettings", "POST")
async def rooms_save_settings(call: Call) -> Document:
    changes = {name: value for name, value in typed(call.body, "rid").items() if name != "rid"}
    await save_room_settings(call.server, call.me, call.body["rid"], changes)
    return {"rid": call.body["rid"]}
