"""What the exit statuses mean: one per class of error, told by the first sentence of its docstring."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass

import besedka
from besedka.errors import BesedkaError

# Programs, and no modules to import: one acts on its arguments, the other has Locust change Python's `ssl`.
_PROGRAMS = {"besedka.stacks.process.supervisor", "besedka.load.locustfile"}


@dataclass(frozen=True, order=True)
class ExitStatus:
    """One status, what it means, and the class of its error."""

    status: int
    meaning: str
    error: str


def known() -> list[ExitStatus]:
    """Every status of an error that has been imported, with all of this package; lowest first."""
    for module in pkgutil.walk_packages(besedka.__path__, "besedka."):
        if module.name not in _PROGRAMS:
            importlib.import_module(module.name)
    return sorted(_row(each) for each in _subclasses(BesedkaError) if "exit_status" in vars(each))


def _row(error: type[BesedkaError]) -> ExitStatus:
    text = " ".join((error.__doc__ or "").split())
    return ExitStatus(
        error.exit_status, re.split(r"(?<!e\.g)\.(?: (?=[A-Z`])|$)", text)[0], error.__qualname__
    )


def _subclasses(of: type[BesedkaError]) -> set[type[BesedkaError]]:
    found = set(of.__subclasses__())
    return found.union(*(_subclasses(each) for each in found))
