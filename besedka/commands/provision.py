"""`besedka provision`: bring Rocket.Chat to the contract, or take that back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from besedka import contract as contracts
from besedka import provision as provisioning
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.commands import left_to_a_person
from besedka.commands.target import (
    ChatUrl,
    MongoUrl,
    ProviderUrl,
    SiteDatabaseUrl,
    SiteEnvironment,
    SiteUrl,
    located,
)
from besedka.contract import Contract
from besedka.progress import Say
from besedka.provision import Options, Outcome, Undoing
from besedka.provision.action import Action, Notice, Plan
from besedka.provision.journal import JOURNAL_FOLDER
from besedka.target import Target
from besedka.translation import spoken

NOTHING_TO_DO, WOULD_CHANGE, LEFT_ALONE = 0, 2, 1


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(provision)


def provision(  # noqa: PLR0913, PLR0917 - one parameter per option
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what --apply, or with --undo that, would change.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Change it, then examine the stack.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last apply back from the journal.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    rooms_only: Annotated[bool, typer.Option("--rooms-only", help="Channels and memberships only.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also remove canonical users from rooms that are not theirs.")
    ] = False,
    site_url: SiteUrl = None,
    chat_url: ChatUrl = None,
    mongo_url: MongoUrl = None,
    site_database_url: SiteDatabaseUrl = None,
    site_environment: SiteEnvironment = None,
    provider_url: ProviderUrl = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Do what can be done, though something is left to a person.")
    ] = False,
    journal: Annotated[Path | None, typer.Option(help="Folder of the journal.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for Rocket.Chat to answer.")] = 10.0,
    yes_this_is: Annotated[
        str | None, typer.Option(metavar="HOST", help="Write to this host, which is no development host.")
    ] = None,
) -> None:
    """Bring Rocket.Chat to the contract: settings, provider, users, rooms, memberships.

    The target is the stack of `besedka up`, or the addresses given, or those of besedka.toml. Passwords come
    from the contract or the variables it names.

    Exit status: --plan 0 nothing to change, 2 would change. --apply doctor's verdict: 0 healthy, 1 findings,
    2 the stack could not be asked. --undo 0 all is as before, 1 something changed by others was left alone.
    What went wrong has a status of its own: see the end of `besedka --help`.
    """
    if (apply and (plan or undo)) or not (apply or plan or undo):
        raise typer.BadParameter("say one of --plan, --apply, --undo, or --undo --plan")
    contract = contracts.load()
    target, contract, stack = located(
        contract,
        site_url=site_url,
        chat_url=chat_url,
        mongo_url=mongo_url,
        site_database_url=site_database_url,
        site_environment=site_environment,
        provider_url=provider_url,
    )
    folder = journal or (Path(stack.folder) / "journal" if stack else JOURNAL_FOLDER)
    options = Options(rooms_only, prune, patience, yes_this_is, partial)
    run = _Run(target, contract, folder, options, as_json)
    if undo:
        raise typer.Exit(run.undo(dry=plan))
    raise typer.Exit(run.plan() if plan else run.apply())


@dataclass(frozen=True)
class _Run:
    """What was asked for; each way of it gives the exit status."""

    target: Target
    contract: Contract
    folder: Path
    options: Options
    as_json: bool

    @cached_property
    def console(self) -> Console:
        """Progress goes beside the JSON, not into it."""
        return Console(stderr=self.as_json, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        self.console.print(spoken(line), markup=False)

    def examined(self) -> tuple[Notice, ...]:
        """What is left to a person.

        Nobody signs in for that: a sign-in changes an account whose address is not verified yet.
        """
        if self.options.rooms_only:
            return left_to_a_person.notices(())
        report = examine(self.target.read_only, self.contract, only=left_to_a_person.ASKED)
        return left_to_a_person.notices(report.findings)

    def plan(self) -> int:
        made = provisioning.planned(self.target, self.contract, options=self.options, examined=self.examined)
        _show_plan(made, self.say, as_json=self.as_json)
        return WOULD_CHANGE if made.actions else NOTHING_TO_DO

    def undo(self, *, dry: bool) -> int:
        undoing = provisioning.undo(
            self.target,
            self.contract,
            journal_folder=self.folder,
            say=self.say,
            options=self.options,
            dry=dry,
        )
        _show_undoing(undoing, self.say, dry=dry, as_json=self.as_json)
        return LEFT_ALONE if undoing.left else WOULD_CHANGE if dry and undoing.restored else 0

    def apply(self) -> int:
        outcome = provisioning.bring(
            self.target,
            self.contract,
            journal_folder=self.folder,
            say=self.say,
            options=self.options,
            examined=self.examined,
        )
        report = examine(self.target.read_only, self.contract)
        _show_outcome(outcome, report, self.say, as_json=self.as_json)
        if not self.as_json:
            report.print(self.console)
        return report.exit_status or int(bool(outcome.remaining or outcome.unstored))


def _show_plan(made: Plan, say: Say, *, as_json: bool) -> None:
    if as_json:
        _print_json({"actions": [action.public() for action in made.actions], "notices": _rows(made.notices)})
        return
    for action in made.actions:
        say(f"~ {spoken(action.text())}")
    _say_notices(made.notices, made.actions, say)
    say(f"{len(made.actions)} to change" if made.actions else "nothing to change")


def _show_undoing(undoing: Undoing, say: Say, *, dry: bool, as_json: bool) -> None:
    rows = {"restored": undoing.restored, "left": undoing.left}
    if as_json:
        shown = {name: [action.public() for action in actions] for name, actions in rows.items()}
        _print_json(shown | {"writes": undoing.writes})
    if not undoing.restored and not undoing.left:
        say("nothing to take back: no apply of yours has changed this Rocket.Chat")
        return
    word = "would be taken back" if dry else "taken back"
    say(f"{len(undoing.restored)} {word}, {len(undoing.left)} left alone, {undoing.writes} writes")


def _show_outcome(outcome: Outcome, report: Report, say: Say, *, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "actions": [action.public() for action in outcome.actions],
                "writes": outcome.writes,
                "notices": _rows(outcome.notices),
                "remaining": [action.public() for action in outcome.remaining],
                "unstored": outcome.unstored,
                "doctor": json.loads(report.to_json()),
            }
        )
        return
    _say_notices(outcome.notices, (), say)
    for action in outcome.remaining:
        say(f"! not done: {action.text()}")
    for problem in outcome.unstored:
        say(f"! {spoken(problem)}")
    say(f"{len(outcome.actions)} changed, {outcome.writes} writes")


def _say_notices(notices: tuple[Notice, ...], actions: tuple[Action, ...], say: Say) -> None:
    for notice in notices:
        first = bool(actions) and notice.in_the_way(actions)
        whose = spoken("a person first" if first else "left to a person")
        say(f"! {whose}: {notice.code} {notice.target}: {spoken(notice.text)}")


def _rows(notices: tuple[Notice, ...]) -> list[dict[str, str]]:
    return [asdict(notice) for notice in notices]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
