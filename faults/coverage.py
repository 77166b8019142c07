"""Which checks of doctor no fault can make fail, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from besedka.checks import registry
from faults.fault import Fault

# Name of a check → the reason. Empty: every check has a fault.
UNREACHABLE: Mapping[str, str] = {}


def problems(
    faults: Iterable[Fault], unreachable: Mapping[str, str] = UNREACHABLE, checks: Iterable[str] = ()
) -> list[str]:
    """What is wrong between checks and faults, one line each; nothing on a catalogue without holes.

    `checks` are the names to cover, all that are declared if none are given.
    """
    names = set(checks) or {known.name for known in registry.all_checks()}
    codes = {code for known in registry.all_checks() for code in known.codes}
    faults = tuple(faults)
    covered = {fault.check for fault in faults}
    rows = [f"{name}: no fault makes this check fail" for name in names - covered - set(unreachable)]
    rows += [f"{name}: said to be unreachable, but a fault reaches it" for name in covered & set(unreachable)]
    rows += [f"{name}: said to be unreachable, but no such check" for name in set(unreachable) - names]
    rows += [
        f"{fault.name}: {code} is no code of any check"
        for fault in faults
        for code in (fault.cause, *fault.also)
        if code not in codes
    ]
    return sorted(rows)
