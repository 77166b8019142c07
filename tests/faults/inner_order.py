"""What a run of the suite inside a test is told."""

from __future__ import annotations

from dataclasses import dataclass

# After an outcome, or in place of one that could not be told.
END = "end"


@dataclass(frozen=True)
class Order:
    """One run of collected tests.

    `stack` is a `Stack` in JSON, `tests` are node ids. `hurried` is a run that is to fail, which does not wait
    long for what a fault keeps from coming. `commands` is where the site's management commands are served.
    """

    stack: str
    tests: tuple[str, ...]
    hurried: bool
    commands: str


@dataclass(frozen=True)
class Outcome:
    """What came of a run: pytest's exit status, how each test that failed said so, and what was skipped."""

    status: int
    failed: dict[str, str]
    skipped: tuple[str, ...]
