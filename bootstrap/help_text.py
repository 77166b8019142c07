"""What `run.py --help` prints: made of run.py's docstring and the commands, at most 80 columns wide."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import TextIO

from besedka.translation import spoken, word

WIDTH = 80
EXAMPLES = ("e2e -k sign_in", "up --port site=8001", "doctor --lang ru", "provision --plan")
_STATUS = re.compile(r"^ +(\d+)  (.+)$", re.MULTILINE)


def in_cyrillic(stream: TextIO) -> bool:
    """Whether a console shows Russian; one of ASCII would show numbers in place of letters."""
    try:
        "я".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def help_text(commands: Mapping[str, str], promise: str) -> str:
    """The whole page."""
    parts = [f"{word('Usage')}: python3 run.py {word('COMMAND [ARGS]...')}"]
    parts.append("\n".join(_row(name, spoken(what)) for name, what in commands.items()))
    parts.append("\n".join([f"{word('Examples')}:", *(f"  python3 run.py {row}" for row in EXAMPLES)]))
    parts += [textwrap.fill(spoken(text), WIDTH) for text in paragraphs(promise)]
    rows = [_row(number, spoken(meaning), 4) for number, meaning in statuses(promise)]
    return "\n\n".join([*parts, "\n".join(rows)]) + "\n"


def paragraphs(promise: str) -> Iterator[str]:
    """The docstring's paragraphs, each on one line; the statuses come apart."""
    for text in promise.split("\n\n"):
        yield " ".join(_STATUS.sub("", text).split())


def statuses(promise: str) -> list[tuple[str, str]]:
    """The exit statuses that it lists, with what they mean."""
    return _STATUS.findall(promise)


def _row(name: str, what: str, width: int = 12) -> str:
    return textwrap.fill(f"  {name:<{width}}{what}", WIDTH, subsequent_indent=" " * (width + 2))
