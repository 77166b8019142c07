"""Which documents a query finds, and in which order: MongoDB's rules, in mongomock's place.

mongomock compares as Python does: true equals 1, the order of an embedded document's keys does not count,
and `{"x.y": null}` knows no scalar. Rules after MongoDB's manual (BSON comparison order; "Query for Null or
Missing Fields"; "Query an Array"), for paths through arrays its jstests/core/query/null_query_semantics.js.
"""

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bson import Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from mongomock import collection as mock
from mongomock import filtering
from pymongo.errors import OperationFailure

Document = dict[str, Any]
Key = tuple[Any, ...]
MISSING: Any = object()
_PATTERNS = (Regex, re.Pattern)
_NAMES = {
    "double": float, "string": str, "object": dict, "array": list, "binData": bytes, "objectId": ObjectId,
    "bool": bool, "date": datetime, "null": type(None), "regex": Regex, "int": int, "timestamp": Timestamp,
    "long": int, "decimal": Decimal128,
}  # fmt: skip
_NUMBERS = {1: "double", 2: "string", 3: "object", 4: "array", 5: "binData", 7: "objectId", 8: "bool"}
_NUMBERS |= {9: "date", 10: "null", 11: "regex", 16: "int", 17: "timestamp", 18: "long", 19: "decimal"}


def bad(text: str, code: int = 2) -> OperationFailure:
    return OperationFailure(text, code)


def _number(value: Any) -> Key:
    """NaN equals itself and comes before every other number; Decimal128 is compared by its value."""
    exact = value.to_decimal() if isinstance(value, Decimal128) else value
    return (10, 0) if math.isnan(exact) else (10, 1, exact)


def _binary(value: Any) -> Key:
    raw = value.bytes if isinstance(value, UUID) else bytes(value)
    return (30, len(raw), raw)


# Types, the rank that MongoDB gives them, and what two of one type are compared by.
_RANKS: tuple[tuple[Any, Callable[[Any], Key]], ...] = (
    (bool, lambda value: (40, value)),
    ((int, float, Decimal128, Decimal), _number),
    (str, lambda value: (15, value)),
    (dict, lambda value: (20, *((key(part)[0], name, key(part)) for name, part in value.items()))),
    ((list, tuple), lambda value: (25, *map(key, value))),
    ((bytes, UUID), _binary),
    (ObjectId, lambda value: (35, value)),
    (datetime, lambda value: (45, value.replace(tzinfo=None))),
    (Timestamp, lambda value: (47, value.time, value.inc)),
    (_PATTERNS, lambda value: (50, str(value.pattern), int(value.flags))),
    (MinKey, lambda _: (1,)),
    (MaxKey, lambda _: (127,)),
)


def key(value: Any) -> Key:
    """What a value is compared by: equal where MongoDB's are, and in its order. Refuses other types."""
    if value is None or value is MISSING:
        return (5,)
    for kind, compared in _RANKS:
        if isinstance(value, kind):
            return compared(value)
    raise bad(f"the MongoDB stand-in does not compare a {type(value).__name__}", 238)


def reached(value: Any, parts: list[str]) -> Iterator[Any]:
    """The values that a path leads to; MISSING where it ends before, none in an array without objects."""
    if not parts:
        yield value
    elif isinstance(value, dict):
        yield from reached(value[parts[0]], parts[1:]) if parts[0] in value else (MISSING,)
    elif isinstance(value, list):
        if parts[0].isdecimal() and int(parts[0]) < len(value):
            yield from reached(value[int(parts[0])], parts[1:])
        for item in value:
            if isinstance(item, dict):
                yield from reached(item, parts)
    else:
        yield MISSING


def _each(values: list[Any]) -> Iterator[Any]:
    """Every value, and the members of those that are arrays."""
    for value in values:
        if isinstance(value, list):
            yield from value
        yield value


def _pattern(condition: Any, options: str = "") -> re.Pattern[str]:
    if isinstance(condition, Regex):
        condition = condition.try_compile()
    if isinstance(condition, re.Pattern):
        return condition
    if not isinstance(condition, str):
        raise bad("$regex has to be a string")
    flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
    if set(options) - set(flags):
        raise bad(f"invalid flag in regex options: {options}", 51108)
    return re.compile(condition, sum(flags[letter] for letter in set(options)))


def _like(values: list[Any], pattern: re.Pattern[str]) -> bool:
    return any(isinstance(value, str) and pattern.search(value) for value in _each(values))


def _equal(values: list[Any], wanted: Any) -> bool:
    if isinstance(wanted, _PATTERNS) and _like(values, _pattern(wanted)):
        return True
    return key(wanted) in {key(value) for value in _each(values)}


def _among(values: list[Any], wanted: Any) -> bool:
    if not isinstance(wanted, list):
        raise bad("$in needs an array")
    return any(_equal(values, one) for one in wanted)


def _compare(test: Callable[[Key, Key], bool]) -> Callable[[list[Any], Any], bool]:
    def compared(values: list[Any], wanted: Any) -> bool:
        limit = key(wanted)
        nan = limit[:2] == (10, 0)
        found = [key(value) for value in _each(values) if value is not MISSING or wanted is None]
        same = (one for one in found if one[0] == limit[0] and (one[:2] == (10, 0)) is nan)
        return any(test(one, limit) for one in same)

    return compared


def _size(values: list[Any], wanted: Any) -> bool:
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or wanted != int(wanted) or wanted < 0:
        raise bad("Failed to parse $size. Expected a non-negative integer")
    return any(isinstance(value, list) and len(value) == wanted for value in values)


