"""Runs tests of the suite on the stack of a breakable stack, in a process of their own.

Inside a test, pytest cannot run another: Playwright's plugin refuses the inner one ("nested soft assertion
scopes are not supported"). That would make every test red, whatever the stack is like.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.stacks.model import Stack
from besedka.stacks.process.forked import ForkServers
from besedka.stacks.process.processes import Guard
from faults import BreakableStack
from faults.caught import NO_STACK
from tests import inner
from tests.faults.inner_order import END, Order, Outcome
from tests.faults.remote_commands import remote_commands

# For the runs that end before their tests. pytest's plugins and what stands beside the tests are left out: it
# imports them itself, so that it can explain their assertions.
PRELOAD = {
    "pytest": (
        "pytest",
        "_pytest.junitxml",
        "_pytest.skipping",
        "_pytest.terminal",
        "_pytest.unittest",
        "_pytest.unraisableexception",
        "execnet",
        "pdb",
        "playwright.sync_api",
        "psutil",
        "requests",
        "slugify",
        "yaml",
        "besedka.checks.run",
        "besedka.checks.chain",
        "besedka.pages.site",
        "besedka.rocketchat.rest",
        "besedka.scrub",
        "besedka.stacks.attached",
        "besedka.stacks.embedded",
        "besedka.stacks.kind",
        "besedka.stacks.versions",
    )
}
SECONDS = 90.0
_COLLECTING = "tests.faults.inner_child"
_THIS_MACHINE = "127.0.0.1"
_QUIET = ("-n", "0", "-p", "no:cacheprovider", "--no-diagnosis", "-c", "pytest.ini")
_ANY = "tests/api/test_urls.py"
_WITH_TESTS = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


class InnerRuns:
    """Runs of tests, one after another, each a fork of a process that has collected them all."""

    def __init__(self, fork_servers: ForkServers, folder: Path, tests: Iterable[str]) -> None:
        self._fork_servers, self._tests = fork_servers, sorted(set(tests) - {NO_STACK})
        self._folder, self._log = folder / "inner", folder / "inner" / "log"
        self._folder.mkdir()
        self._environment = inner.environment({"PYTHONUNBUFFERED": "1"})
        self._collected: tuple[Guard, Connection] | None = None

    def close(self) -> None:
        """End the process that has collected, and remove what the runs left."""
        self._end_collected()
        shutil.rmtree(self._folder)

    def failures(self, breakable: BreakableStack, nodeids: Iterable[str], *, hurried: bool) -> dict[str, str]:
        """The text of each test that failed, by node id; of a run that ended before its tests, what it printed.

        The run is given the stack, so that it neither starts nor stops anything. A run that must find no
        stack attaches to it, as somebody does who is told the addresses. For `hurried` see inner_order.py.
        """
        named = tuple(nodeids)
        if NO_STACK in named:
            return self._attached(breakable.stack)
        before = self._log.stat().st_size if self._log.exists() else 0
        with remote_commands(breakable.running.manage) as commands:
            outcome = self._ordered(Order(breakable.stack.to_json(), named, hurried, commands))
        if outcome is None or outcome.status not in _WITH_TESTS:
            return {NO_STACK: self._log.read_bytes()[before:].decode("utf-8", "replace")}
        assert outcome.skipped == (), "a test that is skipped catches nothing"
        return outcome.failed

    def _attached(self, stack: Stack) -> dict[str, str]:
        log = self._folder / "attached.log"
        log.unlink(missing_ok=True)
        words = [*_QUIET, *inner.attached(stack, data=True), _ANY]
        run = self._spawn([sys.executable, "-m", "pytest", *words], log)
        try:
            status = run.wait(SECONDS)
        finally:
            _release(run)
        return {} if status in _WITH_TESTS else {NO_STACK: log.read_text("utf-8", "replace")}

    def _ordered(self, order: Order) -> Outcome | None:
        """What came of it; None if the run died."""
        self._collected = self._collected or self._collect()
        _process, orders = self._collected
        told: list[Outcome] = []
        try:
            orders.send(order)
            while orders.poll(SECONDS):
                said = orders.recv()
                if said == END:
                    return told[0] if told else None
                told.append(said)
        except (EOFError, OSError):
            self._end_collected()
            return told[0] if told else None
        self._end_collected()
        raise subprocess.TimeoutExpired(" ".join(order.tests), SECONDS)

    def _collect(self) -> tuple[Guard, Connection]:
        key = secrets.token_hex(16)
        with socket.create_server((_THIS_MACHINE, 0)) as server:
            server.settimeout(SECONDS)
            told = [str(server.getsockname()[1]), key]
            process = self._spawn(
                [sys.executable, "-m", _COLLECTING, *told, *_QUIET, *self._tests], self._log
            )
            accepted, _address = server.accept()
        accepted.setblocking(True)
        orders = Connection(accepted.detach())
        deliver_challenge(orders, key.encode())
        answer_challenge(orders, key.encode())
        return process, orders

    def _spawn(self, command: list[str], log: Path) -> Guard:
        return self._fork_servers.spawn(command, log=log, cwd=PROJECT_ROOT, environment=self._environment)

    def _end_collected(self) -> None:
        if self._collected:
            process, orders = self._collected
            self._collected = None
            orders.close()
            _release(process)
            process.wait(SECONDS)


def _release(process: Guard) -> None:
    """Tell the guard that nobody needs its process any more."""
    assert process.stdin is not None
    process.stdin.close()


def names_what_is_wrong(text: str) -> bool:
    """Whether a failure is an assertion with words of its own, or an error of ours, with what was expected.

    A bare `assert 302 == 400`, a wait whose time was up, and an assertion of somebody else's code say nothing.
    """
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    first = marked[0] if marked else ""
    if "found:" in text and "expected:" in text:
        return True
    kind, _, words = first.partition(": ")
    theirs = "site-packages" in text.rstrip().rpartition("\n")[2]
    return (
        kind == "AssertionError" and not words.startswith("assert ") and "Timeout" not in words and not theirs
    )
