"""Finding people, rooms and messages: spotlight, directory, search, names while one types.

Answers were read from a running 6.5.3; after `server/lib/spotlight.js`, `browseChannels.ts`,
`app/search/server`, `app/api/server/v1/rooms.ts` and `users.ts`.
"""

import json
import re
from typing import Any

from standins.rocketchat.access import can_access, find_room, rooms_of
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import PlainError, RocketError, match
from standins.rocketchat.parameters import listing, typed
from standins.rocketchat.registry import Call, method, route

_PERSON = dict.fromkeys(("username", "name", "nickname", "status", "statusText", "avatarETag"), 1)
_ROOM = dict.fromkeys(("name", "fname", "t", "avatarETag", "uids", "usernames", "prid"), 1)
_LISTED_ROOM = dict.fromkeys(
    ("name", "fname", "description", "topic", "t", "ts", "lastMessage", "usersCount", "default", "archived"),
    1,
)
_LISTED_PERSON = dict.fromkeys(
    ("username", "name", "createdAt", "bio", "avatarETag", "nickname", "emails"), 1
)
_MOST = 5
PROVIDER = {
    "key": "defaultProvider",
    "description": "You_can_search_using_RegExp_eg",
    "icon": "magnifier",
    "resultTemplate": "DefaultSearchResultTemplate",
    "supportsSuggestions": False,
    "suggestionItemTemplate": "DefaultSuggestionItemTemplate",
    "settings": {"GlobalSearchEnabled": False, "PageSize": 10},
}


def _holding(text: str) -> Document:
    """A condition on a text: it holds these letters, whatever their case."""
    return {"$regex": re.escape(text), "$options": "i"}


def _people(text: str) -> Document:
    return {
        "active": True,
        "type": {"$ne": "app"},
        "$or": [{"username": _holding(text)}, {"name": _holding(text)}],
    }


async def spotlight(call: Call, text: str, known: list[str], wanted: Document) -> Document:
    """People but the caller and those `known`, and public rooms that the caller has not joined."""
    bare = text.lstrip("@#")
    found: Document = {"users": [], "rooms": []}
    if wanted.get("users") and not text.startswith("#"):
        query = _people(bare) | {"username": {"$nin": [*known, call.me["username"]]}}
        found["users"] = (
            await call.server.users.find(query, _PERSON).sort("username", 1).limit(_MOST).to_list()
        )
    if wanted.get("rooms") and not text.startswith("@") and await call.may("view-c-room"):
        mine = (await rooms_of(call.server, call.uid))["$in"]
        query = {
            "t": "c",
            "_id": {"$nin": mine},
            "$or": [{"name": _holding(bare)}, {"fname": _holding(bare)}],
        }
        found["rooms"] = await call.server.rooms.find(query, _ROOM).sort("name", 1).limit(_MOST).to_list()
    return found


@method("spotlight", anonymous=True)
async def spotlight_method(
    call: Call, text: Any = None, usernames: Any = None, wanted: Any = None, rid: Any = None, *_: Any
) -> Document:
    match((text, str))
    if call.user is None:
        return {"users": [], "rooms": []}
    names = usernames if isinstance(usernames, list) else []
    return await spotlight(
        call, text, names, wanted if isinstance(wanted, dict) else {"users": True, "rooms": True}
    )


@route("spotlight", "GET")
async def spotlight_route(call: Call) -> Document:
    return await spotlight(call, typed(call.query, "query")["query"], [], {"users": True, "rooms": True})


async def _messages(call: Call, text: Any, rid: Any, limit: Any, offset: Any = 0) -> list[Document]:
    """Messages of a room that hold every word; `/…/` is a regular expression (`app/search/.../search.ts`)."""
    match((text, str), (rid, str))
    room = await find_room(call.server, rid)
    if room is None or not await can_access(call.server, call.user, room):
        raise RocketError("error-not-allowed", "Not allowed")
    expression = re.fullmatch(r"/(.+)/[imxs]*", text)
    words = [{"msg": {"$regex": expression[1], "$options": "i"}}] if expression else []
    words = words or [{"msg": _holding(word)} for word in text.split()]
    if not words:
        return []
    query = {"rid": room["_id"], "t": {"$ne": "rm"}, "_hidden": {"$ne": True}, "$and": words}
    most = limit if isinstance(limit, int) and 0 < limit <= 100 else 20
    skipped = offset if isinstance(offset, int) and offset > 0 else 0
    return await call.server.messages.find(query).sort("ts", -1).skip(skipped).limit(most).to_list()


