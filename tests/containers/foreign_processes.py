"""Who and what stands beside a restart: a process of somebody else's, a container that gets well again."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

from besedka.restart import daphne

HEALTHY_SECONDS = 30
# Looks like Daphne by its words, and is none of this project's.
LISTENER = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); "
    "print('listening', flush=True); sys.stdin.read()"
)


class Listener:
    """A process of somebody else's on a port of this machine, in a folder that is not the site's."""

    def __init__(self, port: int, folder: Path) -> None:
        self._command = [sys.executable, "-c", LISTENER, str(port), "daphne", daphne.APPLICATION]
        self._folder = folder

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._running = subprocess.Popen(
            self._command, cwd=self._folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._running.stdout
        assert self._running.stdout.readline()
        return self._running

    def __exit__(self, *_: object) -> None:
        self._running.communicate()


def until_healthy(container: Any) -> None:
    """The engine's health command has failed while the container was paused; wait for the next one."""
    deadline = time.monotonic() + HEALTHY_SECONDS
    container.reload()
    while container.attrs["State"]["Health"]["Status"] != "healthy" or container.status != "running":
        assert time.monotonic() < deadline, container.attrs["State"]
        Event().wait(0.1)
        container.reload()
