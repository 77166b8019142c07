"""A fresh stack for each fault, in a fraction of a second: the data of a healthy one, and new processes.

One stack is started and provisioned as ever, doctor proves it clean, and it is stopped. Its data is the
snapshot. Each stack after it gets a copy of that data and services of its own. They have the same addresses,
which stand in the data (Site_Url, redirect URI). Nothing of a stack outlives it but its addresses and its
logs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.errors import StackStartError
from besedka.stacks import run_folders
from besedka.stacks.process.forked import ForkServers
from besedka.stacks.services import forked_commands, mongod
from besedka.stacks.services.options import Programs
from faults.proxied import ProxiedStack

# What each program imports beforehand: nothing that makes a thread or an event loop when imported. Daphne's
# server makes one, so it is left out, but not what it is made of.
PRELOAD = {
    "standins.mongo": ("asyncio", "standins.mongo.commands", "standins.mongo.disk"),
    "standins.rocketchat": (
        "standins.rocketchat.app",
        "standins.rocketchat.boot",
        "standins.rocketchat.sockets",
        "anyio._backends._asyncio",
        "concurrent.futures.thread",
        "httpcore",
        "uvicorn",
        "uvicorn.lifespan.off",
        "uvicorn.protocols.http.auto",
        "uvicorn.protocols.websockets.auto",
    ),
    "daphne": (
        "config.asgi",
        "config.urls",
        "daphne.endpoints",
        "daphne.http_protocol",
        "daphne.ws_protocol",
        "twisted.internet.asyncioreactor",
        "twisted.internet.endpoints",
        "twisted.plugins",
    ),
    # manage.py
    "django": ("config.asgi", "config.urls", "django.core.management", "django.core.checks"),
}
_DATA = ("mongo", "site")


@dataclass
class FreshStack(ProxiedStack):
    """A stack that can be started on a copy of another one's data; `fork_servers` fork its processes."""

    fork_servers: ForkServers | None = None

    def start_again(self, snapshot: Path) -> None:
        """Start the services on a copy of that data; returns when all answer. Raises StackStartError."""
        assert self.stack is not None  # noqa: S101 - `FreshStacks` gives the first one's
        for name in _DATA:
            shutil.copytree(snapshot / name, self.folder / name)
        self.start_mongo()
        self.start_chat()
        self.start_site()
        self.wait_for_chat()
        self.wait_for_site()
        services = (replace(one, pid=self.processes[one.name].pid) for one in self.stack.services)
        self.stack = replace(self.stack, services=tuple(services))

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run one of the site's management commands and return what it printed."""
        if self.fork_servers is None:
            return super().manage(*arguments, stdin=stdin)
        return forked_commands.run(
            self.fork_servers, self.folder, self.site_environment, *arguments, stdin=stdin
        )

    def stop(self) -> None:
        """End every process at once, and remove the data, which nobody wants."""
        for process in self.processes.values():
            process.begin_end()
        super().stop()


class FreshStacks:
    """Makes fresh stacks, one at a time; `close` when there are to be no more."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.folder = run_folders.new()
        # A stack that ends says that its folder may go; those after it need theirs.
        self._stack_folder = self.folder / self.folder.name
        self._snapshot = self.folder / "snapshot"
        (self.folder / "logs").mkdir()
        self._fork_servers = ForkServers(str(self.folder), PRELOAD, self.folder / "logs" / "fork-server.log")
        self._first: FreshStack | None = None

    @contextmanager
    def fresh(self, mood: str | None = None) -> Iterator[FreshStack]:
        """A healthy stack that nobody has touched, for the length of a `with` block.

        `mood` is the mood of the stand-in's web client. Raises StackStartError; nothing is left running then.
        """
        first = self._first or self._cast()
        self._first = first
        stack = self._empty(first.contract)
        stack.programs = replace(stack.programs, client_mood=mood)
        stack.stack = first.stack
        stack.ports, stack.site_environment = first.ports, first.site_environment
        stack.upstream_ports = first.upstream_ports
        try:
            stack.start_again(self._snapshot)
            yield stack
        finally:
            stack.stop()

    def close(self) -> None:
        """End what forks services, and remove the snapshot."""
        self._fork_servers.close()
        shutil.rmtree(self._snapshot, ignore_errors=True)
        run_folders.finished(self.folder)

    def _empty(self, contract: Contract) -> FreshStack:
        programs = Programs(mongod.find(None))
        return FreshStack(
            contract,
            self._stack_folder,
            programs,
            spawn=self._fork_servers.spawn,
            fork_servers=self._fork_servers,
        )

    def _cast(self) -> FreshStack:
        """Start and provision a stack, have it examined, and keep its data."""
        stack = self._empty(self._contract)
        try:
            described = stack.start()
            report = examine(described.target.read_only, self._contract)
            if report.findings:
                raise StackStartError(
                    f"doctor finds something on a stack without a fault: {report.findings[0].code}",
                    expected="no finding",
                    where=str(self.folder),
                    next_step="start a stack (python3 run.py up) and ask: python3 run.py doctor",
                )
            for process in stack.processes.values():
                process.stop()
            for name in _DATA:
                shutil.copytree(stack.folder / name, self._snapshot / name)
        finally:
            stack.stop()
        return stack
