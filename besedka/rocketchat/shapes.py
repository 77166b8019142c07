"""Fields of Rocket.Chat's documents that hold lists or documents, and what to make of one that does not.

A script that writes `roles: "user"` for `roles: ["user"]` stops whoever reads the row: Rocket.Chat refuses
such a log-in (`app/authentication/server/startup/index.js`, error-user-has-no-roles).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_LIST, _DOCUMENT, _DOCUMENTS = "a list", "a document", "a list of documents"
SHAPES: dict[str, dict[str, str]] = {
    "users": {"emails": _DOCUMENTS, "roles": _LIST, "services": _DOCUMENT, "__rooms": _LIST},
    "rocketchat_room": {"u": _DOCUMENT, "muted": _LIST},
    "rocketchat_subscription": {"u": _DOCUMENT, "roles": _LIST},
}


def misshapen(collection: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and shape for each field of the row that has another shape."""
    for name, shape in SHAPES[collection].items():
        if row.get(name) is not None and not _fits(row[name], shape):
            yield name, shape


def whole(collection: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row without the fields that have another shape."""
    bad = {name for name, _ in misshapen(collection, row)}
    return {name: value for name, value in row.items() if name not in bad} if bad else row


def meant(shape: str, value: Any) -> Any:
    """What the value was meant to be; None where nobody can tell."""
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str) and item]
    if shape == _LIST:
        return texts or None
    if shape == _DOCUMENTS:
        return [{"address": text, "verified": True} for text in texts] or None
    return None


def _fits(value: Any, shape: str) -> bool:
    if shape == _DOCUMENT:
        return isinstance(value, dict)
    return isinstance(value, list) and (shape == _LIST or all(isinstance(one, dict) for one in value))
