"""One exception class per cause; each says what was found, what was expected, where, and the next step.

`exit_status` is what the command line and the pytest run end with when the error reaches the top. The
statuses below 10 belong to pytest (0 to 5) and doctor (0, 1, 2). So ours start at 10.
"""

from __future__ import annotations

import errno

from besedka import language
from besedka.language import Language
from besedka.scrub import without_credentials
from besedka.translation import translated, words


class BesedkaError(Exception):
    """Base of every error a user may meet; printed without a traceback."""

    exit_status = 10

    def __init__(self, found: str, *, expected: str = "", where: str = "", next_step: str = "") -> None:
        self.found = found
        self.expected = expected
        self.where = where
        self.next_step = next_step
        super().__init__(self.text())

    def text(self) -> str:
        """The message, one line per part that is known."""
        return "\n".join(f"{label:>9}: {value}" for label, value in self._rows() if value)

    def spoken(self, wanted: Language | None = None) -> str:
        """The same in that language; without one, in this process's language."""
        wanted = wanted or language.current()
        labels = words() if wanted == "ru" else {}
        rows = [
            (labels.get(label, label), translated(value, wanted)) for label, value in self._rows() if value
        ]
        width = max(len(label) for label, _ in rows)
        return "\n".join(f"{label:>{width}}: {value}" for label, value in rows)

    def _rows(self) -> list[tuple[str, str]]:
        """What was typed where something else belongs may be an address with a password."""
        rows = (
            ("found", self.found),
            ("expected", self.expected),
            ("where", self.where),
            ("next step", self.next_step),
        )
        return [(label, without_credentials(value)) for label, value in rows]


class ContractError(BesedkaError):
    """besedka.toml cannot be read or contradicts itself."""

    exit_status = 11


class DiskFullError(BesedkaError):
    """The disk has no room for what a run writes."""

    exit_status = 62


NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Numbers of the system's errors for a disk without room, and for a quota that is used up."""


class BrowserMissingError(BesedkaError):
    """No browser that Playwright could drive was found."""

    exit_status = 13


class StackStartError(BesedkaError):
    """A service died or did not become ready within its start budget: infrastructure, never a red test."""

    exit_status = 14


class ServiceUnreachableError(BesedkaError):
    """A running service did not answer, or not with what its protocol promises."""

    exit_status = 15


class UsageError(BesedkaError):
    """A wrong option, or a mode that is missing, on the command line: sysexits.h calls it EX_USAGE."""

    exit_status = 64
