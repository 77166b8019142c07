"""The last runs on this machine: what was green when, which tests change their mind, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from pathlib import Path

from besedka.report.model import RUN_FILE, Kind, Outcome, Run

SHOWN = 10
# A rate of a few runs says little; how little, its interval at 95 % shows.
_Z = 1.96
# Passed, failed, passed again: two changes that no change of the product explains by itself.
_CHANGES_OF_A_FLAKE = 2
_BROKEN = {Outcome.FAILED, Outcome.ERROR}


def last_runs(runs_folder: Path, current: Run) -> list[Run]:
    """At most ten runs, oldest first, the current one last.

    Files of other versions are passed over, and runs inside tests.
    """
    found: list[Run] = []
    for path in sorted(runs_folder.glob(f"*/{RUN_FILE}"), reverse=True):
        if path.parent.name == current.id or len(found) == SHOWN - 1:
            continue
        try:
            run = Run.read(path)
        except (OSError, ValueError):
            continue
        found += [] if run.inside else [run]
    return [*reversed(found), current]


@dataclass(frozen=True)
class Rate:
    """How often a test failed, and between which shares the true rate lies with 95 % confidence."""

    failed: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval: right for few runs, and never beyond 0 and 1."""
        share, count = self.failed / self.total, self.total
        middle = share + _Z**2 / (2 * count)
        half = _Z * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
        low, high = ((middle + sign * half) / (1 + _Z**2 / count) for sign in (-1, 1))
        return max(0.0, low), min(1.0, high)


def rates(runs: Sequence[Run]) -> dict[str, Rate]:
    """The rate of each test that has failed within these runs, the most frequent first."""
    outcomes = _outcomes(runs)
    found = {name: Rate(sum(row), len(row)) for name, row in outcomes.items() if any(row)}
    return dict(sorted(found.items(), key=lambda pair: -pair[1].failed / pair[1].total))


def _outcomes(runs: Sequence[Run]) -> dict[str, list[bool]]:
    """By test, whether it failed, oldest first; runs that did not decide it are left out."""
    outcomes: dict[str, list[bool]] = {}
    for run in runs:
        for test in run.tests:
            if test.outcome in _BROKEN or test.outcome is Outcome.PASSED:
                outcomes.setdefault(test.id, []).append(test.outcome in _BROKEN)
    return outcomes


def flaky(runs: Sequence[Run]) -> set[str]:
    """Tests whose outcome changed twice or more within these runs, or that passed when run once more."""
    changes = {name: sum(a != b for a, b in pairwise(row)) for name, row in _outcomes(runs).items()}
    named = {test.id for run in runs for test in run.tests if test.kind is Kind.FLAKE}
    return named | {name for name, count in changes.items() if count >= _CHANGES_OF_A_FLAKE}
