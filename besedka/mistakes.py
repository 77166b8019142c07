"""What is wrong with a contract's rows, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from besedka.errors import ContractError
from besedka.names import is_secret

_SETTING = "true, false, a whole number or a text is expected"
_TEXT = "a text in quotation marks is expected"
# pydantic's types of errors whose words a reader of besedka.toml would not know.
_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "the row is missing",
    "tuple_type": "a list is expected",
    "dict_type": "a table is expected",
    "model_type": "a table is expected",
    "bool_type": "true or false is expected",
    "int_type": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "string_type": _TEXT,
    "finite_number": "a whole number is expected",
    "string_too_short": "the text is empty",
}
# A row of [settings] may be any of these, and the first that it is not is told.
_OF_A_VALUE = frozenset({"bool_type", "int_type", "int_from_float", "finite_number"})
# What tells of the value by itself, or has none to tell of.
_TELL_ALL = frozenset({"extra_forbidden", "missing", "value_error", "string_too_short"})
# Of difflib: `chanels` for `channels`, `setings` for `settings`, `readonly` for `read_only`.
_NEARLY = 0.75
# Characters of a name that tell which entry it is.
_LONG = 40


def as_error(
    error: ValidationError, raw: Mapping[str, Any], where: str, model: type[BaseModel]
) -> ContractError:
    """All of them in one error; `raw` are the tables as read, `where` the file, `model` what refused them."""
    rows: list[str] = []
    places: set[str] = set()
    for problem in error.errors(include_url=False):
        kind, found = problem["type"], problem.get("input")
        place = _place(problem["loc"], raw, missing=kind == "missing")
        message = _said(kind, problem.get("ctx", {})) or problem["msg"].removeprefix("Value error, ")
        if "settings" in problem["loc"] and kind in _OF_A_VALUE:
            message = _SETTING
        if kind == "extra_forbidden":
            message += _meant(problem["loc"], model)
        elif kind not in _TELL_ALL and isinstance(found, str | int | float) and not is_secret(place):
            message = f"{_shortened(found)}: {message}"
        if not place:
            rows += message.split("\n")
        elif place not in places:
            rows.append(f"{place}: {message}")
        places.add(place)
    listed = "; ".join(rows)
    return ContractError(
        f"1 wrong row: {listed}" if len(rows) == 1 else f"{len(rows)} wrong rows: {listed}",
        expected="the keys and values described in besedka/contract.py",
        where=where,
        next_step="correct the rows named above; nothing was started or changed",
    )


def _shortened(value: str | float) -> str:
    """The value as Python writes it; of a long text its beginning."""
    return repr(value) if len(text := str(value)) <= _LONG else f"{text[:_LONG]!r}…"


def _said(kind: str, told: Mapping[str, Any]) -> str:
    """What is expected, in our words; empty where pydantic's are as good."""
    match kind:
        case "literal_error":
            return f"{told['expected']} is expected"
        case "greater_than_equal":
            return f"at least {told['ge']} is expected"
        case "less_than_equal":
            return f"at most {told['le']} is expected"
        case "string_too_long":
            return f"at most {told['max_length']} characters are expected"
        case "string_pattern_mismatch":
            blanks, other = "a text without blanks at its ends is expected", told["pattern"]
            return blanks if other.startswith(r"^\S") else f"a text that matches {other} is expected"
    return _WORDS.get(kind, "")


def _meant(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """The key that the table does have and that is spelt nearly so, in words; empty where none is."""
    table: type[BaseModel] | None = model
    for part in location[:-1]:
        if table and part in table.model_fields:
            table = next(iter(_tables(table.model_fields[str(part)].annotation)), None)
    near = get_close_matches(str(location[-1]), table.model_fields if table else (), 1, _NEARLY)
    return f"; is {near[0]!r} meant?" if near else ""


def _tables(annotation: Any) -> Iterable[type[BaseModel]]:
    """The tables that a row of that annotation holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables(inner)


def _place(location: tuple[int | str, ...], raw: Mapping[str, Any], *, missing: bool = False) -> str:
    """The dotted row, without the names of kinds that pydantic adds for a value that may be of several."""
    value: Any = raw
    parts: list[str] = []
    for index, part in enumerate(location):
        absent = missing and index == len(location) - 1
        if isinstance(part, str) and isinstance(value, Mapping) and (part in value or absent):
            inner = value.get(part)
        elif isinstance(part, int) and isinstance(value, list):
            inner = value[part]
        else:
            break
        parts.append(_named(part, index, location, raw))
        value = inner
    return ".".join(parts)


def _named(part: int | str, index: int, place: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """A list index, from 1 on, with the name of its entry, because `users[3]` makes a reader count."""
    if not isinstance(part, int) or index != 1:
        return str(part + 1 if isinstance(part, int) else part)
    entry = raw[str(place[0])][part]
    label = entry.get("username") or entry.get("name") if isinstance(entry, dict) else None
    if isinstance(label, str) and len(label) > _LONG:
        label = f"{label[:_LONG]}…"
    return f"{part + 1} ({label})" if label else str(part + 1)
