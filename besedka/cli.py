"""`besedka`: the library's command line.

A command is imported when it is called. An error ends in one message of found, expected, where and next
step, never in a traceback. Its class gives the exit status (see `besedka.exit_statuses`).
"""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from besedka import __version__, client_environment, language
from besedka.commands.examples import EXAMPLES
from besedka.commands.spoken_help import Formatter, first_sentence, misuse
from besedka.errors import NO_ROOM, BesedkaError, DiskFullError, UsageError

# Command → module of `besedka.commands` that registers it.
_COMMANDS = {
    "up": "stack",
    "down": "stack",
    "status": "stack",
    "logs": "stack",
    "env": "stack",
    "doctor": "doctor",
    "provision": "provision",
    "restart": "restart",
    "upgrade": "upgrade",
    "conformance": "conformance",
    "summary": "reports",
    "bundle": "reports",
    "merge": "reports",
    "announce": "announce",
    "load": "load",
}
# click's UsageError, which typer keeps under no public name of its own.
_MISUSE: Any = typer.BadParameter.__mro__[1]
_CONTEXT: Any = TyperGroup.context_class


class _Context(_CONTEXT):  # type: ignore[misc]
    formatter_class = Formatter


class _OnDemand(TyperGroup):
    """The commands; each is imported when it is asked for, because some take a second to import.

    What typer hands over are classes of a click of its own, which has no public name.
    """

    context_class = _Context

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        """Speak the person's language from the first word, and end a wrong option with a status of its own.

        Click's 2 is doctor's word for "not asked".
        """
        words = sys.argv[1:] if args is None else list(args)
        named = language.named(words)
        language.speak(language.chosen(named if named in language.LANGUAGES else None))
        try:
            ended = super().main(words, *rest, **more | {"standalone_mode": False})
        except _MISUSE as wrong:
            sys.stderr.write(misuse(wrong))
            sys.exit(UsageError.exit_status)
        except typer.Abort:
            sys.exit(1)
        sys.exit(ended)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"besedka.commands.{_COMMANDS[cmd_name]}")
        made = typer.Typer(rich_markup_mode=None)
        made.command(name="speak", hidden=True)(_speak)
        module.register(made)
        commands: Any = typer.main.get_group(made).commands
        command = commands[cmd_name]
        command.context_class = _Context
        command.short_help = first_sentence(command.help)
        # Lines under \b are not filled to a paragraph.
        lines = "".join(f"\n  besedka {line}" for line in EXAMPLES[cmd_name])
        command.epilog = f"\b\nExamples:{lines}"
        if not any("--lang" in parameter.opts for parameter in command.params):
            command.params += commands["speak"].params
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """A command that does not exist is answered with the nearest one."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _COMMANDS, 1)
            unknown = f"No such command '{args[0]}'"
            ctx.fail(f"{unknown}. Did you mean '{near[0]}'?" if near else unknown)
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The exit statuses, made from the classes of errors."""
        from besedka import exit_statuses  # noqa: PLC0415 - it imports everything

        with formatter.section("Exit statuses"):
            formatter.write_dl([(str(row.status), row.meaning) for row in exit_statuses.known()])


def _is_spoken(told: str | None) -> None:
    if told is not None and told not in language.LANGUAGES:
        raise typer.BadParameter(f"{told!r} is none of {', '.join(language.LANGUAGES)}")


_Lang = Annotated[
    str | None,
    typer.Option(
        metavar="ru|en",
        is_eager=True,
        expose_value=False,
        callback=_is_spoken,
        help="Language; without it, the environment's.",
    ),
]


def _speak(lang: _Lang = None) -> None:
    """No command of its own: every command has its option."""


app = typer.Typer(
    cls=_OnDemand,
    help="Besedka with Rocket.Chat: run a stack, examine it, bring it to the contract.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"besedka {__version__}")
        raise typer.Exit


@app.callback()
def _besedka(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
    ] = False,
    lang: _Lang = None,
) -> None:
    """Besedka with Rocket.Chat: run a stack, examine it, bring it to the contract."""


def main() -> None:
    """Entry point of the console script."""
    client_environment.bypass_proxies()
    # Closed by who started us (`>&-`); what is written there is nobody's.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for all of the run
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A console of another alphabet gets escapes for its letters, and no traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except BesedkaError as error:
        sys.stderr.write(f"{error.spoken()}\n")
        sys.exit(error.exit_status)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        full = DiskFullError(
            str(error),
            expected="room for what the command writes",
            where=str(error.filename or "standard output"),
            next_step="free some, then give the command again",
        )
        sys.stderr.write(f"{full.spoken()}\n")
        # What is still to be written there would be tried once more, and be the last word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(full.exit_status)


if __name__ == "__main__":
    main()
