"""Answers as people and Rocket.Chat's server wait for them: at once, late, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import requests

from besedka.checks.examination import SERVER_SECONDS
from besedka.checks.finding import Finding, Severity, finding
from besedka.errors import ServiceUnreachableError

# A log-in waits for the token and for the identity, one after the other.
SLOW_SECONDS = 2.5
_EXPECTED = "an answer within a second: each log-in waits for it"
_ADVICE = (
    "Read Daphne's log for what the view waits for: its database, a mail or another server. Do that work "
    "after the answer.",
)
_T = TypeVar("_T")


def too_slow(name: str, error: ServiceUnreachableError, place: str) -> Finding | None:
    """`<name>.hangs`: nobody answered in the time that Rocket.Chat waits. None for any other failure."""
    if not isinstance(error.__cause__, requests.ReadTimeout) and "no answer in" not in error.found:
        return None
    seen = f"no answer within {SERVER_SECONDS:g} s, where Rocket.Chat gives up"
    return finding(f"{name}.hangs", seen, _EXPECTED, place, advice=_ADVICE)


def late(name: str, seconds: float, place: str, advice: tuple[str, ...] = _ADVICE) -> list[Finding]:
    """`<name>.slow` where an answer took so long, and the client still waited for it."""
    if seconds <= SLOW_SECONDS:
        return []
    seen = f"answered after {seconds:.1f} s"
    return [
        finding(f"{name}.slow", seen, _EXPECTED, place, advice=advice, severity=Severity.RISK),
    ]


def answered(ask: Callable[[], requests.Response]) -> requests.Response:
    """The quicker of two answers of a page, as `quicker` asks for it."""
    return quicker(ask, lambda response: response.elapsed.total_seconds())


def quicker(ask: Callable[[], _T], seconds: Callable[[_T], float]) -> _T:
    """The quicker of two answers; the second is asked for where the first was late, as on a busy machine."""
    first = ask()
    if seconds(first) <= SLOW_SECONDS:
        return first
    second = ask()
    return min(first, second, key=seconds)
