"""An embedded stack in the place of a compose project: `Services` over its processes, and over a wire."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.managers import BaseManager
from pathlib import Path

from besedka.restart.services import State
from besedka.stacks.embedded import EmbeddedStack


class EmbeddedServices:
    """mongo and rocketchat are the stack's; postgres, redis and web are only states."""

    def __init__(self, running: EmbeddedStack) -> None:
        self._running = running
        self.states: dict[str, State | None] = {}
        self.calls: list[str] = []

    def set_state(self, service: str, state: State | None) -> None:
        """From now on say this of the service."""
        self.states[service] = state

    def state(self, service: str) -> State | None:
        if service in self.states:
            return self.states[service]
        if service == "web":
            return State("exited")
        process = self._running.processes.get(service)
        return State("running" if process is None or process.alive() else "exited")

    def stop(self, service: str) -> None:
        self.calls.append(f"stop {service}")
        if service in self._running.processes:
            self._running.processes[service].stop()
        if service == "web":
            self.states["web"] = State("exited")

    def restart(self, service: str) -> None:
        self.calls.append(f"restart {service}")
        self.states.pop(service, None)
        if service in self._running.processes:
            self._running.restart(service)

    def logs(self, service: str, lines: int) -> str:
        process = self._running.processes.get(service)
        return process.tail(lines) if process else ""

    def run(
        self,
        service: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        source: Path | None = None,
        sink: Path | None = None,
    ) -> None:
        raise AssertionError(f"the site has SQLite, and {service} was asked to {command}")


KEY = b"of one test"


class Wire(BaseManager):
    """Lets a process that will be killed speak to services that will not."""


@contextmanager
def serving(services: EmbeddedServices) -> Iterator[str]:
    """Answer on a socket for the length of a `with` block; gives its address."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/services"
        Wire.register("services", callable=lambda: services)
        server = Wire(address=address, authkey=KEY).get_server()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield address
        finally:
            server.listener.close()  # type: ignore[attr-defined]


class KillingServices:
    """Passes everything on; dies by SIGKILL when `moment` has come, as `restart mongo` halfway through."""

    def __init__(self, services: EmbeddedServices, moment: str) -> None:
        self._services, self._moment = services, moment

    def __getattr__(self, name: str) -> object:
        return getattr(self._services, name)

    def restart(self, service: str) -> None:
        if self._moment == f"halfway {service}":
            self._services.stop(service)
            os.kill(os.getpid(), signal.SIGKILL)
        self._services.restart(service)
