"""`besedka announce`: tell people of a nightly, by issues on GitHub and by a message to a webhook."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
import typer

from besedka import http
from besedka.commands.reports import NoRunError, outer
from besedka.errors import BesedkaError
from besedka.language import Language, chosen
from besedka.report.issues import LABEL, Step, plan, red_jobs
from besedka.report.notice import message

NOTIFY_ENV = "BESEDKA_NOTIFY_URL"
_SECONDS = 60


class AnnounceError(BesedkaError):
    """GitHub's command line or the webhook did not take what the nightly has to say."""

    exit_status = 39


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(announce)


def announce(  # noqa: PLR0913, PLR0917 - one parameter per option
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN…", help="The folders of the nightly's runs.")
    ] = None,
    needs: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", help="GitHub's context `needs`: jobs that ended without a run are told, too."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done; ask GitHub only what is open.")
    ] = False,
    issues: Annotated[bool, typer.Option(help="Open, update and close issues, by `gh`.")] = True,
    link: Annotated[str, typer.Option(metavar="URL", help="The page of the CI job.")] = "",
    lang: Annotated[
        Language | None, typer.Option(help="Language of the message; else the environment's.")
    ] = None,
) -> None:
    """Open or update one issue per cause, close those whose cause is gone, and tell the webhook of red runs.

    The webhook is Rocket.Chat's incoming one, named by BESEDKA_NOTIFY_URL; without it nobody is told.

    Exit status: 0 told; 35 no such run; 39 GitHub or the webhook did not take it.
    """
    told = list(outer(runs).values()) if runs else []
    jobs = red_jobs(_jobs(needs), told) if needs else []
    if not told and not jobs:
        raise NoRunError(
            "no run, and no job that went wrong",
            expected="the folders of the nightly's runs, or --needs",
            where="the command line",
            next_step="besedka announce RUN…",
        )
    try:
        for step in plan(told, _open_issues(), link, jobs) if issues else ():
            typer.echo(f"gh {shlex.join(step.words)}\n{step.body}".rstrip())
            if not dry_run:
                _gh(step)
    finally:
        # A GitHub that takes nothing is one reason more to tell the room.
        text, url = message(told, chosen(lang), link, jobs), os.environ.get(NOTIFY_ENV)
        if text and url:
            typer.echo(
                f"message to {urlsplit(url).hostname}:\n{json.dumps(text, ensure_ascii=False, indent=1)}"
            )
            if not dry_run:
                _send(url, text)


def _jobs(needs: str) -> dict[str, Any]:
    """GitHub's context. Raises typer.BadParameter for any other text."""
    try:
        found: dict[str, Any] = json.loads(needs)
        return {str(name): {"result": job["result"]} for name, job in found.items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise typer.BadParameter(f"--needs takes what GitHub says by toJSON(needs): {error}") from None


def _open_issues() -> dict[str, int]:
    words = ("issue", "list", "--label", LABEL, "--state", "open", "--limit", "200", "--json", "number,title")
    rows = json.loads(_gh(Step(words, "")))
    return {str(row["title"]): int(row["number"]) for row in rows}


def _gh(step: Step) -> str:
    """What `gh` printed. Raises AnnounceError."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours
            ["gh", *step.words],  # noqa: S607 - of the machine
            input=step.body,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        status, said = done.returncode, done.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        status, said = 1, str(error)
    if status:
        raise AnnounceError(
            f"gh {' '.join(step.words[:2])}: {said}",
            expected="status 0",
            where="GitHub's command line",
            next_step=f"`gh auth status`, GH_TOKEN with issues: write, and a label {LABEL!r}; or --no-issues",
        )
    return done.stdout


def _send(url: str, text: dict[str, Any]) -> None:
    """Post the message. The address is a secret: anybody who has it can write into the room."""
    host = urlsplit(url).hostname
    try:
        with http.session() as session:
            answer = session.post(url, json=text, timeout=_SECONDS)
        said = "" if answer.ok else f"status {answer.status_code}"
    except requests.RequestException as error:
        said = type(error).__name__
    if said:
        raise AnnounceError(
            f"the webhook at {host}: {said}",
            expected="200",
            where=NOTIFY_ENV,
            next_step="look at the integration in Rocket.Chat: Workspace → Integrations → Incoming",
        )
