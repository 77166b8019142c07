"""What Rocket.Chat's schemas refuse before a handler runs, by route and version, in ajv's words.

The data is `schemas.json`, which names its sources. There is one ajv, with `coerceTypes` and without
`allErrors` (packages/rest-typings/src/v1/Ajv.ts): a number passes where a text is wanted and becomes one. An
object names its first problem only. Measured on 6.13.0: `username: 5` makes an account called 5.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from standins.rocketchat.documents import Document

Version = tuple[int, ...]
_EXTRA = "must NOT have additional properties"
_SCALAR = str | int | float | bool
_NO = object()


@dataclass(frozen=True)
class _Field:
    """One name that a schema takes, whether it must be there, and the kind of its value."""

    name: str
    kind: str
    required: bool

    @classmethod
    def of(cls, text: str) -> "_Field":
        name, _, kind = text.partition(":")
        return cls(name.rstrip("*"), kind or "string", name.endswith("*"))


@dataclass(frozen=True)
class Schema:
    """What one route takes; `one` are names, exactly one of them wanted."""

    fields: tuple[_Field, ...]
    one: tuple[_Field, ...] = ()
    how: str = ""
    open: bool = False
    within: tuple[tuple[str, "Schema"], ...] = ()

    def check(self, values: Document) -> tuple[Document, list[str]]:
        """The values as they come out of ajv, and its problems, none where they pass."""
        if not self.one:
            return self._check_object(values)
        tried = [self._branch(field)._check_object(values) for field in self.one]
        passed = [result for result in tried if not result[1]]
        if len(passed) == 1 or (passed and self.how == "anyOf"):
            return passed[0]
        word = "a schema in anyOf" if self.how == "anyOf" else "exactly one schema in oneOf"
        named = [] if passed else [problems[0] for _, problems in tried]
        return values, [*named, f"must match {word}"]

    def _branch(self, chosen: _Field) -> "Schema":
        return replace(self, fields=(replace(chosen, required=True), *self.fields), one=())

    def _check_object(self, values: Document) -> tuple[Document, list[str]]:
        known = {field.name: field for field in self.fields}
        for field in self.fields:
            if field.required and field.name not in values:
                return values, [f"must have required property '{field.name}'"]
        if not self.open and set(values) - set(known):
            return values, [_EXTRA]
        taken = dict(values)
        for field in self.fields:
            if field.name in values and (values[field.name] is not None or field.required):
                taken[field.name], problem = _value(field.kind, values[field.name])
                if problem:
                    return values, [problem]
        for name, schema in self.within:
            if isinstance(taken.get(name), dict):
                taken[name], problems = schema.check(taken[name])
                if problems:
                    return values, problems
        return taken, []


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value) if isinstance(value, _SCALAR) else _NO


def _number(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value if type(value) in {int, float} else int(bool(value))
    try:
        return float(value) if isinstance(value, str) and value else _NO
    except ValueError:
        return _NO


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    truths: dict[Any, bool] = {"true": True, "false": False, 1: True, 0: False, None: False}
    return truths.get(value, _NO) if isinstance(value, str | int | float | None) else _NO


def _list_of(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        return value if isinstance(value, list) and all(isinstance(one, kind) for one in value) else _NO

    return check


_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "string": (_text, "must be string"),
    "number": (_number, "must be number"),
    "boolean": (_boolean, "must be boolean"),
    "object": (lambda value: value if isinstance(value, dict) else _NO, "must be object"),
    "strings": (_list_of(str), "must be array"),
    "objects": (_list_of(dict), "must be array"),
    "texts": (lambda value: value if isinstance(value, list) else _text(value), "must be string"),
    "any": (lambda value: value, ""),
}


def _value(kind: str, value: Any) -> tuple[Any, str]:
    """The value in its kind, and why it is not of it."""
    if kind == "filled" or "|" in kind:
        taken = _text(value)
        if kind == "filled" and taken == "":
            return value, "must NOT have fewer than 1 characters"
        if kind != "filled" and taken is not _NO and taken not in kind.split("|"):
            return value, "must be equal to one of the allowed values"
        return (value, "must be string") if taken is _NO else (taken, "")
    convert, problem = _KINDS[kind]
    taken = convert(value)
    if taken is not _NO:
        return taken, ""
    if isinstance(value, list) and kind in {"strings", "objects"}:
        problem = "must be string" if kind == "strings" else "must be object"
    return value, problem


def _schema(row: Document) -> Schema:
    within = tuple((name, _schema(inner)) for name, inner in row.get("within", {}).items())
    one, takes = ([_Field.of(text) for text in row.get(name, "").split()] for name in ("one", "takes"))
    return Schema(tuple(takes), tuple(one), row.get("how", ""), bool(row.get("open")), within)


@cache
def table() -> dict[str, list[tuple[Version, Schema]]]:
    """`GET users.info` → its schemas with the version from which each holds, oldest first."""
    text = Path(__file__).with_name("schemas.json").read_text(encoding="utf-8")
    return {
        route: [(tuple(int(part) for part in row["since"].split(".")), _schema(row)) for row in rows]
        for route, rows in json.loads(text)["routes"].items()
    }


def schema_of(verb: str, path: str, version: Version) -> Schema | None:
    """What this version demands of the route; None where it asks no schema."""
    holding = [schema for since, schema in table().get(f"{verb} {path}", ()) if version >= since]
    return holding[-1] if holding else None
