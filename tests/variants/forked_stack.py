"""An embedded stack whose services, and the run of tests on it, are forks of processes that have imported all.

To import the same modules for each of fifty stacks was half of the time that the variants took.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.progress import quiet
from besedka.resolver import sitecustomize
from besedka.stacks import run_folders
from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.process.forked import ForkServers
from besedka.stacks.process.processes import Guard, guarded
from besedka.stacks.services import forked_commands, options
from besedka.stacks.services.options import ServiceOptions
from faults.fresh import PRELOAD
from fixtures.options import STACK_OPTION
from tests import inner
from tests.faults import inner_run
from tests.faults.remote_commands import remote_commands

_RUN = "tests.variants.inner_child"
# Doctor waits for the server's first ping wherever a proxy is in between.
_PING_SECONDS = "2"
# Read when an interpreter starts, or when a library is imported.
_AT_START = frozenset({sitecustomize.VARIABLE, "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"})
# Of the site only what reads no settings when imported: each stack has its own.
_SITE = (
    "daphne.endpoints",
    "daphne.http_protocol",
    "daphne.ws_protocol",
    "dj_database_url",
    "django.contrib.auth.hashers",
    "django.contrib.staticfiles.finders",
    "django.core.asgi",
    "django.core.checks",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.forms",
    "django.template.loader",
    "django.views.generic",
    "httpx",
    "jwcrypto.jwk",
    "oauthlib.oauth2",
    "requests",
    "twisted.internet.asyncioreactor",
    "twisted.internet.endpoints",
    "twisted.plugins",
    "whitenoise.middleware",
)
_PRELOAD: Mapping[str, Sequence[str]] = {
    "standins.mongo": PRELOAD["standins.mongo"],
    "standins.rocketchat": PRELOAD["standins.rocketchat"],
    "daphne": _SITE,
    "django": _SITE,
    _RUN: inner_run.PRELOAD["pytest"],
}


@dataclass
class ForkedStack(EmbeddedStack):
    """Its services and the site's commands come from `fork_servers`."""

    fork_servers: ForkServers | None = None

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run one of the site's management commands and return what it printed."""
        assert self.fork_servers is not None
        told = self.site_environment
        return forked_commands.run(self.fork_servers, self.folder, told, *arguments, stdin=stdin)


@dataclass(frozen=True)
class Finished:
    """How a run of tests ended, and what it printed."""

    status: int
    printed: str


class Variants:
    """Starts a stack for each overlay, one at a time, and runs tests on it; `close` when there are no more."""

    def __init__(self, folder: Path) -> None:
        self._fork_servers = ForkServers(str(folder), _PRELOAD, folder / "fork-server.log", shared=True)

    def close(self) -> None:
        """End what forks."""
        self._fork_servers.close()

    def run(
        self,
        overlay: Path,
        wanted: ServiceOptions,
        told: Mapping[str, str],
        words: Sequence[str],
        *,
        seconds: float,
    ) -> Finished:
        """What came of `pytest words` on a stack of that contract; `told` is the environment of both."""
        with _environment(told), ExitStack() as ending:
            contract = contracts.load(overlays=[overlay])
            stack = ForkedStack(
                contract,
                run_folders.new(),
                options.find(wanted, contract, say=quiet),
                spawn=self._spawn,
                fork_servers=self._fork_servers,
            )
            ending.callback(stack.stop)
            described = stack.start()
            place = stack.folder / "stack.json"
            place.touch(mode=0o600)
            place.write_text(described.to_json(), "utf-8")
            with remote_commands(stack.manage) as commands:
                return self._tests(stack, [commands, *words, f"{STACK_OPTION}={place}"], told, seconds)

    def _tests(
        self, stack: ForkedStack, words: Sequence[str], told: Mapping[str, str], seconds: float
    ) -> Finished:
        log = stack.folder / "logs" / "tests.log"
        run = self._fork_servers.spawn(
            [sys.executable, "-m", _RUN, *words],
            log=log,
            cwd=PROJECT_ROOT,
            environment=inner.environment(told),
        )
        try:
            status = run.wait(seconds)
        finally:
            assert run.stdin is not None
            run.stdin.close()
        return Finished(status, log.read_text("utf-8", "replace"))

    def _spawn(
        self, command: Sequence[str], *, log: Path, cwd: Path, environment: Mapping[str, str]
    ) -> Guard:
        """A fork, except where the service has to find host names or to trust certificates. Only a new
        interpreter is told of those.
        """
        told = {**environment, "TEST_PING_SECONDS": _PING_SECONDS}
        start = guarded if _AT_START.intersection(environment) else self._fork_servers.spawn
        return start(command, log=log, cwd=cwd, environment=told)


@contextmanager
def _environment(told: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with those rows, as it was before afterwards: a stack's certificates and host
    names are written there, too."""
    before = dict(os.environ)
    os.environ.update(told)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