def _all(values: list[Any], wanted: Any) -> bool:
    if not isinstance(wanted, list):
        raise bad("$all needs an array")
    inner = [
        one["$elemMatch"] if isinstance(one, dict) and "$elemMatch" in one else MISSING for one in wanted
    ]
    pairs = zip(wanted, inner, strict=True)
    met = [_equal(values, one) if some is MISSING else _member(values, some) for one, some in pairs]
    return bool(met) and all(met)


def _member(values: list[Any], condition: Any) -> bool:
    if not isinstance(condition, dict):
        raise bad("$elemMatch needs an Object")
    of_values = (
        bool(condition) and next(iter(condition)).startswith("$") and not set(condition) <= _LOGIC.keys()
    )
    for item in (member for value in values if isinstance(value, list) for member in value):
        if (
            met([item], condition)
            if of_values
            else isinstance(item, dict | list) and applies(condition, item)
        ):
            return True
    return False


def _is_type(value: Any, name: Any) -> bool:
    name = _NUMBERS.get(name, name) if not isinstance(name, bool) else name
    if name == "number":
        return isinstance(value, int | float | Decimal128) and not isinstance(value, bool)
    if name not in _NAMES:
        raise bad(f"Unknown type name alias: {name}")
    if name in {"int", "long"}:
        wide = type(value).__name__ == "Int64" or (isinstance(value, int) and abs(value) > 2**31 - 1)
        return isinstance(value, int) and not isinstance(value, bool) and wide is (name == "long")
    return isinstance(value, _NAMES[name]) and (name == "bool" or not isinstance(value, bool))


def _type(values: list[Any], wanted: Any) -> bool:
    names = wanted if isinstance(wanted, list) else [wanted]
    return any(_is_type(value, name) for value in _each(values) if value is not MISSING for name in names)


OPERATORS_BY_NAME: dict[str, Callable[[list[Any], Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda values, wanted: not _equal(values, wanted),
    "$in": _among,
    "$nin": lambda values, wanted: not _among(values, wanted),
    "$gt": _compare(lambda one, limit: one > limit),
    "$gte": _compare(lambda one, limit: one >= limit),
    "$lt": _compare(lambda one, limit: one < limit),
    "$lte": _compare(lambda one, limit: one <= limit),
    "$exists": lambda values, wanted: any(value is not MISSING for value in values) is bool(wanted),
    "$size": _size,
    "$all": _all,
    "$elemMatch": _member,
    "$type": _type,
}

OPERATORS = set(OPERATORS_BY_NAME)


def _is_operators(condition: Any) -> bool:
    return isinstance(condition, dict) and bool(condition) and next(iter(condition)).startswith("$")


def met(values: list[Any], condition: Any) -> bool:
    """Whether the values at one path meet its condition: a value to equal, a regex, or operators."""
    if not _is_operators(condition):
        return _equal(values, condition)
    for name, wanted in condition.items():
        if name == "$not":
            if not isinstance(wanted, _PATTERNS) and not _is_operators(wanted):
                raise bad("$not needs a regex or a document")
            if met(values, wanted):
                return False
        elif name == "$regex":
            if not _like(values, _pattern(wanted, str(condition.get("$options", "")))):
                return False
        elif name == "$options":
            if "$regex" not in condition:
                raise bad("$options needs a $regex")
        elif name not in OPERATORS_BY_NAME:
            code = 238 if name == "$mod" else 2
            raise bad(f"unknown operator: {name} (the MongoDB stand-in knows no such)", code)
        elif not OPERATORS_BY_NAME[name](values, wanted):
            return False
    return True


def _every(name: str, parts: Any, document: Any) -> list[bool]:
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise bad(f"{name} must be a nonempty array")
    return [applies(part, document) for part in parts]


_LOGIC: dict[str, Callable[[Any, Any], bool]] = {
    "$and": lambda parts, document: all(_every("$and", parts, document)),
    "$or": lambda parts, document: any(_every("$or", parts, document)),
    "$nor": lambda parts, document: not any(_every("$nor", parts, document)),
    "$expr": lambda part, document: bool(_parse(part, document)),
    "$comment": lambda part, document: True,
}


def _parse(expression: Any, document: Any) -> Any:
    return filtering._filterer_inst.parse_expression[0](expression, document, ignore_missing_keys=True)


def applies(query: Any, document: Any) -> bool:
    """Whether the query finds the document."""
    if not isinstance(query, dict):
        raise bad("the match filter must be an expression in an object", 14)
    for name, condition in query.items():
        if name in _LOGIC:
            if not _LOGIC[name](condition, document):
                return False
        elif name.startswith("$"):
            raise bad(f"unknown top level operator: {name}")
        elif not met(list(reached(document, name.split("."))), condition):
            return False
    return True


def sort_key(path: str, document: Any, direction: int = 1) -> Key:
    """What a document is sorted by: of arrays the least member, going down the greatest; empty ones first."""
    values = list(reached(document, path.split("."))) or [MISSING]
    keys = [key(one) for value in values for one in (value if isinstance(value, list) else [value])]
    return (max if direction < 0 else min)(keys) if keys else (4,)


# mongomock's own $match and $elemMatch go by these rules too.
filtering._filterer_inst.apply = applies  # type: ignore[method-assign]
filtering.filter_applies = mock.filter_applies = applies  # type: ignore[attr-defined]
