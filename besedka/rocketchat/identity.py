"""How Rocket.Chat reads the identity answer (`apps/meteor/app/custom-oauth/server`, 7.7.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Where it looks for an id while there is none, in this order (custom_oauth_server.js, getIdentity and
# transform_helpers.js, normalizers).
_IDS = (
    "id",
    "_id",
    "ID",
    "user_id",
    "CharacterID",
    "user.userid",
    "user.user_id",
    "phid",
    "sub",
    "metadata.uid",
    "userid",
    "ocs.data.id",
)
_PLACE = re.compile(r"\{\{([^}]+)\}\}")


def read(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's fields, with `id`; without one where the answer has nothing that counts as an id."""
    inner = answer.get("result")
    fields = dict(inner if isinstance(inner, Mapping) else answer)
    found = next((value for path in _IDS if (value := _nested(fields, path))), None)
    return fields if found is None else fields | {"id": found}


def value(fields: Mapping[str, Any], row: str) -> Any:
    """What a row of the provider finds: a field, one within another by dots, or a text with `{{field}}`.

    None where it finds nothing. A template with a regular expression is not followed: KeyError.
    """
    if "{{/" in row:
        raise KeyError(row)
    if "{{" not in row:
        return _nested(fields, row)
    return _PLACE.sub(lambda found: str(_nested(fields, found[1])), row)


def plain_field(row: str) -> str | None:
    """The one field that a row of the provider takes as it is; None where it makes a text of fields."""
    found = _PLACE.fullmatch(row)
    field = found[1] if found else row
    return None if "{{" in field or field.startswith("/") else field


def _nested(fields: Any, path: str) -> Any:
    for name in path.strip().split("."):
        fields = fields.get(name) if isinstance(fields, Mapping) else None
    return fields
