"""A stack behind nginx, whose configuration can be another one for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from besedka import address
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import nginx
from faults.front import listens

_START_SECONDS = 10.0


@dataclass
class Behind:
    """A stack behind nginx, whose configuration can be another one for a while."""

    running: EmbeddedStack
    program: str
    told: Contract

    @property
    def sites(self) -> Path:
        """The file of docs/nginx.example.conf."""
        return self.running.folder / nginx.NAME / "besedka.conf"

    def examine(self, *only: str) -> Report:
        """Ask doctor; `only` names checks or layers."""
        assert self.running.stack is not None  # noqa: S101 - `running` yields a started stack
        return examine(self.running.stack.target, self.told, only=only)

    @contextmanager
    def said(self, text: str) -> Iterator[None]:
        """nginx follows that text."""
        right = self.sites.read_text("utf-8")
        self._follow(text)
        try:
            yield
        finally:
            self._follow(right)

    def _follow(self, text: str) -> None:
        self.sites.write_text(text, "utf-8")
        self.running.processes[nginx.NAME].stop()
        self.running.processes[nginx.NAME] = again = ServiceProcess(
            nginx.NAME,
            nginx.serving(self.program),
            log=self.running.folder / "logs" / f"{nginx.NAME}.log",
            cwd=self.sites.parent,
            environment={},
        )
        port = address.port(self.running.contract.site.url)
        again.wait_until(lambda: listens(port), budget=_START_SECONDS, expected="nginx on its port")
