"""chat.*, subscriptions.* and the small lists that a web client asks for, of the REST API.

After `app/api/server/v1/chat.ts`, `subscriptions.ts`, `commands.ts`, `emoji-custom.ts`, `banners.ts`.
"""

from __future__ import annotations

from standins.rocketchat.access import can_preview, room_by_id, subscription_of
from standins.rocketchat.documents import millis
from standins.rocketchat.envelope import PlainError, failure
from standins.rocketchat.messages import (
    check_can_send,
    delete_message,
    mark_read,
    post,
    send_message,
    text_size,
)
from standins.rocketchat.parameters import me, parse_date, typed
from standins.rocketchat.registry import Call, Document, RocketError, route
from standins.rocketchat.rooms import room_or_direct

_POSTED = ("alias", "avatar", "emoji", "attachments", "tmid", "customFields")


@route("chat.postMessage", "POST")
async def post_message(call: Call) -> Document:
    """Write to a room by id, name, `#name` or `@user`; a public channel is joined on the way."""
    body = call.body
    target = body.get("channel") or body.get("roomId")
    if isinstance(target, list):
        target = target[0] if target else None
    if not isinstance(target, str):
        raise RocketError("invalid-params", "must have required property 'roomId'")
    typed({name: value for name, value in body.items() if name != "roomId"})
    text = str(body.get("text") or "").strip()
    if text_size(text) > int(call.server.settings.get("Message_MaxAllowedSize") or 0):
        raise PlainError("error-message-size-exceeded")
    user = me(call)
    room = await room_or_direct(call.server, user, target)
    await check_can_send(call.server, user, room)
    fields = {name: body[name] for name in _POSTED if body.get(name)}
    message = await post(call.server, room, user, text, fields | {"groupable": False})
    return {"ts": millis(message["ts"]), "channel": target, "message": message}


@route("chat.sendMessage", "POST")
async def chat_send_message(call: Call) -> Document:
    message = typed(call.body, "message")["message"]
    for name in ("_id", "rid", "msg"):
        if not isinstance(message.get(name, ""), str) or (name == "rid" and not message.get("rid")):
            raise RocketError("invalid-params", "must be string")
    typed(message)
    if message.get("t"):
        raise PlainError("Cannot send system messages using 'chat.sendMessage'")
    return {"message": await send_message(call.server, me(call), message)}


@route("chat.getMessage", "GET")
async def get_message(call: Call) -> Document:
    message_id = typed(call.query, "msgId")["msgId"]
    message = await call.server.db["rocketchat_message"].find_one({"_id": message_id})
    if message is None:
        raise failure()
    room = await room_by_id(call.server, message["rid"])
    if not await can_preview(call.server, call.user, room):
        raise RocketError("error-not-allowed", "Not allowed")
    return {"message": message}


@route("chat.delete", "POST")
async def chat_delete(call: Call) -> Document:
    body = typed(call.body, "msgId", "roomId")
    message = await call.server.db["rocketchat_message"].find_one({"_id": body["msgId"]})
    if message is None:
        raise PlainError(f'No message found with the id of "{body["msgId"]}".')
    if message["rid"] != body["roomId"]:
        raise PlainError("The room id provided does not match where the message is from.")
    await delete_message(call.server, me(call), message)
    kept = {name: message[name] for name in ("_id", "rid", "u")}
    return {"_id": message["_id"], "ts": str(millis(call.server.clock.now())), "message": kept}


@route("subscriptions.get", "GET")
async def subscriptions_get(call: Call) -> Document:
    since = parse_date(call.query.get("updatedSince"))
    query: Document = {"u._id": call.uid} | ({"_updatedAt": {"$gt": since}} if since else {})
    return {"update": await call.server.db["rocketchat_subscription"].find(query).to_list(), "remove": []}


@route("subscriptions.getOne", "GET")
async def subscriptions_get_one(call: Call) -> Document:
    rid = typed(call.query, "roomId")["roomId"]
    return {"subscription": await subscription_of(call.server, rid, call.uid)}


@route("subscriptions.read", "POST")
async def subscriptions_read(call: Call) -> Document:
    rid = typed(call.body).get("rid") or call.body.get("roomId")
    if not rid:
        raise RocketError("invalid-params", "must have required property 'rid'")
    await mark_read(call.server, me(call), rid)
    return {}


@route("commands.list", "GET")
async def commands_list(call: Call) -> Document:
    return {"commands": [], "offset": 0, "count": 0, "total": 0}


@route("emoji-custom.list", "GET")
async def emoji_custom_list(call: Call) -> Document:
    return {"emojis": {"update": [], "remove": []}}


@route("licenses.info", "GET")
async def licenses_info(call: Call) -> Document:
    """A community workspace: no modules, which is what makes enterprise settings inert."""
    limits = {name: {"max": -1} for name in ("activeUsers", "guestUsers", "roomsPerGuest", "privateApps")}
    free = {"activeModules": [], "externalModules": [], "preventedActions": {}, "tags": [], "trial": False}
    return {"license": free | {"limits": limits}}


@route("banners", "GET")
async def banners(call: Call) -> Document:
    return {"banners": []}


@route("users.presence", "GET")
async def users_presence(call: Call) -> Document:
    """Statuses; `ids`, with commas, or `ids[]`, repeated, narrow them."""
    ids = [value for name, value in call.query.items() if name in {"ids", "ids[]"}]
    query: Document = {"_id": {"$in": [part for value in ids for part in value.split(",")]}} if ids else {}
    fields = ("_id", "username", "name", "status", "statusText", "utcOffset", "avatarETag")
    found = call.server.db["users"].find(query | {"active": True}, dict.fromkeys(fields, 1))
    return {"users": await found.to_list(), "full": not ids}
