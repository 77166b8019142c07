"""The parts of a sharded run as one run: every test once, each cause once, what no part has proved."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from besedka.errors import BesedkaError
from besedka.report.model import CauseRow, CellRow, Outcome, Run, UnprovenRow, Verdict
from besedka.report.wording import unproven

# The worst of the parts is the whole's.
_WORST = (Verdict.INFRASTRUCTURE, Verdict.INTERRUPTED, Verdict.FAILED, Verdict.PASSED, Verdict.NOTHING)
# Left open only where every part leaves it open, and for these values in each.
_BY_NAMES = {"roles": "roles", "one_way": "pages"}
_FOLDERS = ("evidence", "again")


class PartsError(BesedkaError):
    """The runs to be merged are not the parts of one run."""

    exit_status = 36


def merged(parts: Sequence[Run], name: str) -> Run:
    """One run. Raises PartsError where a shard is missing or there twice, or a test is in two of them."""
    _check(parts)
    first = min(parts, key=lambda run: run.started)
    worst = min(parts, key=lambda run: _WORST.index(run.verdict))
    with_chain = next((run for run in parts if run.chain), first)
    return first.model_copy(
        update={
            "id": name,
            "seconds": _span(parts),
            "verdict": worst.verdict,
            "exit_status": worst.exit_status,
            "trouble": "\n\n".join(f"shard {run.shard}: {run.trouble}" for run in parts if run.trouble),
            "stack_seconds": max((run.stack_seconds or 0.0 for run in parts), default=None),
            "signed_in": _signed_in(parts),
            "cells": _cells(parts),
            "causes": _causes(parts),
            "chain": with_chain.chain,
            "tests": tuple(test for run in parts for test in run.tests),
            "unproven": tuple(_unproven(parts)),
            "shard": "",
        }
    )


def with_files(folders: Sequence[Path], to: Path) -> None:
    """Bring the parts' evidence together in one folder, so that the page's links lead to it."""
    for folder in folders:
        for name in _FOLDERS:
            if (folder / name).is_dir():
                shutil.copytree(folder / name, to / name, dirs_exist_ok=True)
        for file in ("configuration.json", "doctor.json"):
            if (folder / file).is_file() and not (to / file).exists():
                shutil.copy(folder / file, to / file)


def durations(runs: Iterable[Run]) -> dict[str, float]:
    """Seconds of each test that passed, the last run's, by its name: what `--shard` divides by."""
    rows = {
        test.id: round(test.seconds, 2)
        for run in sorted(runs, key=lambda run: run.started)
        for test in run.tests
        if test.outcome is Outcome.PASSED
    }
    return dict(sorted(rows.items()))


def _check(parts: Sequence[Run]) -> None:
    shards = sorted(run.shard for run in parts)
    count = int(shards[0].rpartition("/")[2] or 0) if shards else 0
    expected = sorted(f"{number}/{count}" for number in range(1, count + 1))
    names = [test.id for run in parts for test in run.tests]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(names) != len(set(names)) else []
    if shards != expected or twice:
        raise PartsError(
            f"{twice[0]} is in two parts" if twice else f"shards {', '.join(s or 'none' for s in shards)}",
            expected=f"each of {', '.join(expected)} once" if expected else "runs with --shard",
            where="the folders named",
            next_step="name the folder of each shard of one run",
        )


def _span(parts: Sequence[Run]) -> float:
    began = [datetime.fromisoformat(run.started) for run in parts]
    ended = [moment + timedelta(seconds=run.seconds) for moment, run in zip(began, parts, strict=True)]
    return round((max(ended) - min(began)).total_seconds(), 1)


def _signed_in(parts: Sequence[Run]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for run in parts:
        for user, state in run.signed_in.items():
            found[user] = found.get(user, True) and state
    return found


def _cells(parts: Sequence[Run]) -> tuple[CellRow, ...]:
    found: dict[tuple[str, str], CellRow] = {}
    for cell in (cell for run in parts for cell in run.cells):
        known = found.setdefault((cell.user, cell.room), cell)
        proved = tuple(dict.fromkeys((*known.proved, *cell.proved)))
        failed = known.failed or cell.failed
        found[cell.user, cell.room] = known.model_copy(update={"proved": proved, "failed": failed})
    return tuple(found.values())


def _causes(parts: Sequence[Run]) -> tuple[CauseRow, ...]:
    """The first causes of all parts before the others, as each part has them in its own order."""
    found: dict[str, CauseRow] = {}
    deepest = max((len(run.causes) for run in parts), default=0)
    for cause in (run.causes[row] for row in range(deepest) for run in parts if row < len(run.causes)):
        known = found.setdefault(cause.code, cause)
        tests = tuple(dict.fromkeys((*known.tests, *cause.tests)))
        found[cause.code] = known.model_copy(
            update={"tests": tests, "picture": known.picture or cause.picture}
        )
    return tuple(found.values())


def _unproven(parts: Sequence[Run]) -> Iterable[UnprovenRow]:
    rows = {run.shard: run.unproven for run in parts}
    skipped: dict[str, int] = {}
    for row in dict.fromkeys(row.text for run in parts for row in run.unproven):
        told = next(each for run in parts for each in run.unproven if each.text == row)
        if told.kind == "skipped":
            reason = told.values["reason"]
            skipped[reason] = skipped.get(reason, 0) + sum(
                int(told.values["count"]) for run in parts for each in run.unproven if each.text == row
            )
        elif told.kind not in _BY_NAMES and all(told in each for each in rows.values()):
            yield told
    for kind, name in _BY_NAMES.items():
        yield from _open_everywhere(parts, kind, name)
    for reason, count in sorted(skipped.items()):
        yield unproven("skipped", count=str(count), reason=reason)


def _open_everywhere(parts: Sequence[Run], kind: str, name: str) -> Iterable[UnprovenRow]:
    """What every part leaves open of this kind; a part in which nobody signed in proves nothing of it."""
    asked = [run for run in parts if all(row.kind != "nobody" for row in run.unproven)]
    sets = [
        {word for row in run.unproven if row.kind == kind for word in row.values[name].split(", ")}
        for run in asked
    ]
    left = set.intersection(*sets) if sets else set()
    if left:
        yield unproven(kind, **{name: ", ".join(sorted(left))})
