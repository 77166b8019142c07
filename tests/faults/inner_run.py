"""Runs tests of the suite on the stack of a patient, in a process of their own.

Inside a test, pytest cannot run another: Playwright's plugin refuses the inner one ("nested soft assertion
scopes are not supported"), which would make every test red, whatever the stack is like.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.faults import Patient
from besedka.faults.caught import NO_STACK
from besedka.stack.forked import Zygotes
from tests import inner
from tests.faults.lent_commands import lent

# pytest's plugins and what stands beside the tests are left out: pytest imports them itself, so that it can
# explain their assertions.
PRELOAD = {
    "tests.faults.inner_child": (
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
        "besedka.stack.attached",
        "besedka.stack.embedded",
        "besedka.stack.kind",
        "besedka.stack.versions",
    )
}
SECONDS = 90.0
_CHILD = "tests.faults.inner_child"
_QUIET = ("-n", "0", "-p", "no:cacheprovider", "--no-diagnosis", "-c", "pytest.ini")
_ANY = "tests/api/test_urls.py"
_WITH_TESTS = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


class InnerRuns:
    """Runs of pytest, one after another, each a fork of a process that has imported what they need."""

    def __init__(self, zygotes: Zygotes, folder: Path) -> None:
        self._zygotes, self._folder = zygotes, folder / "inner"
        self._folder.mkdir()

    def close(self) -> None:
        """Remove what the runs left."""
        shutil.rmtree(self._folder)

    def failures(self, patient: Patient, nodeids: Iterable[str], pace: str) -> dict[str, str]:
        """The text of each test that failed, by node id; of a run that ended before its tests, what it printed.

        The run is given the stack, so that it neither starts nor stops anything. A run that must find no
        stack attaches to it, as somebody does who is told the addresses. For `pace` see inner_child.py.
        """
        named, stack = list(nodeids), patient.stack
        log, result, given = (self._folder / name for name in ("log", "result.json", "stack.json"))
        for path in (log, result):
            path.unlink(missing_ok=True)
        given.write_text(stack.to_json(), "utf-8")
        words = [*_QUIET, *named]
        if NO_STACK in named:
            words = [*_QUIET, *inner.attached(stack, data=True), _ANY]
        told = ["" if NO_STACK in named else str(given), str(result), pace]
        environment = inner.environment({"PYTHONUNBUFFERED": "1"})
        with lent(patient.running.manage) as commands:
            command = [sys.executable, "-m", _CHILD, *told, commands, *words]
            run = self._zygotes.spawn(command, log=log, cwd=PROJECT_ROOT, environment=environment)
            try:
                run.wait(SECONDS)
            finally:
                assert run.stdin is not None
                run.stdin.close()
        said = json.loads(result.read_text("utf-8")) if result.exists() else {"status": None}
        if said["status"] in _WITH_TESTS:
            assert said["skipped"] == [], "a test that is skipped catches nothing"
            failed: dict[str, str] = said["failed"]
            return failed
        return {NO_STACK: log.read_text("utf-8", "replace")}


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
