"""What a fault is: a name, what it does, and the finding that must be reported as the cause."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from besedka.faults.patient import Patient

Breaking = Callable[[Patient], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One named way to break a healthy stack.

    `breaking` breaks the patient when entered and undoes it when left. `cause` is the code of the finding
    that doctor must report first; `also` are the only other codes that may stand beside it, because one
    broken document can be wrong in two ways.
    """

    name: str
    cause: str
    breaking: Breaking
    also: tuple[str, ...] = ()

    @property
    def check(self) -> str:
        """Name of the check that must notice."""
        return self.cause.rpartition(".")[0]
