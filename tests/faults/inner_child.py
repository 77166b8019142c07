"""`python -m tests.faults.inner_child PORT KEY word…`: pytest that collects once, and forks a run for each order.

It takes its orders from the connection at that port of this machine, and ends when the connection does. A fork
answers with an `Outcome`; END follows when it is gone. It finds modules, plugins and tests as a run of its own
would after collecting; fixtures, browser and stack are its own.
"""

from __future__ import annotations

import gc
import inspect
import os
import sys
from contextlib import suppress
from multiprocessing.connection import Client, Connection

import pytest

from besedka import http, language
from besedka.pages import site as pages
from besedka.report import page
from besedka.stacks.model import Stack
from besedka.stacks.services import site_commands
from tests.faults.inner_order import END, Order, Outcome
from tests.faults.remote_commands import borrow

# How long a page is given to begin, and one that has shown its problem to come round after all. Under a fault
# it does neither. A page that did would pass the test, and the declared red would be missing.
_BEGUN_MILLISECONDS = 1_500
_GRACE_MILLISECONDS = 1_000
# How long a hop of the log-in may take.
_HOP_SECONDS = 1.0


def _prepare() -> None:
    """What each run would else make anew: half of a fork's processor time was spent on these three."""
    page.template(language.chosen(None))
    inspect.getmodule(inspect.currentframe())
    http.authorities()


class _Runs:
    """pytest's plugin: collects, forks a run for each order, and in the fork notes how its tests ended."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders
        self.order: Order | None = None
        self.failed: dict[str, str] = {}
        self.skipped: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Take orders, before anything starts a stack for the tests. A fork returns and goes on as if it had
        collected nothing but its own. The collecting process ends its run here.
        """
        _prepare()
        gc.freeze()
        with suppress(EOFError):
            while True:
                order = self._orders.recv()
                # A system that cannot fork obeys once, and collects anew for the next order.
                pid = os.fork() if hasattr(os, "fork") else 0
                if pid == 0:
                    self._obey(order, session, items)
                    return
                os.waitpid(pid, 0)
                self._orders.send(END)
        pytest.exit("there are no more orders", returncode=0)

    def _obey(self, order: Order, session: pytest.Session, items: list[pytest.Item]) -> None:
        # Not at the top: pytest is to import its plugins itself, for their assertions.
        from fixtures.stack import STACK_KEY  # noqa: PLC0415

        if sys.platform == "linux":
            from besedka.stacks.process import death_signal  # noqa: PLC0415 - Linux's alone

            death_signal.die_with_parent()
        self.order = order
        site_commands.run = borrow(order.commands)
        if order.hurried:
            from tests.api import test_pace  # noqa: PLC0415 - see above

            test_pace.limit = _HOP_SECONDS
            pages.BEGUN_MILLISECONDS, pages.GRACE_MILLISECONDS = (
                _BEGUN_MILLISECONDS,
                _GRACE_MILLISECONDS,
            )
        session.config.stash[STACK_KEY] = Stack.from_json(order.stack)
        items[:] = [item for item in items if item.nodeid in order.tests]
        missing = set(order.tests) - {item.nodeid for item in items}
        assert not missing, f"not among the collected tests: {missing}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.setdefault(report.nodeid, report.longreprtext)
        if report.skipped:
            self.skipped.append(report.nodeid)

    def answer(self, status: int) -> None:
        """Tell what came of the run."""
        self._orders.send(Outcome(status, self.failed, tuple(self.skipped)))


def main(port: str, key: str, *words: str) -> None:
    """Collect, and run what is ordered."""
    with Client(("127.0.0.1", int(port)), authkey=key.encode()) as orders:
        runs = _Runs(orders)
        status = pytest.main(list(words), [runs])
        if runs.order:
            runs.answer(int(status))
            sys.stdout.flush()
            # Not by the interpreter's end, where pymongo waits up to half a second for each sleeping thread.
            os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
