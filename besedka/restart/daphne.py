"""The site's Daphne: found, proved to be this project's, stopped; started so that it outlives the command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event

import psutil

from besedka.restart.errors import DaphneNotReadyError, PortHeldError
from besedka.stacks.process.processes import base_environment

APPLICATION = "config.asgi:application"
STOP_SECONDS = 10.0
START_SECONDS = 30.0
POLL_SECONDS = 0.1
TAIL_LINES = 15
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
_LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"} | _EVERYWHERE


def holders(port: int) -> list[int | None]:
    """Ids of the processes that listen on the port of this machine; None for one that may not be seen."""
    return list(
        {
            row.pid
            for row in psutil.net_connections(kind="tcp")
            if row.status == psutil.CONN_LISTEN
            and row.laddr
            and row.laddr.port == port
            and row.laddr.ip in _LOOPBACK
        }
    )


def proved(pid: int | None, web: Path) -> bool:
    """Whether it is certain that the process is Daphne of the site in `web`, started by this user."""
    if pid is None or pid == os.getpid():
        return False
    try:
        process = psutil.Process(pid)
        words = process.cmdline()
        named = any(Path(word).stem == "daphne" for word in words) and APPLICATION in words
        same_user = process.username() == psutil.Process().username()
        return named and same_user and Path(process.cwd()).resolve() == web.resolve()
    except psutil.Error:
        return False


def foreign(port: int, web: Path) -> PortHeldError | None:
    """The error that names who else holds the port; None if nobody does."""
    others = [pid for pid in holders(port) if not proved(pid, web)]
    return _held(port, others[0]) if others else None


def running(port: int, web: Path) -> bool:
    """Whether our Daphne holds the port."""
    return any(proved(pid, web) for pid in holders(port))


def stop(port: int, web: Path) -> bool:
    """Stop our Daphne if it runs, and say whether it did. PortHeldError if somebody else has the port."""
    held = holders(port)
    for pid in held:
        # Asked of each right before the signal: ids are given anew.
        if not proved(pid, web) or pid is None:
            raise _held(port, pid)
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.terminate()
            if not _ended(process):
                process.kill()
                _ended(process)
    return bool(held)


def _ended(process: psutil.Process) -> bool:
    """Whether the process ends within the time to stop.

    A process that has ended is a zombie until its parent asks for its status. `Process.wait` takes a zombie
    for alive. A Daphne of a killed restart becomes one where process 1 adopts nobody.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        Event().wait(POLL_SECONDS)
    return True


def start(  # noqa: PLR0913 - all keywords
    *,
    host: str,
    gateway: str | None,
    port: int,
    web: Path,
    environment: Mapping[str, str],
    log: Path,
    answers: Callable[[], bool],
) -> int:
    """Start Daphne in a session of its own; returns its id once the site answers.

    It listens on `host` for the browser and, if that is another address, on `gateway` for the containers.
    """
    listen = ["-b", host, "-p", str(port)]
    if gateway and gateway != host and host not in _EVERYWHERE:
        listen += ["-e", f"tcp:port={port}:interface={gateway}"]
    with log.open("ab") as output:
        begun = log.stat().st_size
        process = subprocess.Popen(  # noqa: S603 - our own site
            [sys.executable, "-m", "daphne", *listen, APPLICATION],
            cwd=web,
            env=base_environment() | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        status = process.poll()
        if status is not None or time.monotonic() > deadline:
            if status is None:
                process.terminate()
                process.wait()
            with log.open("rb") as file:
                file.seek(begun)
                lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
            ended = f"ended with status {status}" if status is not None else "did not answer in time"
            raise DaphneNotReadyError(
                f"Daphne {ended}; its last lines:\n" + "\n".join(lines),
                expected=f"the site's status on http://{host}:{port} within {START_SECONDS:.0f} s",
                where=str(log),
                next_step="put right what it says; a further run goes on from here",
            )
        Event().wait(POLL_SECONDS)
    return process.pid


def _held(port: int, pid: int | None) -> PortHeldError:
    name = "a process that this user may not see"
    if pid is not None:
        with suppress(psutil.Error):
            name = f"process {pid} ({psutil.Process(pid).name()})"
    return PortHeldError(
        f"port {port} is held by {name}, which is not provably this project's Daphne",
        expected="nobody, or Daphne of this project's web/, started by this user",
        where=f"127.0.0.1:{port}",
        next_step="stop that program yourself, or move it to another port; it was not touched",
    )
