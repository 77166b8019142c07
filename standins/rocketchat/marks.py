"""What a person does to messages that are there: edit, delete, react, star, pin, follow, report.

Answers were read from a running 6.5.3; each function names the file that it follows.
"""

import re
from collections.abc import Callable
from typing import Any

from standins.rocketchat.access import can_access, room_by_id
from standins.rocketchat.documents import Document, user_ref
from standins.rocketchat.errors import RocketError, match, not_allowed
from standins.rocketchat.messages import announce, delete_message, system_message
from standins.rocketchat.parameters import listing, typed
from standins.rocketchat.registry import Call, method, route

# Which emoji exist is in the client's list, which the server shares; any well-formed name counts here.
_EMOJI = re.compile(r"^:[\w+-]+:$")


async def readable(call: Call, message_id: Any) -> Document | None:
    """The message, if it is there and its room is open to the caller."""
    match((message_id, str))
    message = await call.server.messages.find_one({"_id": message_id})
    if message is None or not await can_access(
        call.server, call.user, await room_by_id(call.server, message["rid"])
    ):
        return None
    return message


async def change(call: Call, message: Document, update: Document) -> None:
    """Change a message and push it to the readers of its room."""
    stamped = update | {"$set": update.get("$set", {}) | {"_updatedAt": call.server.now()}}
    messages = call.server.messages
    after = await messages.find_one_and_update({"_id": message["_id"]}, stamped, return_document=True)
    if after is not None:
        announce(call.server, after)


@method("updateMessage")
async def update_message(call: Call, message: Any = None, *_: Any) -> None:
    """One's own text, or with `edit-message` anybody's (`app/lib/server/methods/updateMessage.ts`)."""
    match((message, dict))
    match((message.get("_id"), str))
    original = await readable(call, message["_id"])
    if original is None:
        return
    own = original["u"]["_id"] == call.uid and call.server.settings.get("Message_AllowEditing")
    if not own and not await call.may("edit-message", original["rid"]):
        details = {"method": "updateMessage", "action": "Message_editing"}
        raise RocketError("error-action-not-allowed", "Message editing not allowed", details)
    match((message.get("msg"), str))
    edited = {"msg": message["msg"], "editedAt": call.server.now(), "editedBy": user_ref(call.me)}
    edited["editedBy"].pop("name", None)
    await change(call, original, {"$set": edited})


@method("deleteMessage")
async def delete(call: Call, message: Any = None, *_: Any) -> None:
    """`app/lib/server/methods/deleteMessage.ts`; an unknown one is refused like another's."""
    match((message, dict))
    original = await readable(call, message.get("_id"))
    if original is None:
        raise RocketError("error-action-not-allowed", "Not allowed")
    await delete_message(call.server, call.me, original)


@method("setReaction")
async def set_reaction(
    call: Call, reaction: Any = None, message_id: Any = None, wanted: Any = None, *_: Any
) -> None:
    """Put a reaction on or take it off; without `wanted`, turn it over (`app/reactions/server`)."""
    match((reaction, str))
    message = await readable(call, message_id)
    if message is None:
        raise not_allowed("setReaction")
    name = f":{reaction.strip(':')}:"
    if not _EMOJI.match(name):
        raise RocketError("error-not-allowed", "Invalid emoji provided.", {"method": "setReaction"})
    reactions = message.get("reactions") or {}
    names = list(reactions.get(name, {}).get("usernames", []))
    mine = call.me["username"]
    if wanted is None:
        wanted = mine not in names
    if wanted == (mine in names):
        return
    names = [*names, mine] if wanted else [other for other in names if other != mine]
    reactions = {key: value for key, value in reactions.items() if key != name}
    reactions |= {name: {"usernames": names}} if names else {}
    update = {"$set": {"reactions": reactions}} if reactions else {"$unset": {"reactions": ""}}
    await change(call, message, update)


@route("chat.react", "POST")
async def react(call: Call) -> None:
    body = call.body
    if not body.get("messageId"):
        raise RocketError("error-messageid-param-not-provided", 'The required "messageId" param is missing.')
    match((body["messageId"], str))
    if await call.server.messages.find_one({"_id": body["messageId"]}) is None:
        reason = 'The provided "messageId" does not match any existing message.'
        raise RocketError("error-message-not-found", reason)
    await set_reaction(
        call, body.get("emoji") or body.get("reaction"), body["messageId"], body.get("shouldReact")
    )


@method("starMessage")
async def star(call: Call, message: Any = None, *_: Any) -> bool:
    """`app/message-star/server/starMessage.ts`; False for a message that is not there."""
    match((message, dict))
    original = await readable(call, message.get("_id"))
    if original is None:
        return False
    operator = "$addToSet" if message.get("starred") else "$pull"
    await change(call, original, {operator: {"starred": {"_id": call.uid}}})
    return True


async def _may_pin(call: Call, message: Any, name: str) -> Document | None:
    match((message, dict))
    original = await readable(call, message.get("_id"))
    if original is not None and not await call.may("pin-message", original["rid"]):
        raise RocketError("not-authorized", "Not Authorized", {"method": name})
    return original