@method("rocketchatSearch.getProvider")
async def provider(_call: Call, *_: Any) -> Document:
    return PROVIDER


@method("rocketchatSearch.search")
async def search(call: Call, text: Any = None, context: Any = None, payload: Any = None, *_: Any) -> Document:
    match((context, dict))
    limit = payload.get("limit") if isinstance(payload, dict) else None
    return {"message": {"docs": await _messages(call, text, context.get("rid"), limit)}}


@method("messageSearch")
async def message_search(
    call: Call, text: Any = None, rid: Any = None, limit: Any = None, offset: Any = 0, *_: Any
) -> Document:
    return {"message": {"docs": await _messages(call, text, rid, limit, offset)}}


@route("chat.search", "GET")
async def chat_search(call: Call) -> Document:
    query = typed(call.query, "roomId", "searchText")
    return {"messages": await _messages(call, query["searchText"], query["roomId"], None)}


def _object(call: Call, name: str, *, required: str = "") -> Document:
    """A parameter that holds a JSON object."""
    text = call.query.get(name)
    if not text and required:
        raise (
            PlainError(required)
            if " " in required
            else RocketError("invalid-params", f"must have required property '{name}'")
        )
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RocketError("error-invalid-query", f'Invalid {name} parameter provided: "{text}"')
    return value


@route("directory", "GET")
async def directory(call: Call) -> Document:
    """Channels or people, by what `query` says; from 7.0 on the words stand in the address itself."""
    wanted = _object(call, "query") or dict(call.query)
    text, kind = str(wanted.get("text") or ""), wanted.get("type", "channels")
    if kind == "users":
        page = await listing(
            call,
            call.server.users,
            _people(text) | {"type": "user"},
            "result",
            [("username", 1)],
            _LISTED_PERSON,
        )
        if not await call.may("view-full-other-user-info"):
            page["result"] = [{k: v for k, v in row.items() if k != "emails"} for row in page["result"]]
        return page
    if kind not in {"channels", "teams"}:
        return {"result": [], "count": 0, "offset": 0, "total": 0}
    mine = await rooms_of(call.server, call.uid)
    seen = {"$or": [{"t": "c"}, {"t": "p", "_id": mine}], "archived": {"$ne": True}}
    named = {"$or": [{"name": _holding(text)}, {"fname": _holding(text)}]}
    query: Document = {"teamMain": True} if kind == "teams" else {"$and": [seen, named]}
    return await listing(call, call.server.rooms, query, "result", [("name", 1)], _LISTED_ROOM)


@route("rooms.nameExists", "GET")
async def name_exists(call: Call) -> Document:
    name = typed(call.query, "roomName")["roomName"]
    return {"exists": await call.server.rooms.find_one({"name": name}, {"_id": 1}) is not None}


@route("rooms.autocomplete.channelAndPrivate", "GET")
async def room_names(call: Call) -> Document:
    selector = _object(call, "selector", required="The 'selector' param is required")
    mine = await rooms_of(call.server, call.uid)
    query = {"$or": [{"t": "c"}, {"t": "p", "_id": mine}], "name": _holding(str(selector.get("name") or ""))}
    return {"items": await call.server.rooms.find(query, _ROOM).sort("name", 1).limit(10).to_list()}


@route("users.autocomplete", "GET")
async def user_names(call: Call) -> Document:
    selector = _object(call, "selector", required="selector")
    query: Document = _people(str(selector.get("term") or ""))
    left_out = selector.get("exceptions")
    if isinstance(left_out, list) and all(isinstance(name, str) for name in left_out):
        query |= {"username": {"$nin": left_out}}
    return {"items": await call.server.users.find(query, _PERSON).sort("username", 1).limit(10).to_list()}
