"""`besedka upgrade`: whether a workspace survives an upgrade of Rocket.Chat, and where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from besedka import contract as contracts
from besedka.contract import OVERLAYS_ENV, PROJECT_ROOT
from besedka.restart import workspaces
from besedka.restart.upgrade import UpgradeFailedError, Workspace, holds, seed, upgraded
from besedka.restart.workspaces import ComposeWorkspace, EmbeddedWorkspace
from besedka.stacks import embedded, versions
from besedka.stacks.docker import in_container
from besedka.stacks.kind import KIND_ENV
from besedka.target import Target
from besedka.translation import spoken

_TESTS = ("tests/e2e/test_sign_in.py", "tests/e2e/test_membership.py")
_SHOWN = 1500


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(upgrade)


def upgrade(
    old: Annotated[str, typer.Option("--from", metavar="RELEASE", help="Where it begins, e.g. 6.4.8.")],
    new: Annotated[str, typer.Option("--to", metavar="RELEASE", help="Where it leads, e.g. 7.7.1.")],
    kind: Annotated[
        str, typer.Option("--stack", metavar="KIND", help="embedded (the stand-in), or containers.")
    ] = os.environ.get(KIND_ENV) or "embedded",
    plan: Annotated[bool, typer.Option("--plan", help="Say the stops; do nothing.")] = False,
    tests: Annotated[bool, typer.Option(help="Run e2e tests at each stop, not doctor alone.")] = True,
) -> None:
    """Seed a workspace of one release, dump it, and bring it to another, one major version at a time.

    At each stop: provision, nothing lost, doctor, e2e tests. Where a stop fails, data and release go back
    to the beginning. --stack=containers works on the services of docker-compose.local.yml and their volumes.

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
    folder = embedded.new_run_folder()
    with _at(kind, old) as workspace:
        text = _seeded(workspace, folder, tests=tests)
        stops = upgraded(
            workspace, path, folder / "dump", lambda one: _tested(one, folder, text, tests=tests), say
        )
    say(f"verdict: {' → '.join([old, *(stop.release for stop in stops)])}: healthy at each stop")


@contextmanager
def _at(kind: str, release: str) -> Iterator[Workspace]:
    """A workspace of that release: a new embedded one, or that of the compose file, which stays."""
    contract = contracts.load()
    if kind == "embedded":
        with workspaces.embedded_at(contract, release) as made:
            yield made
        return
    site, ports = contract.site.url, contract.services
    target = Target(
        kind="attached",
        site_url=site,
        chat_url=contract.chat.url,
        provider_url=in_container.provider_url(site),
        mongo_url=f"mongodb://127.0.0.1:{ports.mongo}/rocketchat?directConnection=true",
        may_write=True,
    )
    composed = ComposeWorkspace(contract, target, release)
    composed.start()
    yield composed


def _seeded(workspace: Workspace, folder: Path, *, tests: bool) -> str:
    """Sign everybody in, and write something that must still be there at the end."""
    if trouble := _run_tests(workspace, folder) if tests else "":
        raise UpgradeFailedError(
            f"{workspace.contract.chat.version}, before the upgrade: {trouble}",
            expected="a healthy workspace to begin with",
            where=str(folder),
            next_step="run doctor",
        )
    return seed(workspace)


def _tested(workspace: Workspace, folder: Path, text: str, *, tests: bool) -> str:
    """Why the stop fails: what was written is gone, or a test is red; nothing where all is well."""
    if not holds(workspace, text):
        return f"the message of the beginning is not in {workspace.contract.default_channel.name}"
    return _run_tests(workspace, folder) if tests else ""


def _run_tests(workspace: Workspace, folder: Path) -> str:
    """The end of pytest's output where it fails."""
    release = str(workspace.contract.chat.version)
    folder.mkdir(parents=True, exist_ok=True)
    target, words = workspace.target, [sys.executable, "-m", "pytest", "-q", "-n", "0", *_TESTS]
    if isinstance(workspace, EmbeddedWorkspace):
        told = folder / "stack.json"
        told.write_text(workspace.stack.to_json(), "utf-8")
        words += [f"--stack-of-run={told}"]
    else:
        words += ["--stack=attached", "--write", f"--site-url={target.site_url}"]
        words += [f"--chat-url={target.chat_url}", f"--mongo-url={target.mongo_url}"]
        words += [f"--provider-url={target.provider_url}"]
    files = [os.environ.get(OVERLAYS_ENV, ""), str(workspaces.overlay(release, folder))]
    environment = os.environ | {OVERLAYS_ENV: os.pathsep.join(name for name in files if name)}
    done = subprocess.run(  # noqa: S603 - our own tests
        words, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return f"e2e tests, status {done.returncode}: {done.stdout[-_SHOWN:]}" if done.returncode else ""
