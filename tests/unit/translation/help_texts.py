"""What the help of `besedka` and the list of checks say, read off the very commands and checks."""

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from besedka import contract, exit_statuses
from besedka.checks.catalogue import checks_for
from besedka.cli import _COMMANDS, app
from besedka.commands.spoken_help import first_sentence
from bootstrap import help_text

# Typer's and pydantic's own words; tests/unit/test_command_line.py has them said.
OF_TYPER = {
    "required",
    "default: {default}",
    "default: {default}; required",
    "default: (dynamic)",
    "No such option: {name}",
    "Missing command.",
    "Missing argument {hint}.",
    "Missing option {hint}.",
    "Option '{name}' requires an argument.",
    "Option '{name}' does not take a value.",
    "Got unexpected extra argument(s) ({args})",
    "Invalid value: {message}",
    "Invalid value for {hint}: {message}",
    "Value error, {value} is not one of {choices}.",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
}


def commands() -> dict[str, Any]:
    """The program itself, and each of its commands."""
    group: Any = typer.main.get_command(app)
    return {"": group} | {name: group.get_command(None, name) for name in _COMMANDS}


def texts() -> Iterator[str]:
    """Every text, as it stands in English."""
    for name, command in commands().items():
        for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
            yield " ".join(paragraph.split())
        if name:
            yield first_sentence(command.help)
        context = command.make_context(name, [], resilient_parsing=True)
        yield from (row.help for row in command.get_params(context) if getattr(row, "help", None))
    promise = ast.get_docstring(ast.parse((contract.PROJECT_ROOT / "run.py").read_text("utf-8"))) or ""
    yield from help_text.paragraphs(promise)
    yield from (meaning for _, meaning in help_text.statuses(promise))
    yield from (check.question for check in checks_for(contract.load()))
    yield from (row.meaning for row in exit_statuses.known())
