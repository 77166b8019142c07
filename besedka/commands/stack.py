"""`besedka up`, `down`, `status`, `logs` and `env`: a stack to look at, and what its services are told.

An embedded stack lives as long as its `up`. One in containers is kept until `down`.
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from besedka import contract as contracts
from besedka.commands.running import NoStackError, alive, refuse_a_sick_one, running_stack, tail
from besedka.commands.service_options import (
    Bundle,
    Client,
    Mongod,
    Mood,
    Nginx,
    Node,
    OneHost,
    Postgres,
    Proxy,
    Redis,
    Tls,
)
from besedka.contract import Contract
from besedka.errors import BesedkaError, UsageError
from besedka.scrub import Scrubber
from besedka.stacks import environment, up_records
from besedka.stacks.kind import AUTO, KIND_ENV, reject_unsupported_options, resolved
from besedka.stacks.model import Stack
from besedka.stacks.process import fixed_ports as fixed
from besedka.stacks.services import bundle, chat_client, programs, site_commands
from besedka.stacks.versions import VERSION_ENV
from besedka.translation import spoken, word

if TYPE_CHECKING:
    from besedka.stacks.services.options import ServiceOptions

_KINDS = ("embedded", "containers", AUTO)
_BUNDLE, _CLIENT = os.environ.get(bundle.BUNDLE_ENV), os.environ.get(chat_client.CLIENT_ENV)


class KeptStackError(BesedkaError):
    """A stack is kept already, or what is kept cannot be removed."""

    exit_status = 59


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(logs)
    app.command(name="env")(show_environment)


def up(  # noqa: PLR0913, PLR0917 - one parameter per option
    kind: Annotated[
        str,
        typer.Option("--stack", metavar="KIND", help=f"embedded, containers or auto; {KIND_ENV} pins it."),
    ] = os.environ.get(KIND_ENV) or AUTO,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Take the stack that an `up` keeps if nothing has changed since.")
    ] = False,
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE=NUMBER", help="A fixed port, as site=8001 or rocketchat=3000."),
    ] = None,
    rocketchat_version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Containers: another Rocket.Chat than the contract's."),
    ] = os.environ.get(VERSION_ENV),
    mongod: Mongod = None,
    postgres: Postgres = programs.AUTO,
    redis: Redis = programs.AUTO,
    rocketchat_bundle: Bundle = _BUNDLE,
    node: Node = None,
    tls: Tls = False,
    proxy: Proxy = False,
    one_host: OneHost = False,
    nginx: Nginx = programs.AUTO,
    client: Client = _CLIENT,
    mood: Mood = None,
) -> None:
    """Start a stack and print its addresses. Embedded: keep it until Ctrl-C. Containers: until `down`.

    BESEDKA_ROCKETCHAT_BUNDLE and BESEDKA_CHAT_CLIENT stand for the options of that name.

    Exit status: 0 started, reused or ended by Ctrl-C. What went wrong has a status of its own: see the end of
    `besedka --help`.
    """
    console = Console(highlight=False)
    if kind not in _KINDS:
        raise UsageError(f"--stack={kind}", expected=" or ".join(_KINDS), where="the command line")
    contract = contracts.load()
    from besedka.stacks.services.options import ServiceOptions  # noqa: PLC0415 - half a second

    wanted = ServiceOptions(
        mongod, postgres, redis, rocketchat_bundle, node, client, mood, tls, proxy, one_host, nginx
    )
    reject_unsupported_options(kind, rocketchat_version, wanted.given())
    chosen, why = resolved(kind, contract, rocketchat_version, wanted.given())
    ports = fixed.read(port or ())
    if chosen == "containers":
        _up_in_containers(console, contract, rocketchat_version, ports, reuse=reuse)
    else:
        _up_embedded(console, contract, wanted, why, ports, reuse=reuse)


def _up_embedded(  # noqa: PLR0913 - one parameter per option
    console: Console,
    contract: Contract,
    wanted: ServiceOptions,
    why: str,
    ports: dict[str, int],
    *,
    reuse: bool,
) -> None:
    from besedka.stacks import embedded  # noqa: PLC0415 - a second
    from besedka.stacks.services import options  # noqa: PLC0415

    made_of = up_records.configuration_hash(contract, wanted.given())
    if reuse:
        there, why_not = up_records.reusable(contract, wanted.given())
        if there:
            console.print(spoken("a running stack is used: nothing has changed since its start"))
            show(console, there)
            return
        console.print(spoken(f"none is used again: {why_not}"), soft_wrap=True)
    console.print(spoken(f"starting the embedded stack{f' ({spoken(why)})' if why else ''} …"))

    def say(line: str) -> None:
        console.print(spoken(line), markup=False, soft_wrap=True)

    found = options.find(wanted, contract, say=say)
    with embedded.running(contract, programs=replace(found, ports=ports), say=say) as running:
        stack = running.stack
        assert stack is not None  # noqa: S101 - `running` yields a started stack
        up_records.note(stack, made_of)
        try:
            show(console, stack)
            page = f"{stack.site_url}{contract.site.test_page}"
            console.print(spoken(f"open {page} and sign in; Ctrl-C stops the stack"))
            _wait_for_interrupt()
        finally:
            up_records.forget(stack.run_id)
    console.print(spoken("the stack is stopped"))


def down() -> None:
    """End the stack in containers that `up` keeps, and remove it with its data; logs stay.

    Exit status: 0 removed; 18 none is kept; 59 something could not be removed.
    """
    from besedka.stacks import kept  # noqa: PLC0415

    noted = up_records.noted()
    before = kept.recorded()
    if before is None and noted:
        for record in noted:
            _forget_a_dead_one(record)
        return
    if before is None:
        raise NoStackError(
            "no stack in containers is kept",
            expected="one that `besedka up` has started",
            where=str(kept.RECORD),
            next_step="an embedded stack ends with Ctrl-C in its own terminal",
        )
    left = kept.remove()
    if left:
        raise KeptStackError(
            f"still there: {', '.join(left)}",
            expected="nothing",
            where=str(kept.RECORD),
            next_step="start Docker if it is down, then repeat `besedka down`",
        )
    Console().print(spoken("the stack is removed"))


def status() -> None:
    """Show every stack that a `besedka up` keeps.

    Exit status: 0 running; 18 no such stack, or some of it does not run.
    """
    records = up_records.noted()
    if not records:
        running_stack()
    for record in records:
        stack = alive(record)
        if stack.kind == "containers":
            refuse_a_sick_one()
        show(Console(), stack)


def logs(
    service: Annotated[str | None, typer.Argument(help="One service; all of them if none is named.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 40,
) -> None:
    """Print the last lines of the services of the stack that `besedka up` keeps.

    Exit status: 0 printed; 64 no such service; 18 no such stack.
    """
    stack = running_stack()
    names = [row.name for row in stack.services]
    if service is not None and service not in names:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(names)}")
    for name in [service] if service else names:
        if service is None:
            typer.echo(f"==== {name}")
        typer.echo(Scrubber(contracts.load().secrets).text(tail(stack, name, lines)))


def show_environment(
    service: Annotated[str, typer.Argument(help="site or rocketchat")],
    database_url: Annotated[
        str | None,
        typer.Option(help="The site's database; by default a running `up`'s, or web/var/site.sqlite3."),
    ] = None,
    mongo_url: Annotated[str, typer.Option(help="Rocket.Chat's database.")] = "mongodb://mongo:27017",
) -> None:
    """Print what a service is told by environment, as `export` lines for a shell; it holds secrets.

    While an `up` runs, the site's are those of its site, so that `manage.py` works on its database.

    Exit status: 0 printed; 64 no such service.
    """
    contract = contracts.load()
    newest = up_records.noted()[-1:]
    stack = newest[0].stack if newest else None
    if service == "site" and stack and stack.site_environment_file and database_url is None:
        rows = site_commands.recall(stack.site_environment_file)
    elif service == "site":
        own = database_url or "sqlite:///var/site.sqlite3"
        rows = environment.site(contract, database_url=own, secret_key="development-only")  # noqa: S106
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
        row = f"{name}={shlex.quote(value)}"
        # No line of a comment may become a command of the shell.
        typer.echo(f"export {row}" if name.isidentifier() else f"# {row}".replace("\n", "\n# "))


def _up_in_containers(
    console: Console, contract: Contract, version: str | None, ports: dict[str, int], *, reuse: bool
) -> None:
    from besedka.stacks import kept  # noqa: PLC0415

    stack, why = kept.reusable(contract, version=version) if reuse else (None, "")
    if stack:
        console.print(spoken("the kept stack is used again: nothing has changed since its start"))
    else:
        _make_room(console, why, reuse=reuse)
        console.print(spoken("starting the stack in containers …"))
        stack = kept.start(
            contract,
            version=version,
            ports=ports or None,
            say=lambda line: console.print(spoken(line), markup=False),
        )
        up_records.note(stack, "")
    show(console, stack)
    page = f"{stack.site_url}{contract.site.test_page}"
    console.print(spoken(f"open {page} and sign in; `besedka down` removes the stack"))


def _make_room(console: Console, why: str, *, reuse: bool) -> None:
    """Remove a kept stack that --reuse cannot use; without --reuse, refuse to start a second one."""
    from besedka.stacks import kept  # noqa: PLC0415

    before = kept.recorded()
    if before is None:
        return
    if not reuse:
        raise KeptStackError(
            f"stack {before.stack.run_id} is kept already",
            expected="none, or --reuse",
            where=str(kept.RECORD),
            next_step="`besedka up --reuse` uses it, or replaces it when something has changed; "
            "`besedka down` removes it",
        )
    console.print(spoken(f"not used again: {why}; it is replaced"), soft_wrap=True)
    left = kept.remove()
    if left:
        raise KeptStackError(f"still there: {', '.join(left)}", expected="nothing", where=str(kept.RECORD))


def _forget_a_dead_one(record: up_records.Record) -> None:
    """Remove the note of an embedded stack that has ended."""
    stack = record.stack
    if any(service.pid and up_records.runs(service.pid) for service in stack.services):
        raise NoStackError(
            f"the embedded stack {stack.run_id} runs",
            expected="a stack in containers, or one that has ended",
            where=str(up_records.FOLDER),
            next_step="an embedded stack ends with Ctrl-C in its own terminal",
        )
    up_records.forget(stack.run_id)
    Console().print(spoken(f"forgotten: {stack.run_id}, nothing of it runs any more"))


def show(console: Console, stack: Stack) -> None:
    """Print a stack: each service with its version, real, a stand-in or absent, and where it is."""
    table = Table(title=spoken(f"the {word(stack.kind)} stack: {stack.run_id}"), title_justify="left")
    for heading in ("service", "version", "", "address"):
        table.add_column(word(heading) if heading else "", overflow="fold")
    for service in stack.services:
        table.add_row(service.name, service.version, word(service.nature), service.url)
    for name, instead in stack.absent.items():
        table.add_row(name, "-", word("absent"), spoken(instead))
    console.print(table)
    console.print(spoken(f"logs and data: {stack.folder}"), soft_wrap=True)


def _wait_for_interrupt() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
