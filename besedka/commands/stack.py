"""`besedka up`, `status` and `env`: a stack to look at, and what its services are told."""

from __future__ import annotations

import shlex
import signal
import threading
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.errors import BesedkaError
from besedka.stack import embedded, environment
from besedka.stack.model import Stack

STATE_FILE = PROJECT_ROOT / ".besedka" / "stack.json"


class NoStackError(BesedkaError):
    """No stack of `besedka up` is running."""

    exit_status = 18


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(up)
    app.command()(status)
    app.command(name="env")(show_environment)


def up(
    mongod: Annotated[str | None, typer.Option(help="Run this MongoDB server, not the stand-in.")] = None,
) -> None:
    """Start the embedded stack, print its addresses, and keep it until Ctrl-C.

    Exit status: 0 after Ctrl-C; 14 when a service does not start.
    """
    console = Console()
    console.print("starting the embedded stack …")
    with embedded.running(contracts.load(), mongod_path=mongod) as running:
        stack = running.stack
        assert stack is not None  # noqa: S101 - `running` yields a started stack
        STATE_FILE.write_text(stack.to_json(), encoding="utf-8")
        try:
            _show(console, stack)
            console.print(f"open {stack.site_url}/chat/test/ and sign in; Ctrl-C stops the stack")
            _wait_for_interrupt()
        finally:
            STATE_FILE.unlink(missing_ok=True)
    console.print("stopped")


def status() -> None:
    """Show the stack that `besedka up` keeps.

    Exit status: 0 running; 18 no such stack.
    """
    _show(Console(), running_stack())


def show_environment(
    service: Annotated[str, typer.Argument(help="site or rocketchat")],
    database_url: Annotated[str, typer.Option(help="The site's database.")] = "sqlite:///var/site.sqlite3",
    mongo_url: Annotated[str, typer.Option(help="Rocket.Chat's database.")] = "mongodb://mongo:27017",
) -> None:
    """Print what a service is told by environment, as `export` lines for a shell; it holds secrets.

    Exit status: 0 printed; 2 no such service.
    """
    contract = contracts.load()
    if service == "site":
        rows = environment.site(contract, database_url=database_url, secret_key="development-only")  # noqa: S106
    elif service == "rocketchat":
        port = contract.services.rocketchat
        rows = environment.chat(
            contract,
            mongo_url=f"{mongo_url}/rocketchat?replicaSet=rs0",
            oplog_url=f"{mongo_url}/local?replicaSet=rs0",
            port=port,
        )
    else:
        raise typer.BadParameter(f"{service!r} is neither site nor rocketchat")
    for name, value in rows.items():
        typer.echo(f"export {name}={shlex.quote(value)}" if name.isidentifier() else f"# {name}={value}")


def running_stack() -> Stack:
    """The stack of a running `besedka up`; NoStackError if there is none."""
    if STATE_FILE.exists():
        stack = Stack.from_json(STATE_FILE.read_text(encoding="utf-8"))
        if all(service.pid is None or psutil.pid_exists(service.pid) for service in stack.services):
            return stack
    raise NoStackError(
        "no stack is running",
        expected="a stack kept by `besedka up`",
        where=str(STATE_FILE),
        next_step="run `python3 run.py up` in another terminal",
    )


def _show(console: Console, stack: Stack) -> None:
    table = Table(title=f"{stack.kind} stack {stack.run_id}", title_justify="left")
    for heading in ("service", "version", "", "address"):
        table.add_column(heading, overflow="fold")
    for service in stack.services:
        table.add_row(service.name, service.version, service.nature, service.url)
    console.print(table)
    console.print(f"logs and data: {stack.folder}", soft_wrap=True)


def _wait_for_interrupt() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
