"""`besedka up`, `down`, `status`, `logs` and `env`: a stack to look at, and what its services are told.

An embedded stack lives as long as its `up`. One in containers is kept until `down`.
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import BesedkaError, StackKindError
from besedka.scrub import Scrubber
from besedka.stacks import environment
from besedka.stacks.kind import AUTO, KIND_ENV, reject_unsupported_options, resolved
from besedka.stacks.model import Stack
from besedka.stacks.services import bundle, chat_client, programs, site_commands
from besedka.stacks.versions import VERSION_ENV

if TYPE_CHECKING:
    from besedka.stacks.services.options import ServiceOptions

STATE_FILE = PROJECT_ROOT / ".besedka" / "stack.json"
_KINDS = ("embedded", "containers", AUTO)
LAST_LINES = 10


class NoStackError(BesedkaError):
    """No stack of `besedka up` is running."""

    exit_status = 18


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
        bool, typer.Option("--reuse", help="Containers: take the kept stack if nothing has changed since.")
    ] = False,
    rocketchat_version: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Containers: another Rocket.Chat than the contract's."),
    ] = os.environ.get(VERSION_ENV),
    mongod: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Embedded: run this MongoDB server; `download` fetches one."),
    ] = None,
    postgres: Annotated[
        str, typer.Option(metavar="DIR", help="Embedded: folder of a PostgreSQL server's programs, or none.")
    ] = programs.AUTO,
    redis: Annotated[
        str, typer.Option(metavar="PATH", help="Embedded: the site's Redis server, or none.")
    ] = programs.AUTO,
    rocketchat_bundle: Annotated[
        str | None,
        typer.Option(metavar="DIR", help=f"Embedded: Rocket.Chat's unpacked server; {bundle.BUNDLE_ENV}."),
    ] = os.environ.get(bundle.BUNDLE_ENV),
    node: Annotated[
        str | None, typer.Option(metavar="PATH", help="Embedded: the Node.js that runs the bundle.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Embedded: site and chat by https.")] = False,
    client: Annotated[
        str | None,
        typer.Option(
            chat_client.OPTION,
            metavar="DIR",
            help=f"Embedded: Rocket.Chat's own web client, served by the stand-in; {chat_client.CLIENT_ENV}.",
        ),
    ] = os.environ.get(chat_client.CLIENT_ENV),
    mood: Annotated[
        str | None,
        typer.Option(
            chat_client.MOOD_OPTION,
            metavar="MOOD",
            help=f"Embedded: how awkward the stand-in's own client is: {', '.join(chat_client.MOODS)}.",
        ),
    ] = None,
) -> None:
    """Start a stack and print its addresses. Embedded: keep it until Ctrl-C. Containers: until `down`.

    Exit status: 0 started, reused or ended by Ctrl-C. What went wrong has a status of its own: see the end of
    `besedka --help`.
    """
    console = Console(highlight=False)
    if kind not in _KINDS:
        raise StackKindError(f"--stack={kind}", expected=" or ".join(_KINDS), where="the command line")
    contract = contracts.load()
    from besedka.stacks.services.options import ServiceOptions  # noqa: PLC0415 - half a second

    wanted = ServiceOptions(mongod, postgres, redis, rocketchat_bundle, node, client, mood, tls)
    wished = "containers" if reuse else kind
    reject_unsupported_options(wished, rocketchat_version, wanted.given())
    chosen, why = resolved(wished, contract, rocketchat_version, wanted.given())
    if chosen == "containers":
        _up_in_containers(console, contract, rocketchat_version, reuse=reuse)
    else:
        _up_embedded(console, contract, wanted, why)


def _up_embedded(console: Console, contract: Contract, wanted: ServiceOptions, why: str) -> None:
    from besedka.stacks import embedded  # noqa: PLC0415 - a second
    from besedka.stacks.services import options  # noqa: PLC0415

    console.print(f"starting the embedded stack{f' ({why})' if why else ''} …")

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    found = options.find(wanted, contract, say=say)
    with embedded.running(contract, programs=found, say=say) as running:
        stack = running.stack
        assert stack is not None  # noqa: S101 - `running` yields a started stack
        STATE_FILE.write_text(stack.to_json(), encoding="utf-8")
        try:
            show(console, stack)
            console.print(f"open {stack.site_url}/chat/test/ and sign in; Ctrl-C stops the stack")
            _wait_for_interrupt()
        finally:
            STATE_FILE.unlink(missing_ok=True)
    console.print("stopped")


def down() -> None:
    """End the stack in containers that `up` keeps, and remove it with its data; logs stay.

    Exit status: 0 removed; 18 none is kept; 59 something could not be removed.
    """
    from besedka.stacks import kept  # noqa: PLC0415

    noted = noted_stack()
    if kept.recorded() is None and noted:
        _forget_a_dead_one(noted)
        return
    if kept.recorded() is None:
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
    STATE_FILE.unlink(missing_ok=True)
    Console().print("removed")


def status() -> None:
    """Show the stack that `besedka up` keeps.

    Exit status: 0 running; 18 no such stack, or some of it does not run.
    """
    stack = running_stack()
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
        typer.echo(Scrubber(contracts.load().secrets).text(_tail(stack, name, lines)))


def show_environment(
    service: Annotated[str, typer.Argument(help="site or rocketchat")],
    database_url: Annotated[
        str | None, typer.Option(help="The site's database; that of a running `up`, or web/var/site.sqlite3.")
    ] = None,
    mongo_url: Annotated[str, typer.Option(help="Rocket.Chat's database.")] = "mongodb://mongo:27017",
) -> None:
    """Print what a service is told by environment, as `export` lines for a shell; it holds secrets.

    While an `up` runs, the site's are those of its site, so that `manage.py` works on its database.

    Exit status: 0 printed; 64 no such service.
    """
    contract = contracts.load()
    stack = noted_stack()
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
        typer.echo(f"export {name}={shlex.quote(value)}" if name.isidentifier() else f"# {name}={value}")


def noted_stack() -> Stack | None:
    """The stack that a `besedka up` has noted, whether it still runs or not; None if there is none."""
    return Stack.from_json(STATE_FILE.read_text(encoding="utf-8")) if STATE_FILE.exists() else None


def running_stack() -> Stack:
    """The stack of a running `besedka up`; NoStackError if there is none, or one that lost a service."""
    stack = noted_stack()
    if stack is not None:
        stack.trust()
        dead = [service.name for service in stack.services if service.pid and not _runs(service.pid)]
        if not dead:
            return stack
        raise _lost(stack, dead)
    raise NoStackError(
        "no stack is running",
        expected="a stack kept by `besedka up`",
        where=str(STATE_FILE),
        next_step="run `python3 run.py up` in another terminal",
    )


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _lost(stack: Stack, dead: list[str]) -> NoStackError:
    """The error for a stack of which services have ended: which, and what they said last."""
    last = "\n".join(f"==== {name}\n{_tail(stack, name, LAST_LINES)}" for name in dead)
    return NoStackError(
        f"of the {stack.kind} stack {stack.run_id} {', '.join(dead)} has ended; the last lines:\n{last}",
        expected="every service running; no other stack is taken in its place",
        where=f"{stack.site_url}, {stack.chat_url}; logs in {stack.folder}",
        next_step="end `besedka up` with Ctrl-C and start it again: python3 run.py up. `python3 run.py down` "
        "forgets a stack that has ended; another stack must be named: --site-url, --chat-url",
    )


def _up_in_containers(console: Console, contract: Contract, version: str | None, *, reuse: bool) -> None:
    from besedka.stacks import kept  # noqa: PLC0415

    stack, why = kept.reusable(contract, version=version) if reuse else (None, "")
    if stack:
        console.print("the kept stack is used again: nothing has changed since its start")
    else:
        _make_room(console, why, reuse=reuse)
        console.print("starting the stack in containers …")
        stack = kept.start(contract, version=version, say=lambda line: console.print(line, markup=False))
        STATE_FILE.write_text(stack.to_json(), encoding="utf-8")
    show(console, stack)
    console.print(f"open {stack.site_url}/chat/test/ and sign in; `besedka down` removes the stack")


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
    console.print(f"not used again: {why}; it is replaced", soft_wrap=True)
    left = kept.remove()
    if left:
        raise KeptStackError(f"still there: {', '.join(left)}", expected="nothing", where=str(kept.RECORD))


def _forget_a_dead_one(stack: Stack) -> None:
    """Remove the note of an embedded stack of which nothing runs any more."""
    if any(service.pid and _runs(service.pid) for service in stack.services):
        raise NoStackError(
            f"the embedded stack {stack.run_id} runs",
            expected="a stack in containers, or one that has ended",
            where=str(STATE_FILE),
            next_step="an embedded stack ends with Ctrl-C in its own terminal",
        )
    STATE_FILE.unlink(missing_ok=True)
    Console().print(f"forgotten: {stack.run_id}, of which nothing runs any more")


def refuse_a_sick_one() -> None:
    """Raise NoStackError when the kept stack in containers has lost a service."""
    from besedka.stacks import kept  # noqa: PLC0415

    record = kept.recorded()
    sick = kept.unwell(record) if record else ["it is not on record"]
    if sick:
        raise NoStackError(
            f"the kept stack does not run: {', '.join(sick)}",
            expected="every service running",
            where=str(kept.RECORD),
            next_step="`besedka logs` says why; `besedka up --reuse` replaces it",
        )


def _tail(stack: Stack, service: str, lines: int) -> str:
    if stack.kind == "containers":
        from besedka.stacks import kept  # noqa: PLC0415

        record = kept.recorded()
        return kept.tail(record, service, lines) if record else ""
    log = stack.service(service).log
    text = Path(log).read_text(encoding="utf-8", errors="replace") if log else ""
    return "\n".join(text.splitlines()[-lines:])


def show(console: Console, stack: Stack) -> None:
    """Print a stack: each service with its version, real, a stand-in or absent, and where it is."""
    table = Table(title=f"{stack.kind} stack {stack.run_id}", title_justify="left")
    for heading in ("service", "version", "", "address"):
        table.add_column(heading, overflow="fold")
    for service in stack.services:
        table.add_row(service.name, service.version, service.nature, service.url)
    for name, instead in stack.absent.items():
        table.add_row(name, "-", "absent", instead)
    console.print(table)
    console.print(f"logs and data: {stack.folder}", soft_wrap=True)


def _wait_for_interrupt() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
