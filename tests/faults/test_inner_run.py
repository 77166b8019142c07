"""Runs inside a test that go wrong: each says so, and the next one is not harmed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.stacks.process.forked import ForkServers
from faults import BreakableStack
from faults.caught import NO_STACK
from tests.faults import inner_run
from tests.faults.fault_lab import FaultLab
from tests.faults.inner_run import PRELOAD, InnerRuns

pytestmark = pytest.mark.faults

_TESTS = """
import os, threading
import pytest

def test_passes(stack): pass
def test_fails(stack): assert stack is None, "there is a stack"
def test_dies(): os._exit(3)
def test_hangs(): threading.Event().wait()
def test_is_skipped(): pytest.skip("no reason")
def test_asks_for_a_command_that_is_not_there(manage): manage("no_such_command")
def test_asks_for_a_command(manage): assert manage("help"), "nothing was printed"
"""


@pytest.fixture
def runs(subject: Path, tmp_path: Path) -> Iterator[InnerRuns]:
    """Runs of the tests above instead of those that the catalogue declares."""
    subject.write_text(_TESTS, "utf-8")
    fork_servers = ForkServers(str(tmp_path), PRELOAD, tmp_path / "fork-server.log")
    made = InnerRuns(fork_servers, tmp_path, [str(subject.relative_to(PROJECT_ROOT))])
    yield made
    made.close()
    fork_servers.close()


@pytest.fixture
def breakable(lab: FaultLab) -> Iterator[BreakableStack]:
    """A healthy stack for one test."""
    with lab.fresh() as admitted:
        yield admitted


def test_each_run_ends_as_its_test_does(
    runs: InnerRuns, breakable: BreakableStack, subject: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failures(*names: str) -> dict[str, str]:
        file = subject.relative_to(PROJECT_ROOT).as_posix()
        found = runs.failures(breakable, [f"{file}::{name}" for name in names], hurried=True)
        return {name.rpartition("::")[2]: text for name, text in found.items()}

    assert failures("test_passes") == {}
    assert "there is a stack" in failures("test_passes", "test_fails")["test_fails"]
    assert list(failures("test_dies")) == [NO_STACK], "a run that died is no red test"
    assert "not among the collected tests" in failures("test_misspelt")[NO_STACK]
    with pytest.raises(AssertionError, match="a test that is skipped catches nothing"):
        failures("test_is_skipped")
    assert failures("test_asks_for_a_command") == {}
    (refused,) = failures("test_asks_for_a_command_that_is_not_there").values()
    assert "manage.py no_such_command ended with status 1" in refused
    with monkeypatch.context() as short:
        short.setattr(inner_run, "SECONDS", 1.0)
        with pytest.raises(subprocess.TimeoutExpired, match="test_hangs"):
            failures("test_hangs")
    assert failures("test_passes") == {}
