"""chat.*, subscriptions.* and the small lists that a web client asks for, of the REST API.

After `app/api/server/v1/chat.ts` and `subscriptions.ts`; what never changes is in `constants.json`.
"""

import json
from pathlib import Path
from typing import Any

from standins.rocketchat.access import can_preview, room_by_id, subscription_of
from standins.rocketchat.documents import Document, millis
from standins.rocketchat.errors import MatchError, PlainError, RocketError, failure, invalid
from standins.rocketchat.messages import (
    check_can_send,
    delete_message,
    mark_read,
    post,
    send_message,
    text_size,
)
from standins.rocketchat.parameters import typed
from standins.rocketchat.registry import Call, method, route
from standins.rocketchat.rooms import room_or_direct

_POSTED = ("alias", "avatar", "emoji", "attachments", "tmid", "customFields")
_PRESENCE = dict.fromkeys(("username", "name", "status", "statusText", "utcOffset", "avatarETag"), 1)
CONSTANTS = json.loads(Path(__file__).with_name("constants.json").read_text(encoding="utf-8"))


@route("chat.postMessage", "POST")
async def post_message(call: Call) -> Document:
    """Write to a room by id, name, `#name` or `@user`; a public channel is joined on the way."""
    body = call.body
    target = body.get("channel") or body.get("roomId")
    if isinstance(target, list):
        target = target[0] if target else None
    if not isinstance(target, str):
        raise invalid("must have required property 'roomId'")
    typed({name: value for name, value in body.items() if name != "roomId"})
    text = str(body.get("text") or "").strip()
    if text_size(text) > int(call.server.settings.get("Message_MaxAllowedSize") or 0):
        raise PlainError("error-message-size-exceeded")
    room = await room_or_direct(call.server, call.me, target)
    await check_can_send(call.server, call.me, room)
    fields = {name: body[name] for name in _POSTED if body.get(name)}
    message = await post(call.server, room, call.me, text, fields | {"groupable": False})
    return {"ts": millis(message["ts"]), "channel": target, "message": message}


@route("chat.sendMessage", "POST")
async def chat_send_message(call: Call) -> Document:
    message = typed(call.body, "message")["message"]
    texts = [message.get(name, "") for name in ("_id", "rid", "msg")]
    if not all(isinstance(text, str) for text in texts) or not message.get("rid"):
        raise invalid("must be string")
    if typed(message).get("t"):
        raise PlainError("Cannot send system messages using 'chat.sendMessage'")
    return {"message": await send_message(call.server, call.me, message)}


@route("chat.getMessage", "GET")
async def get_message(call: Call) -> Document:
    message = await call.server.messages.find_one({"_id": typed(call.query, "msgId")["msgId"]})
    if message is None:
        raise failure()
    if not await can_preview(call.server, call.user, await room_by_id(call.server, message["rid"])):
        raise RocketError("error-not-allowed", "Not allowed")
    return {"message": message}


@route("chat.delete", "POST")
async def chat_delete(call: Call) -> Document:
    body = typed(call.body, "msgId", "roomId")
    message = await call.server.messages.find_one({"_id": body["msgId"]})
    if message is None:
        raise PlainError(f'No message found with the id of "{body["msgId"]}".')
    if message["rid"] != body["roomId"]:
        raise PlainError("The room id provided does not match where the message is from.")
    await delete_message(call.server, call.me, message)
    kept = {name: message[name] for name in ("_id", "rid", "u")}
    return {"_id": message["_id"], "ts": str(millis(call.server.now())), "message": kept}


@route("subscriptions.getOne", "GET")
async def subscriptions_get_one(call: Call) -> Document:
    rid = typed(call.query, "roomId")["roomId"]
    return {"subscription": await subscription_of(call.server, rid, call.uid)}


@route("subscriptions.read", "POST")
async def subscriptions_read(call: Call) -> None:
    rid = typed(call.body).get("rid") or call.body.get("roomId")
    if not rid:
        raise invalid("must have required property 'rid'")
    await mark_read(call.server, call.me, rid)


@route("users.presence", "GET")
async def users_presence(call: Call) -> Document:
    """Statuses; `ids`, with commas, or `ids[]`, repeated, narrow them."""
    ids = [value for name, value in call.query.items() if name in {"ids", "ids[]"}]
    query: Document = {"_id": {"$in": [part for value in ids for part in value.split(",")]}} if ids else {}
    found = call.server.users.find(query | {"active": True}, _PRESENCE)
    return {"users": await found.to_list(), "full": not ids}


def _constant(value: Any) -> Any:
    async def constant(_call: Call, *_: Any) -> Any:
        return value

    return constant


@route("banners", "GET")
async def banners(call: Call) -> Document:
    """None; since 7.0 the schema asks for `platform` (v1/banners.ts)."""
    if call.query.get("platform") not in {"web", "mobile"}:
        raise MatchError("Match error: Failed Match.OneOf, Match.Maybe or Match.Optional validation")
    return {"banners": []}


for _name, _value in CONSTANTS["routes"].items():
    route(_name, "GET")(_constant(_value))
for _name, _value in CONSTANTS["methods"].items():
    method(_name, anonymous=True)(_constant(_value))
