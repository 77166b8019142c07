"""Free TCP ports of 127.0.0.1, which no other stack of this machine is given meanwhile.

The system may give a port that it has chosen to somebody else while its service restarts.
Ours come from below the ranges that systems choose from (Linux 32768, macOS and Windows 49152).
A lock on one byte of a file tells other processes; the system takes it back when the holder dies.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
from functools import cache
from itertools import islice
from pathlib import Path

from besedka.errors import StackStartError

try:
    import fcntl
except ImportError:  # Windows: two stacks that start in the same moment can meet
    fcntl = None  # type: ignore[assignment]

_RANGE = range(20_000, 32_000)
_LOCKS = Path(tempfile.gettempdir()) / f"besedka-ports-{os.getuid() if fcntl else 0}"
_given: set[int] = set()


@cache
def _locks() -> int:
    """The file's descriptor, open as long as this process lives; closing it would give all locks up."""
    return os.open(_LOCKS, os.O_RDWR | os.O_CREAT, 0o600)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody holds now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody holds, each given out once. Raises StackStartError."""
    candidates = (
        port
        for port in random.sample(_RANGE, len(_RANGE))
        if port not in _given and _is_free(port) and lock(port)
    )
    found = list(islice(candidates, count))
    if len(found) < count:
        raise StackStartError(
            f"only {len(found)} free ports between {_RANGE.start} and {_RANGE.stop}",
            expected=f"{count}",
            where="127.0.0.1",
            next_step="end programs that listen there: ss -ltn",
        )
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def lock(port: int) -> bool:
    """Take the port for this process; False where another living one was given it."""
    if fcntl:
        try:
            fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            return False
    _given.add(port)
    return True
