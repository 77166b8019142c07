"""`besedka upgrade`: whether a workspace survives an upgrade of Rocket.Chat, and where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from besedka import contract as contracts
from besedka.contract import OVERLAYS_ENV, PROJECT_ROOT
from besedka.progress import Say
from besedka.restart import workspaces
from besedka.restart.upgrade import UpgradeFailedError, Workspace, holds, seed, upgraded
from besedka.stacks import run_folders, versions
from besedka.stacks.kind import KIND_ENV
from besedka.translation import spoken

_TESTS = ("tests/e2e/test_sign_in.py", "tests/e2e/test_membership.py")
_EVERY = ("-m", "e2e")
_SHOWN = 1500


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(upgrade)


def upgrade(  # noqa: PLR0913, PLR0917 - one parameter per option
    old: Annotated[str, typer.Option("--from", metavar="RELEASE", help="Where it begins, e.g. 6.4.8.")],
    new: Annotated[str, typer.Option("--to", metavar="RELEASE", help="Where it leads, e.g. 7.7.1.")],
    kind: Annotated[
        str, typer.Option("--stack", metavar="KIND", help="embedded (the stand-in), or containers.")
    ] = os.environ.get(KIND_ENV) or "embedded",
    plan: Annotated[bool, typer.Option("--plan", help="Say the stops; do nothing.")] = False,
    tests: Annotated[bool, typer.Option(help="Run e2e tests at each stop, not doctor alone.")] = True,
    every: Annotated[
        bool,
        typer.Option("--every-test", help="At the last stop run every e2e test, not the first ones alone."),
    ] = False,
) -> None:
    """Seed a workspace of one release, dump it, and bring it to another, one major version at a time.

    At each stop: provision, nothing lost, doctor, e2e tests. Where a stop fails, data and release go back
    to the beginning. --stack=containers takes images and settings of docker-compose.local.yml; its containers
    and volumes are new ones, and removed at the end.

    Exit status: 0 healthy at each stop; 37 a stop failed. See the end of `besedka --help` for the others.
    """
    console = Console(highlight=False, soft_wrap=True)

    def say(line: str) -> None:
        console.print(spoken(line), markup=False)

    if kind not in {"embedded", "containers"}:
        raise typer.BadParameter(f"--stack={kind} is none of embedded, containers")
    path = versions.path(old, new)
    for release in path:
        row = versions.pair(release)
        say(f"{release}: {row.mongo_image}, takes MongoDB {', '.join(row.mongo_series)}")
    if plan:
        return
    folder = run_folders.new()
    with _at(kind, old, say) as workspace:
        text = _seeded(workspace, folder, _TESTS if tests else ())

        def tested(one: Workspace) -> str:
            last = str(one.contract.chat.version) == path[-1]
            return _tested(one, folder, text, (_EVERY if every and last else _TESTS) if tests else ())

        stops = upgraded(workspace, path, folder / "dump", tested, say)
    say(f"verdict: {' → '.join([old, *(stop.release for stop in stops)])}: healthy at each stop")


@contextmanager
def _at(kind: str, release: str, say: Say) -> Iterator[Workspace]:
    """A new workspace of that release; nothing of it is left."""
    contract = contracts.load()
    made = (
        workspaces.embedded_at(contract, release)
        if kind == "embedded"
        else workspaces.in_containers(contract, release, say=say)
    )
    with made as workspace:
        yield workspace


def _seeded(workspace: Workspace, folder: Path, tests: Sequence[str]) -> str:
    """Sign everybody in, and write something that must still be there at the end."""
    if trouble := _run_tests(workspace, folder, tests) if tests else "":
        raise UpgradeFailedError(
            f"{workspace.contract.chat.version}, before the upgrade: {trouble}",
            expected="a healthy workspace to begin with",
            where=str(folder),
            next_step="run doctor",
        )
    return seed(workspace)


def _tested(workspace: Workspace, folder: Path, text: str, tests: Sequence[str]) -> str:
    """Why the stop fails: what was written is gone, or a test is red; nothing where all is well."""
    if not holds(workspace, text):
        return f"the message of the beginning is not in {workspace.contract.default_channel.name}"
    return _run_tests(workspace, folder, tests) if tests else ""


def _run_tests(workspace: Workspace, folder: Path, tests: Sequence[str]) -> str:
    """The end of pytest's output where it fails."""
    release = str(workspace.contract.chat.version)
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "stack.json"
    told.write_text(workspace.stack.to_json(), "utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", *tests, f"--stack-of-run={told}"]
    files = [os.environ.get(OVERLAYS_ENV, ""), str(workspaces.overlay(release, folder))]
    environment = os.environ | {OVERLAYS_ENV: os.pathsep.join(name for name in files if name)}
    done = subprocess.run(  # noqa: S603 - our own tests
        words, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return f"e2e tests, status {done.returncode}: {done.stdout[-_SHOWN:]}" if done.returncode else ""
