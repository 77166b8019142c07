"""Which checks of doctor no fault makes fail."""

from __future__ import annotations

from collections.abc import Iterable

from besedka.checks.check import Check
from faults.fault import Fault


def problems(faults: Iterable[Fault], checks: Iterable[Check]) -> list[str]:
    """What is wrong between checks and faults, one line each; nothing on a catalogue without holes."""
    faults, checks = tuple(faults), tuple(checks)
    codes = {code for known in checks for code in known.codes}
    uncovered = {known.name for known in checks} - {fault.check for fault in faults}
    rows = [f"{name}: no fault makes this check fail" for name in uncovered]
    rows += [
        f"{fault.name}: {code} is no code of any check"
        for fault in faults
        for code in (fault.cause, *fault.also)
        if code not in codes
    ]
    return sorted(rows)
