"""`besedka doctor`: what is wrong with a stack, why, and what to do. Changes nothing unless asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from besedka import contract as contracts
from besedka.checks import explain as checklist
from besedka.checks.catalogue import checks_for
from besedka.checks.finding import Result, Status
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.commands.service_options import Bundle, Client, Mongod, Node
from besedka.commands.target import (
    ChatUrl,
    MongoUrl,
    ProviderUrl,
    SiteDatabaseUrl,
    SiteEnvironment,
    SiteUrl,
    located,
    with_programs,
)
from besedka.contract import Contract
from besedka.errors import BesedkaError
from besedka.progress import quiet
from besedka.stacks import versions
from besedka.stacks.services.options import ServiceOptions
from besedka.target import Target
from besedka.translation import spoken, word

Checks = Annotated[
    list[str] | None, typer.Option(help="A check or a layer, with its ground; may be repeated.")
]
Write = Annotated[
    bool | None,
    typer.Option(
        "--write/--read-only",
        help="Let a temp_* user sign in and be removed; on by default for an embedded stack.",
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Print what a site has to offer, as a checklist for this very site.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show healthy checks one by one.")]

# A report in a pipe has no width of its own; tables stay readable at this one.
WIDTH_OF_A_PIPE = 100


class NothingToManageError(BesedkaError):
    """`--write` on a stack whose site cannot be told to make a user."""

    exit_status = 33

    def __init__(self) -> None:
        super().__init__(
            "--write needs the site's management commands, to make a temporary user and remove it",
            expected="a stack of `besedka up`, or [site.adapter] manage in besedka.toml (docs/manage.md)",
            where="--write",
            next_step="leave --write away: a canonical user signs in then",
        )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(doctor)


def doctor(  # noqa: PLR0913, PLR0917 - one parameter per option
    site_url: SiteUrl = None,
    chat_url: ChatUrl = None,
    mongo_url: MongoUrl = None,
    site_database_url: SiteDatabaseUrl = None,
    site_environment: SiteEnvironment = None,
    provider_url: ProviderUrl = None,
    check: Checks = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    list_checks: Annotated[bool, typer.Option("--list", help="List the checks and ask none.")] = False,
    write: Write = None,
    client: Client = None,
    rocketchat_bundle: Bundle = None,
    mongod: Mongod = None,
    node: Node = None,
    explain: Explain = False,
    verbose: Verbose = False,
) -> None:
    """Examine a stack: the one of `besedka up`, or the addresses given, or those of besedka.toml.

    Options whose text begins with "Embedded" let it start and examine an embedded stack of its own.

    Exit status: 0 healthy; 1 findings; 2 the stack could not be asked; 31 no such check; 34 a database that
    is not read.
    """
    contract = contracts.load()
    targeted = contract.chat.version
    console = _console()
    if list_checks:
        _list(console, contract, as_json=as_json)
        return
    addresses = {
        "site_url": site_url,
        "chat_url": chat_url,
        "mongo_url": mongo_url,
        "site_database_url": site_database_url,
        "site_environment": site_environment,
        "provider_url": provider_url,
    }
    wanted = ServiceOptions(mongod, bundle=rocketchat_bundle, node=node, chat_client=client)
    with ExitStack() as started:
        if wanted.given():
            say = quiet if as_json else _stderr
            target, contract = started.enter_context(with_programs(wanted, contract, addresses, say))
        else:
            target, contract, _ = located(contract, **addresses)
        # Whatever runs, it is compared with what besedka.toml says.
        contract = versions.told(contract, targeted)
        target = _allowed(target, write)
        report = _examined(target, contract, check or (), console, quiet=as_json or not console.is_terminal)
    if explain:
        rows = checklist.points(report, target)
        typer.echo(checklist.as_json(rows) if as_json else checklist.text(rows))
    elif as_json:
        typer.echo(report.to_json())
    else:
        console.print(spoken(f"site {report.site_url}   chat {report.chat_url}"), style="dim")
        report.print(console, verbose=verbose)
    raise typer.Exit(report.exit_status)


def _allowed(target: Target, write: bool | None) -> Target:
    if write and not target.can_manage:
        raise NothingToManageError
    return target if write is None else replace(target, may_write=write)


def _console() -> Console:
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_PIPE
    return Console(width=width)


def _examined(
    target: Target, contract: Contract, only: Sequence[str], console: Console, *, quiet: bool
) -> Report:
    with console.status(spoken("examining …")) if not quiet else _Silence() as status:

        def progress(result: Result) -> None:
            if result.status is not Status.BLOCKED:
                status.update(f"{result.layer}: {result.check}")

        return examine(target, contract, only=only, progress=progress)


def _stderr(line: str) -> None:
    """What a stack does while it starts is no part of the report."""
    typer.echo(spoken(line), err=True)


class _Silence:
    def __enter__(self) -> _Silence:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, text: str) -> None:
        """Say nothing."""


def _list(console: Console, contract: Contract, *, as_json: bool) -> None:
    checks = checks_for(contract)
    if as_json:
        rows = [{"name": row.name, "layer": row.layer, "question": row.question} for row in checks]
        console.print_json(data=rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(word("layer"), no_wrap=True)
    table.add_column(word("check"), overflow="fold")
    table.add_column(word("question"), overflow="fold", ratio=1)
    for row in checks:
        table.add_row(row.layer, row.name, spoken(row.question))
    console.print(table)
    console.print(spoken(f"{len(checks)} checks"))
