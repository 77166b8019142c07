"""Stages and expressions of an aggregation that mongomock has otherwise than MongoDB."""

import operator
from collections.abc import Callable
from typing import Any

from mongomock import aggregate
from pymongo.errors import OperationFailure

from .matching import MISSING, Document, bad, key, reached, sort_key


def _count(name: str, value: Any, least: int, code: int) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    if not whole:
        raise bad(f"invalid argument to {name} stage: Expected a number in: {name}: {value!r}", 5107201)
    if value < least:
        raise bad(f"the {name} must be {'positive' if least else 'non-negative'}: {value}", code)
    return int(value)


def _limit(documents: list[Document], _database: Any, value: Any) -> list[Document]:
    return documents[: _count("$limit", value, 1, 15958)]


def _skip(documents: list[Document], _database: Any, value: Any) -> list[Document]:
    return documents[_count("$skip", value, 0, 5107200) :]


def _sort(documents: list[Document], _database: Any, options: Document) -> list[Document]:
    for path, way in reversed(options.items()):
        if way not in (1, -1) or isinstance(way, bool):
            raise bad(f"the MongoDB stand-in does not sort by {path}: {way}", 238)
        documents = sorted(documents, key=lambda one: sort_key(path, one, way), reverse=way < 0)
    return documents


def _lookup(documents: list[Document], database: Any, options: Document) -> list[Document]:
    """Join by equality; an array on either side matches by its members."""
    names = ("from", "localField", "foreignField", "as")
    if set(options) != set(names) or "." in str(options["as"]):
        raise OperationFailure(f"the MongoDB stand-in does not know such a $lookup: {[*options]}", 238)
    if not all(isinstance(options[name], str) for name in names):
        raise bad("$lookup argument must be a string", 9)
    others = database.get_collection(options["from"])
    joined = []
    for document in documents:
        found = [*reached(document, options["localField"].split("."))]
        wanted = [one for value in found for one in (value if isinstance(value, list) else [value])]
        values = [None if one is MISSING else one for one in wanted] or ([] if found else [None])
        matches = others.search({options["foreignField"]: {"$in": values}}, {}) if values else []
        joined.append(document | {options["as"]: [others.copy_of(others.key_of(one)) for one in matches]})
    return joined


def _group(documents: list[Document], _database: Any, options: Document) -> list[Document]:
    """By value as MongoDB compares it: true is another group than 1."""
    groups: dict[Any, tuple[Any, list[Document]]] = {}
    for document in documents:
        try:
            value = aggregate._parse_expression(options["_id"], document, ignore_missing_keys=True)
        except KeyError:
            value = None
        groups.setdefault(key(value), (value, []))[1].append(document)
    found = groups.values()
    return [aggregate._accumulate_group(options, members) | {"_id": value} for value, members in found]


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq, "$ne": operator.ne, "$gt": operator.gt,
    "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le,
}  # fmt: skip


def _compared(parser: Any, name: str, values: list[Any]) -> Any:
    """A comparison inside an expression, where types are ordered and not kept apart."""
    if not isinstance(values, list) or len(values) != 2:
        raise bad(f"Expression {name} takes exactly 2 arguments.", 16020)
    one, other = (key(parser.parse(value)) for value in values)
    if name == "$cmp":
        return (one > other) - (one < other)
    return _TESTS[name](one, other)


def _set_operator(parser: Any, name: str, values: Any) -> Any:
    if name != "$in":
        return _others(parser, name, values)
    one, many = values
    members = [parser.parse(value) for value in many] if isinstance(many, list) else parser.parse(many)
    if not isinstance(members, list):
        raise bad("$in requires an array as a second argument", 40081)
    return key(parser.parse(one)) in {key(value) for value in members}


def refuse_fields_in_arrays(documents: list[Document], stage: Document) -> None:
    """`$set` on `list.field` writes into every member in MongoDB; mongomock writes beside them."""
    for path in {**stage.get("$set", {}), **stage.get("$addFields", {})}:
        parts = path.split(".")
        for size in range(1, len(parts)):
            if any(isinstance(value, list) for one in documents for value in reached(one, parts[:size])):
                raise OperationFailure(f"the MongoDB stand-in does not set {path} through an array", 238)


_others = aggregate._Parser._handle_set_operator
aggregate._Parser._handle_set_operator = _set_operator  # type: ignore[method-assign]
aggregate._Parser._handle_comparison_operator = _compared  # type: ignore[method-assign]
aggregate._PIPELINE_HANDLERS |= {"$limit": _limit, "$skip": _skip, "$sort": _sort, "$lookup": _lookup}
aggregate._PIPELINE_HANDLERS["$group"] = _group
