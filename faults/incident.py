"""The incidents of a real integration, each with the faults that show it or the reason why none can.

They happened to badinoko/besedka between 17 and 30 June 2025. It tried to sign its users in to Rocket.Chat by
single sign-on. `incidents/*.toml` tells them in our words. Numbers have gaps: the list is a selection.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from besedka.checks.check import LAYERS
from besedka.contract import PROJECT_ROOT
from faults.fault import Fault

FOLDER = Path(__file__).with_name("incidents")
# Layer of an incident that no fault shows → what that means.
OUTSIDE: Mapping[str, str] = {
    "habit": "a habit of people, not a state of a stack",
    "same": "a healthy stack looks just the same",
    "script": "a mistake of a script that leaves the stack as it was",
    "browser": "the behaviour or the memory of a browser",
    "start": "a matter of files and machines before there is a stack",
    "unused": "a way that this integration does not go",
}
# A reason says more than the name of its kind.
_SUBSTANCE = 60


@dataclass(frozen=True)
class Incident:
    """What somebody saw, and what it was.

    `layer` is one of doctor's, or of OUTSIDE. `faults` are names of the catalogue, the one nearest to what
    happened first. Without any, `reason` says why no fault is possible. `guards` are tests that keep it from
    coming back beside the faults, as `file::function`.
    """

    number: int
    slug: str
    symptom: str
    cause: str
    layer: str
    faults: tuple[str, ...] = ()
    reason: str = ""
    guards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """Incidents that belong together."""

    title: str
    incidents: tuple[Incident, ...] = field(default=())


def load(folder: Path = FOLDER) -> tuple[Chapter, ...]:
    """Every chapter, in the order of its files. Raises ValueError naming the file that cannot be read so."""
    return tuple(_chapter(path) for path in sorted(folder.glob("*.toml")))


def _chapter(path: Path) -> Chapter:
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        rows = tuple(
            Incident(**(row | {name: tuple(row[name]) for name in ("faults", "guards") if name in row}))
            for row in raw["incident"]
        )
        return Chapter(raw["title"], rows)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error


def problems(incidents: Iterable[Incident], faults: Iterable[Fault], root: Path = PROJECT_ROOT) -> list[str]:
    """What is wrong with the list, one line each; nothing where every incident is answered for."""
    rows, by_name = tuple(incidents), {fault.name: fault for fault in faults}
    numbers, slugs = [row.number for row in rows], [row.slug for row in rows]
    found = [f"{number}: stands there twice" for number in {n for n in numbers if numbers.count(n) > 1}]
    found += [f"{slug}: stands there twice" for slug in {s for s in slugs if slugs.count(s) > 1}]
    for row in rows:
        found += [f"{row.number} {row.slug}: {text}" for text in _problems(row, by_name, root)]
    return sorted(found)


def _problems(row: Incident, faults: Mapping[str, Fault], root: Path) -> Iterator[str]:
    yield from (f"no fault {name}" for name in row.faults if name not in faults)
    if row.faults and row.reason:
        yield "has faults, and a reason why there are none"
    if not row.faults and len(row.reason) < _SUBSTANCE:
        yield f"has no fault, and a reason without substance: {row.reason!r}"
    layers = {faults[name].layer for name in row.faults if name in faults}
    if row.faults and row.layer not in layers:
        yield f"is of the layer {row.layer}, its faults are of {', '.join(sorted(layers)) or 'none'}"
    if not row.faults and row.layer not in OUTSIDE:
        yield f"has no fault, but is of the layer {row.layer}: one of {', '.join(OUTSIDE)}"
    if not row.symptom or not row.cause or row.layer not in {*LAYERS, *OUTSIDE}:
        yield "lacks a symptom, a cause or a layer"
    yield from (f"no test {guard}" for guard in row.guards if not _exists(guard, root))


def _exists(test: str, root: Path) -> bool:
    name, _, function = test.partition("::")
    path = root / name
    return path.is_file() and bool(
        re.search(rf"^def {re.escape(function)}\(", path.read_text("utf-8"), re.MULTILINE)
    )
