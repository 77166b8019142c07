"""A stack and runs of the suite on it. A worker's faults share it as long as each undo heals it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from besedka import contract as contracts
from besedka.contract import Contract
from besedka.stacks.process.forked import ForkServers
from faults import BreakableStack, catalogue
from faults.caught import NO_STACK, caught_by
from faults.fresh import FreshStacks
from faults.rules import rewritten, to
from tests.faults.inner_run import PRELOAD, InnerRuns

# The chat pages wait as long as the contract allows before they say that the frame is silent. That they do is
# shown elsewhere (tests/e2e/test_visibility.py); here they say the same after two seconds.
_SHORT_SILENCE = rewritten(
    to("/static/besedka_chat/js/patience.js"), r"limit = seconds \* 1000", "limit = 2000"
)


class FaultLab:
    """Hands out breakable stacks, one at a time: a fresh one, or the one that the last undo healed."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._stacks = FreshStacks(contract)
        folder = self._stacks.folder
        self._fork_servers = ForkServers(str(folder), PRELOAD, folder / "logs" / "fork-server.log")
        self.declared = {name for fault in catalogue(contract) for name in caught_by(fault)} - {NO_STACK}
        self._runs = InnerRuns(self._fork_servers, folder, self.declared)
        self._kept: tuple[str | None, BreakableStack, ExitStack] | None = None

    @contextmanager
    def fresh(self, mood: str | None = None) -> Iterator[BreakableStack]:
        """A breakable stack of its own, whose web client has that mood; the stack ends with the `with` block."""
        self._end_kept()
        with (
            self._stacks.fresh(mood) as running,
            BreakableStack.of(running, self._contract) as breakable,
        ):
            yield breakable

    @contextmanager
    def healed(self, mood: str | None = None) -> Iterator[BreakableStack]:
        """A healthy breakable stack, on which doctor must find nothing at the end.

        It is then kept for the next fault. After a failure the next one gets a fresh stack.
        """
        if self._kept and self._kept[0] == mood:
            _, breakable, ending = self._kept
            self._kept = None
        else:
            ending = ExitStack()
            breakable = ending.enter_context(self.fresh(mood))
        with ending:
            yield breakable
            report = breakable.wait_until_healed()
            assert [found.code for found in report.findings] == [], "doctor still finds this after the undo"
            self._kept = mood, breakable, ending.pop_all()

    def _end_kept(self) -> None:
        if self._kept:
            self._kept[2].close()
            self._kept = None

    def failures(self, breakable: BreakableStack, nodeids: Iterable[str]) -> dict[str, str]:
        """See `InnerRuns.failures`; nobody waits long for what a fault keeps from coming."""
        with breakable.ruled("site", _SHORT_SILENCE):
            return self._runs.failures(breakable, nodeids, hurried=True)

    def failures_at_normal_timeouts(
        self, breakable: BreakableStack, nodeids: Iterable[str]
    ) -> dict[str, str]:
        """See `InnerRuns.failures`; everything takes the time that it takes for a user."""
        return self._runs.failures(breakable, nodeids, hurried=False)

    def close(self) -> None:
        """End what was started for all breakable stacks."""
        self._end_kept()
        self._runs.close()
        self._fork_servers.close()
        self._stacks.close()


@pytest.fixture(scope="session")
def lab() -> Iterator[FaultLab]:
    """One for all faults of a worker."""
    made = FaultLab(contracts.load())
    try:
        yield made
    finally:
        made.close()
