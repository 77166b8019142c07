"""Runs tests of the suite inside this process, on the stack of a patient."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import redirect_stdout

import pytest

from besedka.stack.model import Stack

_QUIET = ("-n", "0", "-p", "no:cacheprovider", "--no-diagnosis", "-c", "pytest.ini")


class _Failures:
    """Collects what failed, and how it said so."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.ran: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            self.ran.add(report.nodeid)
        if report.failed:
            self.texts.setdefault(report.nodeid, report.longreprtext)


def failures(stack: Stack, nodeids: Iterable[str]) -> tuple[set[str], dict[str, str]]:
    """The tests that ran, and the text of each that failed, by node id.

    The run attaches to the stack, so that it neither starts nor stops anything.
    """
    collected = _Failures()
    where = [
        "--stack=attached",
        f"--site-url={stack.site_url}",
        f"--chat-url={stack.chat_url}",
        f"--mongo-url={stack.mongo_url}",
        f"--site-database-url={stack.site_database_url}",
    ]
    outer = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            status = pytest.main([*_QUIET, *where, *nodeids], plugins=[collected])
    finally:
        os.environ.update(outer)
    assert status in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, f"{status}\n{out.getvalue()}"
    return collected.ran, collected.texts
