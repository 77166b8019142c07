"""What is wrong with a contract's rows, each with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from besedka.errors import ContractError


def as_error(error: ValidationError, raw: Mapping[str, Any], where: str) -> ContractError:
    """All of them in one error; `raw` are the tables as read, `where` is the file."""
    rows = []
    for problem in error.errors(include_url=False, include_input=False):
        parts = enumerate(problem["loc"])
        place = ".".join(_named(part, index, problem["loc"], raw) for index, part in parts)
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "unknown key"
        rows += [f"{place}: {message}"] if place else message.split("\n")
    return ContractError(
        f"{len(rows)} wrong {'row' if len(rows) == 1 else 'rows'}: " + "; ".join(rows),
        expected="the keys and values described in besedka/contract.py",
        where=where,
        next_step="correct the rows named above; nothing was started or changed",
    )


def _named(part: int | str, index: int, place: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """A list index with the name of its entry, because `users[3]` makes a reader count."""
    if not isinstance(part, int) or index != 1:
        return str(part)
    entry = raw[str(place[0])][part]
    label = entry.get("username") or entry.get("name") if isinstance(entry, dict) else None
    return f"{part + 1} ({label})" if label else str(part + 1)
