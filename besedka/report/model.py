"""`run.json`: everything that a run came to, as data with a stable schema (docs/run.schema.json).

Paths are relative to the folder that holds `run.json`. Times are seconds. No value holds a secret: texts
are scrubbed by the code that fills the model in.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

RUN_FILE = "run.json"
PAGE_FILE = "index.html"


class Outcome(StrEnum):
    """What came of a test.

    `error`: its set-up or teardown failed. `not run`: the run ended before it. `quarantined`: it failed, and
    quarantine.toml excuses it for now.
    """

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    QUARANTINED = "quarantined"


class Kind(StrEnum):
    """What a failure is, as far as doctor and a second attempt after the run can tell."""

    UNKNOWN = ""
    PRODUCT = "product"
    INFRASTRUCTURE = "infrastructure"
    FLAKE = "flake"


class Verdict(StrEnum):
    """What a run came to. `infrastructure`: the stack failed, which says nothing about the tests."""

    PASSED = "passed"
    FAILED = "failed"
    INFRASTRUCTURE = "infrastructure"
    INTERRUPTED = "interrupted"
    NOTHING = "nothing"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceRow(_Row):
    """One service of the stack. `nature` is real, stand-in or absent; `where` its address, or the reason."""

    name: str
    version: str
    nature: Literal["real", "stand-in", "absent"]
    where: str


class StackRow(_Row):
    """The stack that the tests ran on."""

    kind: str
    site_url: str
    chat_url: str
    services: tuple[ServiceRow, ...]


class HopRow(_Row):
    """One hop of the SSO chain as doctor walked it. `seen` is its answer, or why it was not asked."""

    name: str
    status: str
    seen: str


class CauseRow(_Row):
    """A finding of doctor; `question` is what it asked.

    `where` holds the place in each language; `picture` a screenshot's path.
    """

    code: str
    question: str = ""
    severity: str
    seen: str
    expected: str
    where: dict[str, str]
    commands: tuple[str, ...]
    advice: tuple[str, ...]
    tests: tuple[str, ...] = ()
    picture: str | None = None


class AttemptRow(_Row):
    """A failed test's second attempt, made after the run."""

    outcome: Outcome
    seconds: float
    reason: str = ""
    evidence: str | None = None


class TestRow(_Row):
    """One test. `phases` are the seconds of setup, call and teardown; `reason` the failure's first line.

    `file` and `line` say where the test stands, from 1. `again` is the command that repeats it alone.
    """

    id: str
    outcome: Outcome
    phases: dict[str, float]
    reason: str = ""
    evidence: str | None = None
    again: str = ""
    file: str = ""
    line: int | None = None
    kind: Kind = Kind.UNKNOWN
    second: AttemptRow | None = None

    @property
    def seconds(self) -> float:
        """All phases together."""
        return sum(self.phases.values())


class CellRow(_Row):
    """One user and one room: whether the contract admits the user, and what passed tests proved."""

    user: str
    room: str
    admitted: bool
    proved: tuple[str, ...] = ()
    failed: bool = False


class UnprovenRow(_Row):
    """Something that the run leaves open: `text` in English, `kind` and `values` for other languages."""

    kind: str
    text: str
    values: dict[str, str] = Field(default_factory=dict)


class Run(_Row):
    """A whole run. `seed` gave the order of its tests; `shard` is `2/3` for a part of a run.

    `job` is the CI job's name, empty elsewhere. `inside` is true for a run inside a test of another, which
    may be red on purpose. `configuration` is the file that holds every value of the contract beside what the
    stack has.
    """

    version: Literal[1] = 1
    id: str
    started: str
    seconds: float
    arguments: tuple[str, ...]
    verdict: Verdict
    exit_status: int
    trouble: str = ""
    stack: StackRow | None = None
    stack_seconds: float | None = None
    signed_in: dict[str, bool] = Field(default_factory=dict)
    cells: tuple[CellRow, ...] = ()
    causes: tuple[CauseRow, ...] = ()
    chain: tuple[HopRow, ...] = ()
    tests: tuple[TestRow, ...] = ()
    unproven: tuple[UnprovenRow, ...] = ()
    seed: int | None = None
    shard: str = ""
    job: str = ""
    inside: bool = False
    configuration: str | None = None

    def count(self, *outcomes: Outcome) -> int:
        """How many tests ended so."""
        return sum(test.outcome in outcomes for test in self.tests)

    @property
    def broken(self) -> tuple[TestRow, ...]:
        """The tests that failed, in any phase."""
        return tuple(test for test in self.tests if test.outcome in {Outcome.FAILED, Outcome.ERROR})

    @property
    def unexplained(self) -> tuple[TestRow, ...]:
        """The failed tests that no cause explains."""
        explained = {name for cause in self.causes for name in cause.tests}
        return tuple(test for test in self.broken if test.id not in explained)

    def write(self, folder: Path) -> Path:
        """Write `run.json` into the folder; returns its path."""
        path = folder / RUN_FILE
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """The inverse of `write`. Raises OSError, and ValueError for a file of another version."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
