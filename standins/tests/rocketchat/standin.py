"""Stand-ins of a test's own: fresh, with a movable clock, of any version, killed and started again.

They share one MongoDB, each in a database of its own. The variables are those of the real server.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from besedka.contract import PROJECT_ROOT
from besedka.stacks.process.ports import free_port
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import mongod

BUDGET_SECONDS = 60.0
ADMIN, ADMIN_PASSWORD = "boss", "boss123secure"


@dataclass
class Standin:
    """One process of the stand-in. `more` is environment and `options` arguments that only this one is told."""

    folder: Path
    mongo_url: str
    oplog_url: str
    version: str = "7.7.1"
    more: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: ServiceProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it; returns when it names its version."""
        told = {"ROOT_URL": self.url, "PORT": str(self.port), "BIND_IP": "127.0.0.1"}
        told |= {"MONGO_URL": self.mongo_url, "MONGO_OPLOG_URL": self.oplog_url}
        told |= {"ADMIN_USERNAME": ADMIN, "ADMIN_PASS": ADMIN_PASSWORD, "ADMIN_EMAIL": "boss@besedka.test"}
        command = [sys.executable, "-m", "standins.rocketchat", "--movable-clock", "--version", self.version]
        command += self.options
        self.process = ServiceProcess(
            "chat",
            command,
            log=self.folder / f"chat-{self.port}.log",
            cwd=PROJECT_ROOT,
            environment=told | {"PYTHONPATH": str(PROJECT_ROOT)} | self.more,
        )
        self.process.wait_until(self.answers, budget=BUDGET_SECONDS, expected="GET /api/info")

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/info", timeout=2).ok
        except requests.RequestException:
            return False

    def server(self) -> psutil.Process:
        """The server's own process, the child of its guard."""
        assert self.process
        return psutil.Process(self.process.pid).children()[0]

    def kill(self) -> None:
        """SIGKILL; the kernel takes the service along with its guard."""
        assert self.process
        self.process.kill()

    def stop(self) -> None:
        if self.process:
            self.process.stop()


@dataclass(frozen=True)
class Standins:
    """Makes stand-ins over one MongoDB."""

    folder: Path
    mongo_port: int

    @contextmanager
    def running(
        self, *, version: str = "7.7.1", options: tuple[str, ...] = (), **environment: str
    ) -> Iterator[Standin]:
        """One with an empty database, for the length of a `with` block."""
        database = f"rocketchat_{secrets.token_hex(4)}"
        oplog = mongod.url(self.mongo_port, "local")
        standin = Standin(
            self.folder,
            mongod.url(self.mongo_port, database),
            oplog,
            version=version,
            more=environment,
            options=options,
        )
        with ExitStack() as cleanup:
            cleanup.callback(standin.stop)
            standin.start()
            yield standin


@contextmanager
def standins(folder: Path) -> Iterator[Standins]:
    """Their MongoDB, for the length of a `with` block."""
    port = free_port()
    mongo = mongod.start(mongod.find(None), port=port, data=folder / "mongo", log=folder / "mongo.log")
    try:
        mongo.wait_until(
            lambda: mongod.is_primary(port), budget=BUDGET_SECONDS, expected="a writable primary"
        )
        yield Standins(folder, port)
    finally:
        mongo.stop()
