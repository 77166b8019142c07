"""Starts services as forks of a process that has imported their modules: a tenth of the time of a new one.

For who starts stack after stack: `ForkServers.spawn` takes the place of `processes.guarded`. What cannot be
forked (another program than `python -m`, a system without fork) is started as a new process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from besedka.errors import StackStartError
from besedka.stacks.process.processes import Guard, base_environment, guarded

FORK_SERVER = Path(__file__).with_name("fork_server.py")
# Imports, on a busy machine.
READY_SECONDS = 60.0
_KILLED = -9
POSSIBLE = hasattr(os, "fork") and hasattr(socket, "send_fds")


class ForkedGuard:
    """A guard forked by a fork server, as `ServiceProcess` holds one."""

    def __init__(self, answers: socket.socket, pipe: IO[bytes]) -> None:
        self.stdin: IO[bytes] | None = pipe
        self._answers = answers
        self._heard = b""
        self._status: int | None = None
        answers.settimeout(READY_SECONDS)
        told = self._number()
        if told is None:
            raise _gone()
        self.pid = told

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; raises subprocess.TimeoutExpired after `timeout` seconds."""
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status

    def kill(self) -> None:
        """SIGKILL."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self._status is None and select.select([self._answers], [], [], timeout)[0]:
            told = self._number()
            # A fork server that is gone has taken its guards along.
            self._status = _KILLED if told is None else told
            self._answers.close()
        return self._status

    def _number(self) -> int | None:
        while b"\n" not in self._heard:
            part = self._answers.recv(64)
            if not part:
                return None
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        return int(line)


class ForkServer:
    """One process that forks services of one environment and folder; ends with `close`, or with us."""

    def __init__(
        self, label: str, modules: Sequence[str], *, log: Path, cwd: Path, environment: Mapping[str, str]
    ) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs, log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, str(FORK_SERVER), label, ",".join(modules)],
                stdin=theirs.fileno(),
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=environment,
                start_new_session=True,
            )

    def fork(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path, given: Path
    ) -> Guard:
        """`python -m module arguments < given`, in a fork under a guard of its own."""
        reading, writing = os.pipe()
        ours, theirs = socket.socketpair()
        pipe = open(writing, "wb")  # noqa: SIM115 - the service's life long
        request = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "log": str(log),
            "input": str(given),
        }
        try:
            socket.send_fds(self._socket, [json.dumps(request).encode()], [reading, theirs.fileno()])
        except OSError as error:
            raise _gone() from error
        finally:
            os.close(reading)
            theirs.close()
        return ForkedGuard(ours, pipe)

    def close(self) -> None:
        """End it; services that still run end with it."""
        self._socket.close()
        self.process.wait()


class ForkServers:
    """A fork server for each environment and folder that a service was asked for in.

    `preload` says for the module of a service what its fork server imports beforehand. `label` names the
    owner in the process list, `log` takes what a fork server itself has to say. With `shared`, one does for
    every environment: then no preloaded module may read it when imported.
    """

    def __init__(
        self, label: str, preload: Mapping[str, Sequence[str]], log: Path, *, shared: bool = False
    ) -> None:
        self._label, self._preload, self._log, self._shared = label, preload, log, shared
        self._running: dict[tuple[str, str, str], ForkServer] = {}

    def spawn(self, command: Sequence[str], *, log: Path, cwd: Path, environment: Mapping[str, str]) -> Guard:
        """Start a service; `processes.Spawn`."""
        module = command[2] if tuple(command[:2]) == (sys.executable, "-m") else ""
        if not POSSIBLE or module not in self._preload:
            return guarded(command, log=log, cwd=cwd, environment=environment)
        return self.fork(command, log=log, cwd=cwd, environment=environment)

    def fork(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        environment: Mapping[str, str],
        given: Path = Path(os.devnull),
    ) -> Guard:
        """Start `python -m MODULE …`, whose module must be one of `preload`, with a file as its input."""
        module = command[2]
        known = base_environment() if self._shared else environment
        key = (module, str(cwd), json.dumps(known, sort_keys=True))
        if key not in self._running:
            self._running[key] = ForkServer(
                self._label, self._preload[module], log=self._log, cwd=cwd, environment=known
            )
        return self._running[key].fork(module, command[3:], environment, log, given)

    def close(self) -> None:
        """End them all."""
        for fork_server in self._running.values():
            fork_server.close()
        self._running.clear()


def _gone() -> StackStartError:
    return StackStartError(
        "the process that forks services ended instead",
        expected="the process id of the forked service",
        where=str(FORK_SERVER),
        next_step="read fork-server.log beside the services' logs",
    )
