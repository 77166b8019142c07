"""`python -m tests.faults.inner_child STACK RESULT pytest's words…`: a run of the suite on a stack that is there.

STACK is a file with a `Stack` in JSON, "" for a run that finds its stack by its words. RESULT, written at the
end, is JSON: the exit status, the text of each test that failed, and the ids of those that were skipped.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from besedka.pages import site as pages
from besedka.stack.model import Stack

# How long a page that has shown its problem is given to come round after all. Under a fault it does not, and a
# page that did would pass the test, which is what the declared red is for.
pages.PATIENCE_MILLISECONDS = 1_000


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


def main(stack_file: str, result_file: str, words: list[str]) -> None:
    """Run, and write down what came of it."""
    stack = Stack.from_json(Path(stack_file).read_text("utf-8")) if stack_file else None
    run = _Run(stack)
    status = pytest.main(words, [run])
    result = {"status": int(status), "failed": run.failed, "skipped": run.skipped}
    Path(result_file).write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by the interpreter's end, where pymongo waits up to half a second for each of its sleeping threads.
    os._exit(0)
