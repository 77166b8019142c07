"""`query` and `fields` of the URL: Mongo's own language for callers of the REST API.

After `app/api/server/helpers/parseJsonQuery.ts` and `lib/isValidQuery.ts`: they count before 7.0, since then
only under ALLOW_UNSAFE_QUERY_AND_FIELDS_API_PARAMS, and never again from 9.0 on. Where they do not count they
are ignored, not refused.
"""

import json
from typing import Any

from standins.rocketchat.access import HIDDEN_FIELDS
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError
from standins.rocketchat.registry import Call

_OPERATORS = {"$or", "$and", "$regex"}
_PRIVATE = {*HIDDEN_FIELDS, "services"}


def _asked(call: Call, name: str) -> Document:
    """The parameter's object, empty where it does not count; raises `error-invalid-<name>`."""
    text = call.query.get(name)
    if not text or not call.server.config.unsafe_query:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RocketError(f"error-invalid-{name}", f'Invalid {name} parameter provided: "{text}"')
    return {key: part for key, part in value.items() if key.partition(".")[0] not in _PRIVATE}


def _check_operators(value: Any) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if key.startswith("$") and key not in _OPERATORS:
                raise RocketError("error-invalid-query", f"Invalid operation: {key}")
            if key.partition(".")[0] in _PRIVATE:
                raise RocketError("error-invalid-query", f"Invalid attribute: {key}")
            if key in {"$or", "$and"} and not (
                isinstance(part, list) and part and all(isinstance(one, dict) for one in part)
            ):
                raise RocketError("error-invalid-query", f"Invalid value for {key}")
            if key == "$regex" and not isinstance(part, str):
                raise RocketError("error-invalid-query", f"Invalid value for {key}")
            _check_operators(part)
    elif isinstance(value, list):
        for part in value:
            _check_operators(part)


def narrowed(call: Call, query: Document) -> Document:
    """The route's own query, and on top of it the caller's `query`, which can only narrow it.

    Raises `error-invalid-query` for what is no JSON object and for operators other than $or, $and, $regex.
    """
    asked = _asked(call, "query")
    _check_operators(asked)
    return {"$and": [query, asked]} if query and asked else query or asked


def projection(call: Call) -> Document | None:
    """The caller's `fields`, as a projection; None for all. Raises `error-invalid-fields`."""
    asked = _asked(call, "fields")
    usable = all(isinstance(part, int) and part in {0, 1} for part in asked.values())
    if not usable or len({int(part) for name, part in asked.items() if name != "_id"}) > 1:
        raise RocketError(
            "error-invalid-fields", f'Invalid fields parameter provided: "{call.query["fields"]}"'
        )
    return asked or None
