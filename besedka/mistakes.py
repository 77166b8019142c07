"""What is wrong with a contract's rows, each with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from besedka.errors import ContractError

_SETTING = "true, false, a whole number or a text is expected"
# pydantic's types of errors whose words a reader of besedka.toml would not know.
_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "the row is missing",
    "tuple_type": "a list is expected",
    "model_type": "a table is expected",
    "bool_type": _SETTING,
    "int_type": _SETTING,
    "int_from_float": _SETTING,
}


def as_error(error: ValidationError, raw: Mapping[str, Any], where: str) -> ContractError:
    """All of them in one error; `raw` are the tables as read, `where` is the file."""
    rows: list[str] = []
    places: set[str] = set()
    for problem in error.errors(include_url=False, include_input=False):
        place = _place(problem["loc"], raw)
        message = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        if not place:
            rows += message.split("\n")
        elif place not in places:
            rows.append(f"{place}: {message}")
        places.add(place)
    return ContractError(
        f"{len(rows)} wrong {'row' if len(rows) == 1 else 'rows'}: " + "; ".join(rows),
        expected="the keys and values described in besedka/contract.py",
        where=where,
        next_step="correct the rows named above; nothing was started or changed",
    )


def _place(location: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """The dotted row, without the names of kinds that pydantic adds for a value that may be of several."""
    value: Any = raw
    parts: list[str] = []
    for index, part in enumerate(location):
        if isinstance(part, str) and isinstance(value, Mapping):
            inner = value.get(part)
        elif isinstance(part, int) and isinstance(value, list):
            inner = value[part]
        else:
            break
        parts.append(_named(part, index, location, raw))
        value = inner
    return ".".join(parts)


def _named(part: int | str, index: int, place: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """A list index with the name of its entry, because `users[3]` makes a reader count."""
    if not isinstance(part, int) or index != 1:
        return str(part)
    entry = raw[str(place[0])][part]
    label = entry.get("username") or entry.get("name") if isinstance(entry, dict) else None
    return f"{part + 1} ({label})" if label else str(part + 1)
