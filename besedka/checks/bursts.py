"""An address asked as often as a browser's first look asks: a limit, or one of several machines, shows so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from besedka.checks.finding import Finding, finding
from besedka.errors import ServiceUnreachableError

# A browser asks so many at once of one host (HTTP/1.1), and more than fifty to show the chat.
_AT_ONCE = 6
_LIMITED, _GONE = {429, 503}, {502, 504}
_LIMIT = (
    "A limit of the proxy (nginx: limit_req, limit_conn) meets what one browser asks for one page: raise its "
    "rate and its burst for this address."
)
_BACKENDS = (
    "The proxy hands requests on to several machines or programs (upstream), and one of them is gone: take "
    "it out, or start it."
)


def statuses(ask: Callable[[], requests.Response], times: int) -> list[int]:
    """The status of each of so many requests, asked six at a time; of those that were answered."""

    def once(_: int) -> int:
        try:
            return ask().status_code
        except (requests.RequestException, ServiceUnreachableError):
            return 0

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [status for status in pool.map(once, range(times)) if status]


def once_taken(ask: Callable[[], bool], times: int) -> int:
    """The number of the first ask that is taken; 0 where none of so many is."""
    return next((number for number in range(1, times + 1) if ask()), 0)


def uneven(name: str, seen: list[int], place: str) -> list[Finding]:
    """`<name>.limited` or `<name>.one_gone`: some of the requests are refused, and others are not."""
    for code, refusals, fix in (("limited", _LIMITED, _LIMIT), ("one_gone", _GONE, _BACKENDS)):
        refused = [status for status in seen if status in refusals]
        if refused and len(refused) < len(seen):
            told = f"{len(refused)} of {len(seen)} requests in a row are answered {refused[0]}"
            return [finding(f"{name}.{code}", told, "the same answer to each", place, advice=(fix,))]
    return []
