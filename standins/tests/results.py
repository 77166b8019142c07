"""One page of what a server was asked: as expected, different (expected and seen), not asked (why).

Written where PAGE_ENV names a file; `besedka conformance` does so and shows it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

PAGE_ENV = "BESEDKA_CONFORMANCE_PAGE"
_QUESTION = "question"
_EQUALS = re.compile(r"assert (?P<seen>.+?) == (?P<expected>.+)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the test's own words beside its outcome."""
    report = yield
    text = getattr(getattr(item, "function", None), "__doc__", None) or ""
    report.user_properties.append((_QUESTION, text.strip().partition("\n")[0]))
    return report


def _asked(report: Any) -> str:
    name = report.nodeid.rpartition("/")[2].replace("::", " ")
    question = dict(report.user_properties).get(_QUESTION, "")
    return f"`{name}` {question}".strip()


def _difference(report: Any) -> str:
    """Expected and seen, as far as the assertion that failed tells them."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = " ".join(str(crash.message if crash else report.longrepr).split())
    found = _EQUALS.search(message)
    if found is None:
        return f"seen: {message[:300]}"
    return f"expected: {found['expected'][:200]}; seen: {found['seen'][:200]}"


def _reason(report: Any) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")


def page(stats: dict[str, list[Any]], server: str) -> str:
    """The results as Markdown."""
    right = [report for report in stats.get("passed", ()) if report.when == "call"]
    wrong = [*stats.get("failed", ()), *stats.get("error", ())]
    left: dict[str, list[str]] = {}
    for report in stats.get("skipped", ()):
        left.setdefault(_reason(report), []).append(_asked(report))
    count = len(right) + len(wrong)
    lines = ["# How this server behaves", "", f"Asked: {server}", ""]
    lines += ["| asked | as expected | different | not asked |", "|---|---|---|---|"]
    lines += [f"| {count} | {len(right)} | {len(wrong)} | {sum(map(len, left.values()))} |"]
    if wrong:
        lines += ["", "## Different", ""]
        lines += [f"- {_asked(report)}<br>{_difference(report)}" for report in wrong]
    if left:
        lines += ["", "## Not asked", "", "| questions | why |", "|---|---|"]
        lines += [f"| {len(asked)} | {why} |" for why, asked in sorted(left.items())]
    return "\n".join(lines) + "\n"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write the page, where one is asked for."""
    wanted = os.environ.get(PAGE_ENV)
    if wanted and not hasattr(config, "workerinput"):
        server = os.environ.get(f"{PAGE_ENV}_SERVER", "the embedded stack's stand-in")
        Path(wanted).write_text(page(terminalreporter.stats, server), encoding="utf-8")
