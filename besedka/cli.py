"""`besedka`: the library's command line.

A command is imported when it is called. An error ends in one message of found, expected, where and next
step, with the status of its class (see `besedka.exit_statuses`), and never in a traceback.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from besedka import http, language
from besedka.errors import BesedkaError, UsageError

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
    "conformance": "conformance",
    "summary": "reports",
    "bundle": "reports",
    "merge": "reports",
    "announce": "announce",
}
# click's UsageError, which typer keeps under no public name of its own.
_MISUSE = typer.BadParameter.__mro__[1]


class _OnDemand(TyperGroup):
    """The commands; each is imported when it is asked for, because some take a second to import.

    What typer hands over are classes of a click of its own, which has no public name.
    """

    def main(self, *args: Any, **more: Any) -> Any:
        """A wrong option ends with a status of its own: click's 2 is doctor's word for "not asked"."""
        try:
            return super().main(*args, **more)
        except SystemExit as ended:
            if isinstance(ended.__context__, _MISUSE):
                raise SystemExit(UsageError.exit_status) from None
            raise

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"besedka.commands.{_COMMANDS[cmd_name]}")
        made = typer.Typer()
        made.command(name="speak", hidden=True)(_speak)
        module.register(made)
        commands: Any = typer.main.get_group(made).commands
        command = commands[cmd_name]
        if not any("--lang" in parameter.opts for parameter in command.params):
            command.params += commands["speak"].params
        return command

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The exit statuses, made from the classes of errors."""
        from besedka import exit_statuses  # noqa: PLC0415 - it imports everything

        with formatter.section("Exit statuses"):
            formatter.write_dl([(str(row.status), row.meaning) for row in exit_statuses.known()])


def _speak(
    lang: Annotated[
        str | None,
        typer.Option(
            metavar="ru|en",
            is_eager=True,
            expose_value=False,
            callback=lambda told: language.speak(language.chosen(told)),
            help="Language; without it, the environment's.",
        ),
    ] = None,
) -> None:
    """No command of its own: every command has its option."""


app = typer.Typer(
    cls=_OnDemand,
    help="Besedka with Rocket.Chat: run a stack, examine it, bring it to the contract.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _besedka() -> None:
    """Besedka with Rocket.Chat: run a stack, examine it, bring it to the contract."""


def main() -> None:
    """Entry point of the console script."""
    http.bypass_proxies()
    try:
        app()
    except BesedkaError as error:
        sys.stderr.write(f"{error.spoken()}\n")
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
