"""What a restart asks of the program that runs the services, and what it knows of each.

The engine's side is `engine.DockerServices`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# The order of the restart: who is needed comes before who needs it.
ORDER = ("postgres", "redis", "mongo", "rocketchat")
WEB = "web"
# Statuses of `docker inspect` (State.Status) in which a container does no work and holds nothing open.
STOPPED = ("created", "exited")


@dataclass(frozen=True)
class State:
    """One container: `status` as State.Status of `docker inspect`; `health` as State.Health.Status, "" if
    it has no health check; `ports` those it publishes on the host while it runs.
    """

    status: str
    health: str = ""
    ports: tuple[int, ...] = ()

    @property
    def running(self) -> bool:
        """Whether its main process runs."""
        return self.status == "running"

    @property
    def text(self) -> str:
        """As a message shows it."""
        return f"{self.status}, {self.health}" if self.health else self.status


class Services(Protocol):
    """The containers of one compose project, by the names of its services. No volume is ever touched."""

    def state(self, service: str) -> State | None:
        """How the container is now; None if there is none."""

    def stop(self, service: str) -> None:
        """Stop it and wait until it has; harmless when it stands still."""

    def restart(self, service: str) -> None:
        """Stop it if it runs, and start it; returns when it was started, which is before it is ready."""

    def logs(self, service: str, lines: int) -> str:
        """The last lines it wrote since its last start."""

    def run(
        self,
        service: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        source: Path | None = None,
        sink: Path | None = None,
    ) -> None:
        """Run a command inside. A copy of the file `source` is named by a last argument. What the command
        prints goes to the file `sink`. Raises DumpFailedError unless its status is 0.
        """
