"""Output of a run's containers in its folder: followed while they run, saved whole before they go."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from docker.errors import DockerException, NotFound  # type: ignore[import-untyped]

from besedka.errors import BesedkaError
from besedka.stacks.docker.engine_errors import ContainersStartError

REPORT_LINES = 15
_END_SECONDS = 5.0


class ContainerLogs:
    """Log files of a run's services, `<folder>/<service>.log`; the site's own is among them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._containers: dict[str, Any] = {}
        self._followers: dict[str, threading.Thread] = {}
        self._wrote: dict[str, threading.Event] = {}

    def file(self, service: str) -> Path:
        """File of a service's output."""
        return self.folder / f"{service}.log"

    def follow(self, service: str, container: Any, *, from_now_on: bool = False) -> None:
        """Copy a container's output to its file until it ends, so that evidence can quote it."""
        self._containers[service] = container
        self.folder.mkdir(parents=True, exist_ok=True)
        follower = threading.Thread(
            target=self._copy, args=(service, container, 0 if from_now_on else "all"), daemon=True
        )
        self._followers[service] = follower
        self._wrote[service] = threading.Event()
        follower.start()

    def save(self) -> None:
        """Write every container's whole output to its file, in place of what was followed so far."""
        for service, container in self._containers.items():
            with suppress(DockerException, requests.RequestException):
                self.file(service).write_bytes(container.logs())

    def put_aside(self, service: str) -> None:
        """Keep what a container has written as `<service>-<n>.log`: another one comes in its place."""
        earlier = len(list(self.folder.glob(f"{service}-*.log")))
        with suppress(DockerException, requests.RequestException):
            self.folder.joinpath(f"{service}-{earlier + 1}.log").write_bytes(
                self._containers.pop(service).logs()
            )
        self.file(service).unlink(missing_ok=True)

    def end(self) -> None:
        """Wait for the followers, which end with their containers."""
        for follower in self._followers.values():
            follower.join(_END_SECONDS)

    def wait_for_output(self, service: str, seconds: float) -> None:
        """Return once the service has written something since the last call, else after `seconds`."""
        if self._wrote[service].wait(seconds):
            self._wrote[service].clear()

    def ended(self, service: str) -> str | None:
        """As `how_ended`, but asks the engine only once the output that is followed has ended.

        Output ends with its container, so this may be asked often.
        """
        return None if self._followers[service].is_alive() else self.how_ended(service)

    def how_ended(self, service: str) -> str | None:
        """How the service's container ended; None while it runs."""
        try:
            self._containers[service].reload()
        except NotFound:
            return "was removed"
        state = self._containers[service].attrs["State"]
        if state["Status"] not in {"exited", "dead"}:
            return None
        killed = " (out of memory)" if state.get("OOMKilled") else ""
        return f"ended with status {state['ExitCode']}{killed}"

    def report(self, error: Exception, waiting: Mapping[str, str]) -> ContainersStartError:
        """One error for a failed start, with the last lines of each service that is not well.

        `waiting`: service → what it was still doing. The whole logs are saved first.
        """
        self.save()
        ended = {name: how for name in self._containers if (how := self.how_ended(name))}
        parts = [error.found if isinstance(error, BesedkaError) else f"{type(error).__name__}: {error}"]
        for name, state in (dict(waiting) | ended).items():
            path = self.file(name)
            if not path.exists():
                continue  # a step such as provisioning, which writes no log
            lines = path.read_text("utf-8", "replace").splitlines()
            tail = [f"    {line}" for line in lines[-REPORT_LINES:]] or ["    (it wrote nothing)"]
            parts += [f"-- {name}: {state}", *tail]
        known = error if isinstance(error, BesedkaError) else BesedkaError("")
        return ContainersStartError(
            "\n".join(parts),
            expected=known.expected or "a stack that is ready",
            where=f"{known.where}; logs: {self.folder}" if known.where else str(self.folder),
            next_step=known.next_step or "read the whole logs there; nothing of this stack was left running",
        )

    def _copy(self, service: str, container: Any, tail: int | str) -> None:
        with (
            suppress(DockerException, requests.RequestException, OSError),
            self.file(service).open("ab", buffering=0) as log,
        ):
            for chunk in container.logs(stream=True, follow=True, tail=tail):
                log.write(chunk)
                self._wrote[service].set()
