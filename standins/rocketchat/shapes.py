"""What each REST route takes and gives (`shapes.json`); `openapi.py` makes a document of it.

Types go by name, as in Rocket.Chat's own `packages/rest-typings`; some differ in what is given, and a route
can have its own.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from standins.rocketchat.documents import Document

_DATA = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))
_PYTHON = {"string": str, "boolean": bool, "array": list, "object": dict}
# The documented type of each body field that handlers have checked, with ajv's word for it.
FIELD_TYPES: dict[str, tuple[type, str]] = {
    name: (_PYTHON[word], word) for word, names in _DATA["checked"].items() for name in names.split()
}
_TAKEN: Document = {name: schema for schema, names in _DATA["types"] for name in names.split()}
_GIVEN: Document = _TAKEN | {name: schema for schema, names in _DATA["given"] for name in names.split()}


@dataclass(frozen=True)
class Shape:
    """JSON schemas of what a route takes and gives, and the names that it demands."""

    takes: Document
    gives: Document
    required: list[str]


def shape_of(verb: str, path: str) -> Shape:
    """A route's shape; raises KeyError for a route that has none."""
    routes, one = _DATA["routes"], {"channels": "channel", "groups": "group"}.get(path.partition(".")[0], "")
    keys = (path, f"{verb} {path}", path.replace(f"{one}s.", "*.", 1) if one else path)
    takes, gives, *own = next((routes[key] for key in keys if key in routes), None) or routes[path]
    named, mine = takes.replace("*", "").split(), own[0] if own else {}
    return Shape(
        {name: mine.get(name, _TAKEN[name]) for name in named},
        {name: mine.get(name, _GIVEN[name]) for name in gives.replace("{one}", one).split()},
        [name.rstrip("*") for name in takes.split() if name.endswith("*")],
    )
