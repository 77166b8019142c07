"""What REST handlers take from a request: typed fields, paging, the room selector and users named in it."""

import json
from datetime import datetime
from typing import Any

from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError, invalid
from standins.rocketchat.registry import Call
from standins.rocketchat.shapes import FIELD_TYPES

Order = list[tuple[str, int]]


def typed(values: Document, *required: str) -> Document:
    """The values, once every documented field among them has its documented type.

    Raises RocketError `invalid-params` as ajv's refusals come out of the API, never a 500.
    """
    problems = [f"must have required property '{name}'" for name in required if values.get(name) is None]
    for name, value in values.items():
        kind, word = FIELD_TYPES.get(name, (object, ""))
        if value is not None and not isinstance(value, kind):
            problems.append(f"must be {word}")
    if problems:
        raise invalid(*problems)
    return values


def parse_date(text: str | None) -> datetime | None:
    """An ISO date of the query string; None without one and for what is none.

    `channels.history` answers 200 to a nonsense date (measured on 6.13.0).
    """
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except (ValueError, OverflowError):
        return None


def paging(call: Call, default: int | None = None) -> tuple[int, int]:
    """(offset, count) as getPaginationItems works them out; a count of 0 means all."""
    get, query = call.server.settings.get, call.query
    texts = [query.get("offset") or "0", query.get("count") or ("0" if "count" in query else "")]
    if not all(text.isdecimal() for text in texts if text):
        raise invalid("must be number")
    offset, count = (int(text[:9]) if text else None for text in texts)
    if count is None or (count == 0 and not get("API_Allow_Infinite_Count")):
        count = default if default is not None else int(get("API_Default_Count") or 50)
    return offset or 0, min(count, int(get("API_Upper_Count_Limit") or 100))


def sorting(call: Call, default: Order) -> Order:
    """The `sort` parameter, a JSON object of field: 1 or -1."""
    text = call.query.get("sort")
    if not text:
        return default
    try:
        order = json.loads(text)
    except ValueError:
        order = None
    if not isinstance(order, dict) or not order or any(way not in (1, -1) for way in order.values()):
        raise RocketError("error-invalid-sort", f'Invalid sort parameter provided: "{text}"')
    return [(str(name), int(way)) for name, way in order.items()]


async def listing(  # noqa: PLR0913, PLR0917 - what a page is made of
    call: Call, collection: Any, query: Document, key: str, order: Order, fields: Document | None = None
) -> Document:  # fmt: skip
    """One page of a collection: `{<key>, count, offset, total}`."""
    offset, count = paging(call)
    cursor = collection.find(query, fields).sort(sorting(call, order)).skip(offset)
    rows = await cursor.limit(count).to_list()
    total = offset + len(rows)
    if len(rows) == count or (offset and not rows):
        total = await collection.count_documents(query)
    return {key: rows, "count": len(rows), "offset": offset, "total": total}


async def user_from(call: Call, values: Document) -> Document:
    """The user that `userId`, `username` or `user` names (getUserFromParams)."""
    typed({name: values.get(name) for name in ("userId", "username", "user")})
    uid, name = values.get("userId"), values.get("username") or values.get("user")
    if not uid and not name:
        reason = 'The required "userId" or "username" param was not provided'
        raise RocketError("error-user-param-not-provided", reason)
    user = await call.server.users.find_one({"_id": uid} if uid else {"username": name})
    if user is None:
        reason = 'The required "userId" or "username" param provided does not match any users'
        raise RocketError("error-invalid-user", reason)
    return user


async def users_from(call: Call, values: Document) -> list[Document]:
    """Users by `userIds`, `usernames` or the single forms, without unknown ones (getUserListFromParams)."""
    typed(values)
    sole = values.get("userId") or values.get("username") or values.get("user")
    named = [*(values.get("userIds") or values.get("usernames") or []), *([sole] if sole else [])]
    if not all(isinstance(name, str) for name in named):
        raise invalid("must be string")
    if not named:
        reason = 'Please provide "userId" or "username" or "userIds" or "usernames" as param'
        raise RocketError("error-users-params-not-provided", reason)
    field = "_id" if values.get("userIds") or values.get("userId") else "username"
    return await call.server.users.find({field: {"$in": named}}).to_list()
