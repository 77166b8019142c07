"""Ports that somebody wishes for, as `site=8001`: read, and refused while another program listens there."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from besedka.errors import BesedkaError, StackStartError, UsageError
from besedka.stacks.process import ports

SERVICES = ("site", "rocketchat", "mongo", "postgres", "redis")
_HIGHEST = 65_535


def read(words: Iterable[str]) -> dict[str, int]:
    """Service → port. Raises UsageError for a word that is none, StackStartError for a port that is taken."""
    found: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in SERVICES or not number.isdecimal() or not 0 < int(number) <= _HIGHEST:
            wanted = f"SERVICE=NUMBER; services are {', '.join(SERVICES)}"
            raise _refused(f"--port {word}", wanted, UsageError)
        if int(number) in found.values():
            raise _refused(f"--port {word}: two services on one port", "a port for each", UsageError)
        found[name] = int(number)
    # What is wrong with the words themselves is said whatever runs here.
    for name, port in found.items():
        word = f"{name}={port}"
        if _is_taken(port):
            raise _refused(f"--port {word}: another program listens there", "a free port of 127.0.0.1")
        # Of two `up` in one moment nobody listens yet; the later one would take the other's services.
        if not ports.lock(port):
            raise _refused(f"--port {word}: another stack is starting there", "a free port of 127.0.0.1")
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _refused(found: str, expected: str, kind: type[BesedkaError] = StackStartError) -> BesedkaError:
    return kind(
        found, expected=expected, where="the command line", next_step="correct it, or leave the option out"
    )
