"""How work that takes its time says how far it is: one line at a time, to its listener."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]


def quiet(_line: str) -> None:
    """Nobody is listening."""
