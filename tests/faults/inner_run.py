"""Runs tests of the suite inside this process, on the stack of a patient."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout

import pytest

from besedka.faults.caught import NO_STACK
from besedka.stack.model import Stack
from tests import inner

_QUIET = ("-n", "0", "-p", "no:cacheprovider", "--no-diagnosis", "-c", "pytest.ini")
_ANY = "tests/api/test_contract.py"
_WITH_TESTS = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


class _Failures:
    """Collects how each test that failed said so."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.texts.setdefault(report.nodeid, report.longreprtext)


def failures(stack: Stack, nodeids: Iterable[str]) -> dict[str, str]:
    """The text of each test that failed, by node id; of a run that ended before its tests, what it printed.

    The run attaches to the stack, so that it neither starts nor stops anything.
    """
    collected = _Failures()
    # Where no test can run, any would do.
    named = [_ANY if name == NO_STACK else name for name in nodeids]
    outer = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), ThreadPoolExecutor(max_workers=1) as background:
            # A thread of its own: Playwright's event loop of an earlier test may run in this one.
            words = [*_QUIET, *inner.attached(stack, data=True), *named]
            status = background.submit(pytest.main, words, [collected]).result()
    finally:
        os.environ.update(outer)
    if status in _WITH_TESTS:
        return collected.texts
    return {NO_STACK: printed.getvalue()}


def names_what_is_wrong(text: str) -> bool:
    """Whether a failure is an assertion with words of its own, or an error of ours, with what was expected.

    A bare `assert 302 == 400` and a wait whose time was up say nothing.
    """
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    first = marked[0] if marked else ""
    if "found:" in text and "expected:" in text:
        return True
    return first.startswith("AssertionError: ") and "Timeout" not in first
