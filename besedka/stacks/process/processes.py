"""Services as processes of this machine: started under a guard, logged to a file, stopped however we end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from besedka.errors import StackStartError
from besedka.stacks.process.supervisor import KEEP, NOW, SIGNAL_OPTION

SUPERVISOR = Path(__file__).with_name("supervisor.py")
POLL_SECONDS = 0.02
STOP_SECONDS = 8.0
TAIL_LINES = 40


class Guard(Protocol):
    """A running guard of one service, as its owner holds it: what `subprocess.Popen` can do."""

    pid: int
    stdin: IO[bytes] | None

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; raises subprocess.TimeoutExpired after `timeout` seconds."""

    def kill(self) -> None:
        """SIGKILL."""


class Spawn(Protocol):
    """Starts a command under a guard: `guarded`, or something that does it faster."""

    def __call__(
        self, command: Sequence[str], *, log: Path, cwd: Path, environment: Mapping[str, str]
    ) -> Guard:
        """`environment` is the whole of it; the output of both goes to `log`."""


def guarded(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    environment: Mapping[str, str],
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Guard:
    """Start a command as a new process under `guard.py`, which asks it to end by `stop_signal`."""
    # Not our own output: who reads that to its end would wait for a service that outlives us.
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the command is the stack's own
            [
                sys.executable,
                "-S",
                "-E",
                str(SUPERVISOR),
                f"{SIGNAL_OPTION}{stop_signal:d}",
                str(log),
                *command,
            ],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=environment,
            # A terminal's Ctrl-C is for pytest, which stops its services in order.
            start_new_session=True,
        )


class ServiceProcess:
    """One service under `guard.py`: it ends when `stop` is called and when this process dies.

    `command` runs in `cwd` with exactly `environment` added to the little that every program needs.
    """

    def __init__(  # noqa: PLR0913 - what a process is told, by keyword
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        environment: Mapping[str, str],
        spawn: Spawn = guarded,
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        whole = base_environment() | dict(environment)
        self._guard = spawn(command, log=log, cwd=cwd, environment=whole)

    @property
    def pid(self) -> int:
        """Id of the guard; the service is its child."""
        return self._guard.pid

    def wait_until(
        self,
        ready: Callable[[], bool],
        *,
        budget: float,
        expected: str,
        seen: Callable[[], str] | None = None,
    ) -> None:
        """Return once `ready()` is true.

        Raises StackStartError when the process ends first or `budget` seconds have passed. The message holds
        what is `seen` in place of it, and the last lines of the service's log. Between two questions this
        waits on the process itself, so a death is noticed at once.
        """
        deadline = time.monotonic() + budget
        while not ready():
            status = self._ended(POLL_SECONDS)
            if status is not None:
                raise self._failure(f"{self.name} ended with status {status} while starting", expected)
            if time.monotonic() > deadline:
                late = f"{self.name} was not ready after {budget:.0f} s"
                late = f"{self.name} was not ready after {budget:.0f} s: {seen()}" if seen else late
                raise self._failure(late, expected)

    def must_live(self, expected: str) -> None:
        """Raises StackStartError, as `wait_until` does, where the process has ended."""
        if not self.alive():
            raise self._failure(f"{self.name} ended with status {self.status} while starting", expected)

    def alive(self) -> bool:
        """Whether the service runs."""
        return self._guard.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status of a service that has ended, None while it runs."""
        return self._guard.poll()

    def stop(self) -> None:
        """End the service and wait until it is gone; harmless when it has ended already."""
        self.begin_stop()
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()

    def begin_stop(self) -> None:
        """Ask the service to end without waiting, so that several can end side by side."""
        if self._guard.stdin and not self._guard.stdin.closed:
            with suppress(BrokenPipeError):
                self._guard.stdin.close()

    def begin_end(self) -> None:
        """Kill the service without waiting, for one whose data nobody wants; `stop` waits."""
        if self._guard.stdin and not self._guard.stdin.closed:
            with suppress(BrokenPipeError):
                self._guard.stdin.write(NOW)
        self.begin_stop()

    def release(self) -> None:
        """Let the service outlive this process; `detached.end` ends it."""
        if self._guard.stdin:
            self._guard.stdin.write(KEEP)
            self._guard.stdin.close()

    def kill(self) -> None:
        """End the service as a crash would (SIGKILL), for tests of what happens then."""
        self._guard.kill()
        self._guard.wait()

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines the service wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _ended(self, seconds: float) -> int | None:
        try:
            return self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _failure(self, found: str, expected: str) -> StackStartError:
        tail = self.tail()
        return StackStartError(
            f"{found}; its last lines:\n{tail}" if tail.strip() else f"{found}; it wrote nothing",
            expected=expected,
            where=str(self.log),
            next_step="read the log named above; nothing of this stack was left running",
        )


def stop_all(processes: Sequence[ServiceProcess]) -> None:
    """Stop several services side by side and wait for all."""
    for process in processes:
        process.begin_stop()
    for process in processes:
        process.stop()


def base_environment() -> dict[str, str]:
    """What any program needs to run, and nothing that would configure a service behind our back."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }
