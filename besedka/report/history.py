"""The last runs on this machine: what was green when, and which tests change their mind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from besedka.report.model import RUN_FILE, Outcome, Run

SHOWN = 10
# Passed, failed, passed again: two changes that no change of the product explains by itself.
_CHANGES_OF_A_FLAKE = 2
_BROKEN = {Outcome.FAILED, Outcome.ERROR}


def last_runs(runs_folder: Path, current: Run) -> list[Run]:
    """At most ten runs, oldest first, the current one last. Files of other versions are passed over."""
    found: list[Run] = []
    for path in sorted(runs_folder.glob(f"*/{RUN_FILE}"), reverse=True):
        if path.parent.name == current.id or len(found) == SHOWN - 1:
            continue
        try:
            found.append(Run.read(path))
        except (OSError, ValueError):
            continue
    return [*reversed(found), current]


def flaky(runs: Sequence[Run]) -> set[str]:
    """Tests whose outcome changed twice or more within these runs."""
    outcomes: dict[str, list[bool]] = {}
    for run in runs:
        for test in run.tests:
            if test.outcome in _BROKEN or test.outcome is Outcome.PASSED:
                outcomes.setdefault(test.id, []).append(test.outcome in _BROKEN)
    changes = {name: sum(a != b for a, b in pairwise(row)) for name, row in outcomes.items()}
    return {name for name, count in changes.items() if count >= _CHANGES_OF_A_FLAKE}
