"""The run's page: one HTML file with styles and pictures inside, made of a `Run` alone."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from besedka.language import Language
from besedka.report import wording
from besedka.report.history import flaky, rates
from besedka.report.model import PAGE_FILE, RUN_FILE, CellRow, Run
from besedka.translation import translated

# Screenshots above this size stay beside the page, which is to be sent by mail. Bytes.
_LARGEST_PICTURE = 600_000
_PICTURES = 3
# The first page of a test's first browser, as the evidence names it.
PICTURE = "screenshot-1-1.png"
SLOWEST = 10
_PHASES = ("setup", "call", "teardown")


@cache
def template(language: Language) -> Template:
    """The page's compiled template; to compile it takes some 0.2 s."""
    environment = Environment(
        loader=FileSystemLoader(wording.FOLDER),
        autoescape=select_autoescape(["html", "j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["told"] = lambda text: translated(text, language)
    environment.filters["trouble"] = lambda text: wording.trouble(text, language)
    environment.filters["show_trace"] = show_trace
    environment.filters["reason"] = lambda text: wording.reason(text, language)
    return environment.get_template("page.html.j2")


def html(run: Run, folder: Path, language: Language, runs: Sequence[Run] = ()) -> str:
    """The page as text. `folder` holds the run's files; `runs` are the last ones, oldest first."""
    rooms = list(dict.fromkeys(cell.room for cell in run.cells))
    people: dict[str, dict[str, CellRow]] = {}
    for cell in run.cells:
        people.setdefault(cell.user, {})[cell.room] = cell
    here = {test.id for test in run.tests}
    return template(language).render(
        run=run,
        t=wording.texts(language),
        verdict=wording.verdict(run, language),
        unproven=[wording.left_open(row, language) for row in run.unproven],
        language=language,
        rooms=rooms,
        people=people,
        pictures=_pictures(run, folder),
        evidence=_evidence(run, folder, wording.texts(language)["label"]),
        files=_files(run, folder),
        place=shown(folder),
        started=datetime.fromisoformat(run.started).strftime("%d.%m.%Y %H:%M"),
        phases={name: sum(test.phases.get(name, 0.0) for test in run.tests) for name in _PHASES},
        slowest=sorted(run.tests, key=lambda test: test.seconds, reverse=True)[:SLOWEST],
        runs=runs or [run],
        flaky=flaky(runs or [run]),
        rates={name: rate for name, rate in rates(runs or [run]).items() if name in here},
        picture=PICTURE,
        unexplained={test.id for test in run.unexplained},
    )


def write(run: Run, folder: Path, language: Language, runs: Sequence[Run] = ()) -> Path:
    """Write the page into the run's folder; returns its path."""
    path = folder / PAGE_FILE
    path.write_text(html(run, folder, language, runs), encoding="utf-8")
    return path


def _pictures(run: Run, folder: Path) -> dict[str, str]:
    """Data addresses of the first pictures, by their path: of causes, then of failures without one."""
    wanted = [cause.picture for cause in run.causes if cause.picture]
    wanted += [f"{test.evidence}/{PICTURE}" for test in run.unexplained if test.evidence]
    found: dict[str, str] = {}
    for name in wanted:
        path = folder / name
        if path.is_file() and path.stat().st_size <= _LARGEST_PICTURE and len(found) < _PICTURES:
            data = base64.b64encode(path.read_bytes()).decode()
            found[name] = f"data:image/png;base64,{data}"
    return found


def show_trace(trace: str) -> str:
    """The command that shows a trace. With a port the viewer opens in the browser that is there: without one
    it looks for Playwright's own."""
    return f"python -m playwright show-trace --port 0 {shlex.quote(trace)}"


def shown(folder: Path) -> str:
    """The folder as a command at the project's root names it, else as it is."""
    here = Path.cwd()
    return (folder.relative_to(here) if folder.is_relative_to(here) else folder).as_posix()


def _evidence(run: Run, folder: Path, label: Mapping[str, str]) -> dict[str, list[tuple[str, list[str]]]]:
    """By failed test, the files of both its attempts, as paths relative to the page."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for test in run.broken:
        places = [(label["evidence"], test.evidence)]
        places += [(label["second_evidence"], test.second.evidence)] if test.second else []
        for title, place in places:
            if place and (folder / place).is_dir():
                paths = sorted(path for path in (folder / place).iterdir() if path.is_file())
                names = [path.relative_to(folder).as_posix() for path in paths]
                found.setdefault(test.id, []).append((title, names))
    return found


def _files(run: Run, folder: Path) -> list[str]:
    """What else is in the run's folder: configuration, doctor's report, logs, the data of this page."""
    names = [run.configuration or "", "doctor.json", RUN_FILE]
    there = [name for name in names if name and (folder / name).is_file()]
    return [*there, *sorted(path.relative_to(folder).as_posix() for path in folder.glob("logs/*.log"))]
