"""`besedka load`: many people at once on a development stack."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from besedka import contract as contracts
from besedka.commands.target import ChatUrl, SiteUrl, located
from besedka.load import run
from besedka.stacks import run_folders
from besedka.translation import spoken

_WORKER = "--worker"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(context_settings={"allow_extra_args": True})(load)


def load(
    context: typer.Context,
    site_url: SiteUrl = None,
    chat_url: ChatUrl = None,
    users: Annotated[int, typer.Option(min=1, help="How many people at once.")] = 200,
    minutes: Annotated[float, typer.Option(min=0.2, help="For how long.")] = 5.0,
) -> None:
    """Let many people sign in by the whole chain, keep a socket, read and write; by Locust.

    What follows `--` is Locust's: `-- --master --expect-workers=2` here, `-- --worker --master-host=HOST` on
    other machines. A host that is neither loopback nor a development host of the contract is refused.

    Exit status: 0 no error; 1 some; 40 no development stack.
    """
    target, contract, _ = located(contracts.load(), site_url=site_url, chat_url=chat_url)
    contract = target.moved(contract)
    run.check(contract)
    folder = run_folders.new()
    if _WORKER in context.args:
        raise typer.Exit(run.locust(contract, folder, context.args))
    with run.rooms(contract):
        run.locust(contract, folder, [*run.headless(users, minutes, folder), *context.args])
    came = run.outcome(users, folder)
    (folder / "index.html").write_text(came.page(), encoding="utf-8")
    _show(came, Console(highlight=False))
    typer.echo(spoken(f"the run's page: {folder / 'index.html'}"))
    raise typer.Exit(0 if came.hops and not came.errors else 1)


def _show(came: run.Load, console: Console) -> None:
    title = spoken(f"{came.signed_in} of {came.users} signed in by the whole chain and opened a socket")
    table = Table(title=title, title_justify="left")
    for heading in ("", "n", "✗", *(f"{name}, ms" for name in run.PERCENTILES)):
        table.add_column(heading, justify="right" if heading else "left")
    for hop in came.hops:
        row = (hop.count, hop.failed, *hop.milliseconds.values())
        table.add_row(hop.name, *map(str, row))
    console.print(table)
    for name, error, count in came.errors:
        console.print(f"{count} × {name}: {error}", markup=False)
