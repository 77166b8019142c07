"""Help, and what is said of a wrong option, in the reader's language.

Typer words its help in English and lays it out; the formatter here puts each text into Russian before that.
The classes are of a click of typer's own, which has no public name.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import typer

from besedka.scrub import without_credentials
from besedka.translation import spoken, word

_FORMATTER: Any = typer.Context.formatter_class
# What typer adds behind the help of an option: `  [default: 40]`.
_ADDED = re.compile(r"^(.*?)(?:  \[(.*)\])?$", re.DOTALL)


class Formatter(_FORMATTER):  # type: ignore[misc]
    """Click's layout, with each text in the language that this process speaks."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The first line."""
        for told in ("[OPTIONS]", "COMMAND [ARGS]..."):
            args = args.replace(told, word(told))
        super().write_usage(prog, args, f"{word('Usage')}: " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """The name of a section."""
        super().write_heading(word(heading))

    def write_text(self, text: str) -> None:
        """Paragraphs; lines below a mark of their own stay lines."""
        super().write_text("\n\n".join(_paragraph(one) for one in text.split("\n\n")))

    def write_dl(self, rows: Any, *args: Any, **more: Any) -> None:
        """Options or commands, each with what it is for."""
        super().write_dl([(name, _explained(told)) for name, told in rows], *args, **more)


def misuse(wrong: Any) -> str:
    """What is said of a wrong option: how the command is called, and what was wrong."""
    if type(wrong).__name__ == "NoArgsIsHelpError":
        return f"{wrong.message}\n"
    meant = sorted(getattr(wrong, "possibilities", None) or ())
    said = f"{wrong.message}. Did you mean '{meant[0]}'?" if meant else wrong.format_message()
    lines = [f"{word('Error')}: {spoken(said)}\n"]
    if wrong.ctx:
        hint = spoken(f"Try '{wrong.ctx.command_path} --help' for help.")
        lines = [wrong.ctx.get_usage(), f"{hint}\n", *lines]
    # What was typed may be an address with a password.
    return without_credentials("\n".join(lines))


def first_sentence(text: str | None) -> str:
    """What the list of commands says of a command."""
    return re.split(r"(?<=\.) ", " ".join(inspect.cleandoc(text or "").split()))[0]


def _paragraph(text: str) -> str:
    mark, _, rest = text.partition("\n")
    if mark != "\b":
        return spoken(" ".join(text.split()))
    heading, _, lines = rest.partition(":\n")
    return f"\b\n{word(heading)}:\n{lines}"


def _explained(text: str) -> str:
    told, added = _ADDED.fullmatch(text).groups()  # type: ignore[union-attr]
    return f"{spoken(told)}  [{spoken(added)}]" if added else spoken(told)