@method("pinMessage")
async def pin(call: Call, message: Any = None, *_: Any) -> Document | None:
    """`app/message-pin/server/pinMessage.ts`: the room is told by a message of type `message_pinned`."""
    original = await _may_pin(call, message, "pinMessage")
    if original is None:
        return None
    now, who = call.server.now(), user_ref(call.me)
    await change(call, original, {"$set": {"pinned": True, "pinnedAt": now, "pinnedBy": who}})
    author = original["u"]["username"]
    quoted = {"text": original["msg"], "author_name": author, "author_icon": f"/avatar/{author}"}
    quoted |= {"ts": original["ts"], "attachments": []}
    room = await room_by_id(call.server, original["rid"])
    await system_message(call.server, room, "message_pinned", "", call.me, attachments=[quoted])
    return await call.server.messages.find_one({"rid": room["_id"], "t": "message_pinned"}, sort=[("ts", -1)])


@method("unpinMessage")
async def unpin(call: Call, message: Any = None, *_: Any) -> bool:
    original = await _may_pin(call, message, "unpinMessage")
    if original is not None:
        await change(call, original, {"$set": {"pinned": False, "pinnedBy": user_ref(call.me)}})
    return original is not None


@method("reportMessage")
async def report(call: Call, message_id: Any = None, description: Any = None, *_: Any) -> bool:
    """`server/lib/moderation/reportMessage.ts`; the report is kept for nobody here."""
    match((description, str))
    return await readable(call, message_id) is not None


@method("getSingleMessage")
async def single_message(call: Call, message_id: Any = None, *_: Any) -> Document | None:
    return await readable(call, message_id)


def _list(path: str, condition: Callable[[Call], Document]) -> None:
    """A list of a room's messages, newest first (`app/api/server/lib/messages.ts`)."""

    async def listed(call: Call) -> Document:
        rid = typed(call.query, "roomId")["roomId"]
        if not await can_access(call.server, call.user, await room_by_id(call.server, rid)):
            raise RocketError("error-not-allowed", "Not allowed")
        query = {"rid": rid, "_hidden": {"$ne": True}} | condition(call)
        return await listing(call, call.server.messages, query, "messages", [("ts", -1)])

    route(path, "GET")(listed)


_list("chat.getStarredMessages", lambda call: {"starred._id": call.uid})
_list("chat.getPinnedMessages", lambda _: {"pinned": True, "t": {"$ne": "rm"}})
_list("chat.getMentionedMessages", lambda call: {"mentions.username": call.me["username"]})
# There are no discussions here.
_list("chat.getDiscussions", lambda _: {"drid": {"$exists": True}})


async def follow(call: Call, message_id: Any, followed: bool) -> None:
    """`app/threads/server/methods/followMessage.ts`: who follows a thread stands in its `replies`."""
    message = await readable(call, message_id)
    if message is None:
        raise RocketError("error-invalid-message", "Invalid message", {"method": "followMessage"})
    operator = "$addToSet" if followed else "$pull"
    await change(call, message, {operator: {"replies": call.uid}})


def _declare_follow(name: str, followed: bool) -> None:
    @method(name)
    async def by_method(call: Call, message: Any = None, *_: Any) -> None:
        match((message, dict))
        await follow(call, message.get("mid"), followed)

    @route(f"chat.{name}", "POST")
    async def by_rest(call: Call) -> None:
        if not call.body.get("mid"):
            raise RocketError("error-mid-param-not-provided", 'The required "mid" body param is missing.')
        await follow(call, call.body["mid"], followed)


_declare_follow("followMessage", True)
_declare_follow("unfollowMessage", False)


@method("getThreadMessages")
async def thread_messages(call: Call, wanted: Any = None, *_: Any) -> list[Document]:
    """The message and its answers, oldest first (`app/threads/server/methods/getThreadMessages.ts`)."""
    match((wanted, dict))
    first = await readable(call, wanted.get("tmid"))
    if first is None:
        return []
    limit = wanted.get("limit") or 0
    rows = call.server.messages.find({"tmid": first["_id"], "_hidden": {"$ne": True}}).sort("ts", 1)
    return [first, *await rows.limit(limit if isinstance(limit, int) else 0).to_list()]


@route("chat.getThreadMessages", "GET")
async def thread_answers(call: Call) -> Document:
    first = await readable(call, typed(call.query, "tmid")["tmid"])
    if first is None:
        raise RocketError("error-invalid-message", "Invalid Message")
    query = {"tmid": first["_id"], "_hidden": {"$ne": True}}
    return await listing(call, call.server.messages, query, "messages", [("ts", 1)])


@route("chat.getThreadsList", "GET")
async def threads(call: Call) -> Document:
    """A room's threads, those last answered first."""
    room = await call.server.rooms.find_one({"_id": typed(call.query, "rid")["rid"]})
    if room is None or not await can_access(call.server, call.user, room):
        raise RocketError("error-not-allowed", "Not Allowed")
    query = {"rid": room["_id"], "tcount": {"$exists": True}, "_hidden": {"$ne": True}}
    return await listing(call, call.server.messages, query, "threads", [("tlm", -1)])


@method("readThreads")
async def read_threads(call: Call, message_id: Any = None, *_: Any) -> None:
    match((message_id, str))
