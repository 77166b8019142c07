"""`python -m tests.faults.inner_child STACK RESULT PACE COMMANDS word…`: pytest on a stack that is there.

STACK is a file with a `Stack` in JSON, "" for a run that finds its stack by its words. RESULT, written at the
end, is JSON: the exit status, the text of each test that failed, and the ids of those that were skipped. PACE
is "hurried" for a run that is to fail, "patient" for one that is to pass. COMMANDS is where the site's
management commands are lent.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from besedka.pages import site as pages
from besedka.stack import site_commands
from besedka.stack.model import Stack
from tests.faults.lent_commands import borrow

HURRIED = "hurried"
# How long a page is given to begin, and one that has shown its problem to come round after all. Under a fault
# it does neither, and a page that did would pass the test, which is what the declared red is for.
_BEGUN_MILLISECONDS = 1_500
_PATIENCE_MILLISECONDS = 1_000


class _Run:
    """Hands the stack over, and collects how each test that failed said so."""

    def __init__(self, stack: Stack | None) -> None:
        self._stack = stack
        self.failed: dict[str, str] = {}
        self.skipped: list[str] = []

    def pytest_collection(self, session: pytest.Session) -> None:
        # Not at the top: pytest is to import its plugins itself, for their assertions.
        from fixtures.stack import STACK_KEY  # noqa: PLC0415

        if self._stack:
            session.config.stash[STACK_KEY] = self._stack

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.setdefault(report.nodeid, report.longreprtext)
        if report.skipped:
            self.skipped.append(report.nodeid)


def main(stack_file: str, result_file: str, pace: str, commands: str, *words: str) -> None:
    """Run, and write down what came of it."""
    site_commands.run = borrow(commands)
    # Rewritten assertions are kept from run to run, whatever is wished for the sources' own folders.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(result_file).with_name("compiled"))
    if pace == HURRIED:
        pages.BEGUN_MILLISECONDS, pages.PATIENCE_MILLISECONDS = _BEGUN_MILLISECONDS, _PATIENCE_MILLISECONDS
    stack = Stack.from_json(Path(stack_file).read_text("utf-8")) if stack_file else None
    run = _Run(stack)
    status = pytest.main(list(words), [run])
    result = {"status": int(status), "failed": run.failed, "skipped": run.skipped}
    Path(result_file).write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by the interpreter's end, where pymongo waits up to half a second for each of its sleeping threads.
    os._exit(0)
