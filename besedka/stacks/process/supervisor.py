"""Runs one service and ends it when its owner is gone, however the owner went.

Started as `python -S -E guard.py [--signal=NUMBER] <log file> <command…>` with a pipe as standard input.
The owner holds the other end: when it closes the pipe, or dies (kill -9 included), the read below ends. The
service is told to stop (by that signal, else SIGTERM), then killed. On Linux the kernel also binds the
service to this guard: a kill -9 of the guard takes the service along. Standard library only: it has to start
in milliseconds.

Exit status: the service's; 143 when the owner ended it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

GRACE_SECONDS = 5.0
ENDED_BY_OWNER = 143
# Written before the pipe is closed: KEEP lets the service outlive its owner, NOW ends it without grace.
KEEP = b"keep"
NOW = b"now"
SIGNAL_OPTION = "--signal="
die_with_parent: Callable[[], None] | None
try:
    # A neighbour: this file is a program, and its folder is where it imports from.
    from death_signal import die_with_parent  # type: ignore[import-not-found,no-redef]
except ImportError:
    die_with_parent = None

TYPE_CHECKING = False  # of `typing`, which would double the time that this takes to start
if TYPE_CHECKING:
    from typing import Protocol

    class Service(Protocol):
        """What has to be known of a service to watch it: what `subprocess.Popen` can do."""

        def wait(self, timeout: float | None = None) -> int:
            """Its exit status; raises subprocess.TimeoutExpired after `timeout` seconds."""

        def send_signal(self, sig: int) -> None:
            """That signal."""

        def kill(self) -> None:
            """SIGKILL."""


def main(log: str, command: list[str], stop_signal: int = signal.SIGTERM) -> int:
    """Run `command` with its output in `log` until it ends or the owner does."""
    # An interrupt from the terminal goes to the whole group; stopping is the owner's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(log, "ab", buffering=0) as output:
        service = subprocess.Popen(  # noqa: S603 - the command is the stack's own
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads are running yet
        )
    return watch(service, stop_signal)


def watch(service: Service, stop_signal: int = signal.SIGTERM) -> int:
    """Wait for a service, and end it when standard input ends first; returns the guard's exit status."""
    ended_by_owner = threading.Event()

    def watch_owner() -> None:
        # The file descriptor, not sys.stdin: a thread inside a buffered read crashes the interpreter's end.
        said = b""
        while part := os.read(0, 1024):
            said += part
        if said == KEEP:
            return
        ended_by_owner.set()
        if said == NOW:
            service.kill()
            return
        service.send_signal(stop_signal)
        try:
            service.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            service.kill()

    threading.Thread(target=watch_owner, daemon=True).start()
    status = service.wait()
    return ENDED_BY_OWNER if ended_by_owner.is_set() else status


if __name__ == "__main__":
    arguments = sys.argv[1:]
    told = (
        int(arguments.pop(0).removeprefix(SIGNAL_OPTION))
        if arguments[0].startswith(SIGNAL_OPTION)
        else signal.SIGTERM
    )
    sys.exit(main(arguments[0], arguments[1:], told))
