"""`besedka summary`, `bundle` and `merge`: what a run came to, for a CI job, other tools and other people."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.errors import BesedkaError
from besedka.language import Language, chosen
from besedka.report import bundle as bundles
from besedka.report import ctrf, page
from besedka.report import merge as merging
from besedka.report.annotations import workflow_commands
from besedka.report.model import RUN_FILE, Run
from besedka.report.summary import markdown
from besedka.scrub import Scrubber

_RUNS = PROJECT_ROOT / ".besedka" / "runs"

RunFolder = Annotated[
    Path | None, typer.Argument(metavar="RUN", help="Folder of a run; without it, the last one here.")
]


class NoRunError(BesedkaError):
    """There is no run to tell of, or its run.json cannot be read."""

    exit_status = 35


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(summary)
    app.command()(bundle)
    app.command()(merge)


def summary(  # noqa: PLR0913, PLR0917 - one parameter per option
    run: RunFolder = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append to this file instead of printing.")
    ] = None,
    annotate: Annotated[
        bool, typer.Option("--annotate", help="Print GitHub's annotations: the cause at each test's line.")
    ] = False,
    to_ctrf: Annotated[
        Path | None, typer.Option("--ctrf", metavar="FILE", help="Write a Common Test Report there.")
    ] = None,
    link: Annotated[
        list[str] | None, typer.Option(metavar="NAME=URL", help="What was kept of the run; may be repeated.")
    ] = None,
    lang: Annotated[Language | None, typer.Option(help="Language; without it, the environment's.")] = None,
) -> None:
    """Tell what a run came to, as Markdown: causes, their tests, what was slow, what is not proved.

    Exit status: 0, whatever the run came to; 35 no such run.
    """
    folder = found(run)
    told = read(folder)
    links = dict(each.partition("=")[::2] for each in link or ()) or _of_github()
    text = markdown(told, chosen(lang), links)
    if to:
        with to.open("a", encoding="utf-8") as file:
            file.write(text)
    else:
        typer.echo(text)
    if annotate:
        for line in workflow_commands(told):
            typer.echo(line)
    if to_ctrf:
        to_ctrf.parent.mkdir(parents=True, exist_ok=True)
        to_ctrf.write_text(json.dumps(ctrf.document(told), ensure_ascii=False, indent=1), encoding="utf-8")


def bundle(
    run: RunFolder = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The archive; without it, bundle-RUN.zip here.")
    ] = None,
) -> None:
    """Make one archive of a run to send to somebody: page, data, doctor's report, logs, evidence, versions.

    Secrets are taken out, and LIST.txt in it says what is inside. What could not be read stays out.

    Exit status: 0 made; 35 no such run.
    """
    folder = found(run)
    told = read(folder)
    path = to or Path(f"bundle-{told.id}.zip")
    made = bundles.write(folder, path, Scrubber(contracts.load().secrets))
    typer.echo(made.text(told), nl=False)
    typer.echo(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")


def merge(
    parts: Annotated[list[Path], typer.Argument(metavar="RUN…", help="The folder of each shard.")],
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Where run.json, page and evidence of the whole go.")
    ] = PROJECT_ROOT / ".besedka" / "merged",
    durations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the seconds of each test, for --shard.")
    ] = None,
    lang: Annotated[Language | None, typer.Option(help="Language; without it, the environment's.")] = None,
) -> None:
    """Make one run.json and one page of a run's shards. One run that was no shard may be named, too.

    Exit status: 0 merged; 35 no such run; 36 these are not the parts of one run.
    """
    told = outer(parts)
    runs = list(told.values())
    whole = runs[0] if len(runs) == 1 and not runs[0].shard else merging.merged(runs, to.name)
    to.mkdir(parents=True, exist_ok=True)
    merging.with_files(list(told), to)
    whole.write(to)
    typer.echo(f"{page.write(whole, to, chosen(lang))}")
    if durations:
        text = json.dumps(merging.durations(runs), ensure_ascii=False, indent=1)
        durations.write_text(f"{text}\n", encoding="utf-8")


def found(run: Path | None) -> Path:
    """The folder named, else the folder of the run that ended last here. Raises NoRunError."""
    if run:
        return run.parent if run.name == RUN_FILE else run
    files = list(_RUNS.glob(f"*/{RUN_FILE}"))
    if files:
        # Runs inside tests begin after the run that they belong to, and end before it.
        return max(files, key=lambda path: path.stat().st_mtime).parent
    raise NoRunError(
        "no run with a run.json",
        expected="one that had a stack, or wanted one",
        where=str(_RUNS),
        next_step="python3 run.py e2e, or name the folder of a run",
    )


def outer(folders: list[Path]) -> dict[Path, Run]:
    """The runs in these folders but those inside tests, which may be red on purpose. Raises NoRunError."""
    told = {folder: run for folder in folders if not (run := read(folder)).inside}
    if told:
        return told
    raise NoRunError(
        "these are runs inside tests",
        expected="the run that they belong to",
        where=", ".join(map(str, folders)),
        next_step="name the folder of a run of its own",
    )


def read(folder: Path) -> Run:
    """The run in a folder. Raises NoRunError."""
    try:
        return Run.read(folder / RUN_FILE)
    except (OSError, ValueError) as error:
        raise NoRunError(
            f"{type(error).__name__}: {error}",
            expected=f"{RUN_FILE} as docs/run.schema.json describes it",
            where=str(folder / RUN_FILE),
            next_step="name the folder of a run of this version",
        ) from None


def _of_github() -> dict[str, str]:
    """The job's artefacts, where GitHub says who it is."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, number = (os.environ.get(name, "") for name in names)
    return {"artifacts": f"{server}/{repository}/actions/runs/{number}#artifacts"} if number else {}
