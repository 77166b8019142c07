"""Every command that a page shows is one that the programs take: names, options and values."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from besedka.cli import app
from besedka.contract import PROJECT_ROOT

PAGES = [
    PROJECT_ROOT / "CONTRIBUTING.md",
    *PROJECT_ROOT.glob("README*.md"),
    *(PROJECT_ROOT / "docs").rglob("*.md"),
]
_SHOWN = re.compile(r"^ {4,}(.+)$|(?<!`)`([^`\n]+)`(?!`)", re.MULTILINE)
_PROGRAM = re.compile(
    r"^(?:\w+=\S+ )*(?:\.venv/bin/)?(?:python3? -m )?(besedka|pytest|python3 run\.py)(?: (.*))?$"
)
# Commands of `run.py` itself; those of besedka are handed on.
_OWN = {"setup", "e2e", "test"}


def shown(text: str) -> Iterator[tuple[str, list[str]]]:
    """Program and words of each command, without comments, brackets and what goes to another program."""
    for block, inline in _SHOWN.findall(text.replace("\\\n", " ")):
        line = re.split(r"\s+#|[|>;&]", block or inline)[0].strip()
        found = _PROGRAM.match(re.sub(r"[\[\]]", " ", line.replace("…", "left-out")))
        if found:
            yield found[1], shlex.split(found[2] or "")


COMMANDS = sorted({(program, *words) for page in PAGES for program, words in shown(page.read_text("utf-8"))})


def test_the_pages_show_commands() -> None:
    assert {command[0] for command in COMMANDS} == {"besedka", "pytest", "python3 run.py"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_of_the_pages_is_understood(command: tuple[str, ...], pytestconfig: pytest.Config) -> None:
    program, *words = command
    if program == "pytest":
        pytestconfig._parser.parse(words)
    elif program == "besedka" or (words and words[0] not in _OWN | {"--help"}):
        _parse(typer.main.get_command(app), "besedka", words)


def _parse(command: Any, name: str, words: list[str], parent: Any = None) -> None:
    """Follow the words as typer does, without running anything; UsageError where it takes them not."""
    context = command.make_context(name, list(words), parent=parent)
    rest = [*context._protected_args, *context.args]
    if isinstance(command, TyperGroup) and rest:
        inner, found, more = command.resolve_command(context, rest)
        # A name alone is a mention of the command.
        if more:
            _parse(found, str(inner), more, context)
