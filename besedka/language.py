"""The language in which a person is spoken to: Russian or English."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Literal, get_args

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# POSIX: the first of these that is set decides (Base Definitions, 8.2).
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_OPTION = re.compile(r"--lang(=|$)")
_spoken: list[Language] = ["en"]


def chosen(told: str | None = None) -> Language:
    """The language that `--lang` names, else the environment's, else English."""
    named = told or next((value for name in _VARIABLES if (value := os.environ.get(name))), "")
    return "ru" if named.lower().startswith("ru") else "en"


def named(words: Sequence[str]) -> str | None:
    """What `--lang` is in the words of a command line, before anything else is read there."""
    pairs = zip(words, [*words, ""][1:], strict=True)
    options = [row.partition("=")[2] if "=" in row else after for row, after in pairs if _OPTION.match(row)]
    return options[-1] if options else None


def speak(wanted: Language) -> None:
    """From now on this process speaks that language at its terminal."""
    _spoken[:] = [wanted]


def current() -> Language:
    """The language of this process; English until it is told another."""
    return _spoken[0]
