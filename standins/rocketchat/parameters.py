"""What REST handlers take from a request: typed fields, paging, the room selector and users named in it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from standins.rocketchat.registry import Call, Document, RocketError

# The documented type of each body field that routes of this part read; ajv's words for a miss.
FIELD_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    name: (kind, word)
    for kind, word, names in (
        (
            str,
            "string",
            "roomId roomName userId username joinCode topic description purpose announcement type rid",
        ),
        (str, "string", "role roleId roleName text msgId alias avatar emoji scope teamId"),
        (bool, "boolean", "readOnly excludeSelf asUser"),
        (list, "array", "userIds usernames attachments permissions"),
        (dict, "object", "message customFields extraData"),
    )
    for name in names.split()
}


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
        raise RocketError("invalid-params", "\n ".join(problems))
    return values


def parse_date(text: str | None) -> datetime | None:
    """An ISO date of the query string, None if there is none; raises invalid-params for another text."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise RocketError("invalid-params", "must be a date") from error


def me(call: Call) -> Document:
    """The caller's user document; raises error-invalid-user for nobody's session."""
    if call.user is None:
        raise RocketError("error-invalid-user", "Invalid user")
    return call.user


def match(*pairs: tuple[Any, type]) -> None:
    """Meteor's `check`: raises error 400 `Match failed` unless each value is of its type."""
    for value, kind in pairs:
        if not isinstance(value, kind):
            raise RocketError(400, "Match failed")


def strict_selector(values: Document, *allowed: str) -> None:
    """A `oneOf` schema: `roomId` or `roomName`, not both, and no other field than `allowed`."""
    given = [name for name in ("roomId", "roomName") if name in values]
    if not given:
        problem = "must have required property 'roomId'\n must have required property 'roomName'"
        raise RocketError("invalid-params", f"{problem}\n must match exactly one schema in oneOf")
    if len(given) == 2 or not set(values) <= {"roomId", "roomName", *allowed}:
        raise RocketError("invalid-params", "must NOT have additional properties")


def paging(call: Call, default: int | None = None) -> tuple[int, int]:
    """(offset, count) as getPaginationItems works them out; a count of 0 means all."""
    settings = call.server.settings
    numbers = []
    for name in ("offset", "count"):
        value = call.query.get(name) or ("0" if name in call.query or name == "offset" else "")
        if value and not value.isdecimal():
            raise RocketError("invalid-params", "must be number")
        numbers.append(int(value[:9]) if value else None)
    offset, count = numbers[0] or 0, numbers[1]
    usual = default if default is not None else int(settings.get("API_Default_Count") or 50)
    if count is None or (count == 0 and not settings.get("API_Allow_Infinite_Count")):
        count = usual
    return offset, min(count, int(settings.get("API_Upper_Count_Limit") or 100))


def sorting(call: Call, default: list[tuple[str, int]]) -> list[tuple[str, int]]:
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


async def listing(  # noqa: PLR0913, PLR0917
    call: Call,
    collection: Any,
    query: Document,
    key: str,
    order: list[tuple[str, int]],
    projection: Document | None = None,
) -> Document:
    """One page of a collection: `{<key>, count, offset, total}`."""
    offset, count = paging(call)
    cursor = collection.find(query, projection).sort(sorting(call, order)).skip(offset)
    rows = await cursor.limit(count).to_list()
    total = offset + len(rows)
    if len(rows) == count or (offset and not rows):
        total = await collection.count_documents(query)
    return {key: rows, "count": len(rows), "offset": offset, "total": total}


async def user_from(call: Call, values: Document) -> Document:
    """The user that `userId`, `username` or `user` names (getUserFromParams)."""
    users = call.server.db.users
    typed({name: values.get(name) for name in ("userId", "username", "user")})
    if values.get("userId"):
        user = await users.find_one({"_id": values["userId"]})
    elif values.get("username") or values.get("user"):
        user = await users.find_one({"username": values.get("username") or values["user"]})
    else:
        reason = 'The required "userId" or "username" param was not provided'
        raise RocketError("error-user-param-not-provided", reason)
    if user is None:
        reason = 'The required "userId" or "username" param provided does not match any users'
        raise RocketError("error-invalid-user", reason)
    return user


async def users_from(call: Call, values: Document) -> list[Document]:
    """The users that `userIds`, `usernames` or the single forms name (getUserListFromParams)."""
    ids, names = typed(values).get("userIds"), values.get("usernames")
    if not ids and not names:
        return [await user_from(call, values)]
    named = ids or names or []
    if not all(isinstance(name, str) for name in named):
        raise RocketError("invalid-params", "must be string")
    query = {"_id" if ids else "username": {"$in": named}}
    return await call.server.db.users.find(query).to_list()
