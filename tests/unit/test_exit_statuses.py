"""An exit status names one cause."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import besedka
from besedka.errors import BesedkaError


def subclasses(of: type[BesedkaError]) -> set[type[BesedkaError]]:
    found = set(of.__subclasses__())
    return found.union(*(subclasses(each) for each in found))


def test_no_two_errors_share_an_exit_status() -> None:
    for module in pkgutil.walk_packages(besedka.__path__, "besedka."):
        if module.name != "besedka.stacks.process.supervisor":
            importlib.import_module(module.name)

    own = [each for each in subclasses(BesedkaError) if "exit_status" in vars(each)]
    shared = [status for status, count in Counter(each.exit_status for each in own).items() if count > 1]

    assert {status: [each.__name__ for each in own if each.exit_status == status] for status in shared} == {}
    assert all(each.exit_status >= 10 for each in own), "statuses below 10 are pytest's and doctor's"
