"""Every call of Rocket.Chat's REST API that stands in the code is one that its schemas take, in each version.

The schemas are those by which the stand-in refuses (`standins/rocketchat/schemas.json`, with their sources). Read
is the code itself: a call that no run has reached yet counts too. Names that are put together at run time are
held to by the stand-in, which refuses them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from besedka.contract import PROJECT_ROOT
from standins.rocketchat.schemas import Schema, schema_of, table

_FOLDERS = ("besedka", "fixtures", "faults", "scripts", "web", "packages", "tests/e2e", "tests/api")
_VERBS = {"get": "GET", "post": "POST"}
_FAMILIES = ("channels", "groups")
# A value whose kind only a run knows.
_UNKNOWN = object()
VERSIONS = sorted({since for rows in table().values() for since, _ in rows} | {(6, 13), (7, 7), (9, 0)})


@dataclass(frozen=True)
class Request:
    """One call as it is written; `whole` says that no parameters are added at run time."""

    verb: str
    path: str
    values: dict[str, Any] = field(compare=False)
    whole: bool
    where: str


def _paths(node: ast.expr) -> list[str]:
    """The routes that an expression names; a family of rooms is both."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if not isinstance(node, ast.JoinedStr):
        return []
    texts = [""]
    for part in node.values:
        if isinstance(part, ast.Constant):
            texts = [text + str(part.value) for text in texts]
        elif isinstance(part, ast.FormattedValue) and ast.unparse(part.value).endswith("family"):
            texts = [text + family for text in texts for family in _FAMILIES]
        else:
            return []
    return texts


def _value(node: ast.expr) -> Any:
    return node.value if isinstance(node, ast.Constant) else _UNKNOWN


def requests_in(source: str, where: str) -> Iterator[Request]:
    """The calls `….get("route", name=…)` and `….post("route", name=…)` in a module's text."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        verb = _VERBS.get(node.func.attr)
        values = {word.arg: _value(word.value) for word in node.keywords if word.arg}
        whole = all(word.arg for word in node.keywords)
        for path in _paths(node.args[0]) if verb and len(node.args) == 1 else ():
            if not node.keywords and "." not in path:
                continue  # the look-up of a dictionary's entry
            yield Request(str(verb), path, values, whole, f"{where}:{node.lineno}")


def _written() -> list[Request]:
    modules = [path for folder in _FOLDERS for path in sorted((PROJECT_ROOT / folder).rglob("*.py"))]
    found = [
        request
        for path in modules
        for request in requests_in(path.read_text(encoding="utf-8"), str(path.relative_to(PROJECT_ROOT)))
    ]
    return [request for request in found if f"{request.verb} {request.path}" in table()]


def refusals(request: Request, version: tuple[int, ...]) -> list[str]:
    """What this version's schema has against the request; what a run adds is taken to be right."""
    schema = schema_of(request.verb, request.path, version)
    if schema is None:
        return []
    given = request.values
    values = {name: _fitting(schema, name) if value is _UNKNOWN else value for name, value in given.items()}
    if not request.whole:
        one = (
            [] if any(name.name in values for name in schema.one) else [name.name for name in schema.one[:1]]
        )
        missing = [*one, *(name.name for name in schema.fields if name.required)]
        values |= {name: _fitting(schema, name) for name in missing if name not in values}
    return schema.check(values)[1]


def _fitting(schema: Schema, name: str) -> Any:
    """Some value of the kind that the schema wants of that name."""
    kind = next((known.kind for known in (*schema.fields, *schema.one) if known.name == name), "string")
    some: dict[str, Any] = {
        "number": 1,
        "boolean": True,
        "object": {},
        "strings": [],
        "objects": [],
        "any": 1,
    }
    return some.get(kind, kind.partition("|")[0])


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: ".".join(map(str, version)))
def test_every_version_takes_the_requests_that_are_written(version: tuple[int, ...]) -> None:
    """Measured on 6.13.0: one parameter that came later ended provisioning."""
    written = _written()
    assert written, "no call was recognised: this test reads nothing"
    refused = [
        f"{one.where} {one.verb} {one.path}: {'; '.join(why)}"
        for one in written
        if (why := refusals(one, version))
    ]
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize(
    ("source", "version", "word"),
    [
        ('chat.get("users.info", userId=1, includeUserRooms="true")', (6, 13), "additional"),
        ('chat.get("channels.messages", roomName="vip")', (7, 7), "roomId"),
        ('chat.post("channels.kick", roomId="GENERAL", username=name)', (6, 13), "userId"),
        ('chat.post("users.update", userId=one, data=5)', (7, 0), "must be object"),
        ('chat.post(f"{room.family}.archive", roomId=room.id, name="x")', (6, 0), "additional"),
        ('chat.get("users.info", includeUserRooms="true", **who)', (6, 13), "additional"),
    ],
)
def test_what_a_schema_refuses_is_found(source: str, version: tuple[int, ...], word: str) -> None:
    """The reader and the table together, on calls that are wrong."""
    (wrong,) = [one for one in requests_in(source, "here") if f"{one.verb} {one.path}" in table()]
    assert word in "; ".join(refusals(wrong, version))


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ('chat.get("users.info", userId=1, includeUserRooms="true")', (7, 0)),
        ('chat.get("users.info", userId=1, **query)', (6, 13)),
        ('chat.post("channels.kick", roomId="GENERAL", userId=5)', (6, 13)),
    ],
)
def test_what_a_schema_takes_passes(source: str, version: tuple[int, ...]) -> None:
    """Names that are right, and kinds that ajv makes right."""
    (right,) = requests_in(source, "here")
    assert refusals(right, version) == []
