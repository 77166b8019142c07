"""What a finding says to do mends: each printed command is run as printed, and doctor is clean afterwards.

A finding that only a person can mend has advice and no command, and the advice names what really decides.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka import provision
from besedka.checks.finding import Finding
from besedka.contract import PROJECT_ROOT
from faults import BreakableStack, Fault, catalogue
from faults.breakable_stack import FaultError
from faults.levers import LEVERS, lever
from tests.faults.fault_lab import FaultLab

pytestmark = pytest.mark.faults

FAULTS = catalogue(contracts.load())
SECONDS = 120.0


@dataclass(frozen=True)
class Tried:
    """What doctor said first, the commands that it printed, what they said, and what it said afterwards."""

    cause: Finding
    commands: tuple[str, ...]
    printed: str
    left: tuple[str, ...]
    planned: tuple[str, ...]


def _tried(breakable: BreakableStack) -> Tried:
    """Do what the report says, as printed, at the root of the project."""
    report = breakable.examine()
    cause = report.first_cause
    assert cause is not None, "doctor finds nothing under the fault"
    if not cause.commands:
        return Tried(cause, (), "", (), ())
    commands = tuple(dict.fromkeys(line for found in report.findings for line in found.commands))
    printed = ""
    for line in commands:
        done = subprocess.run(  # noqa: S602 - as a person pastes it
            line, shell=True, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        printed += f"$ {line}\n{done.stdout}{done.stderr}"
    left = tuple(found.code for found in breakable.wait_until_healed().findings)
    again = provision.planned(breakable.stack.target, breakable.contract)
    return Tried(cause, commands, printed, left, tuple(action.text() for action in again.actions))


def _under(lab: FaultLab, fault: Fault) -> Tried:
    """The fault is not taken back where it was mended: its stack ends with it."""
    tried = None
    with lab.fresh() as breakable:
        try:
            with fault.put_into(breakable):
                tried = _tried(breakable)
        except FaultError:
            if tried is None:
                raise
    return tried


@pytest.mark.fixes
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_what_the_finding_says_mends(lab: FaultLab, fault: Fault) -> None:
    tried = _under(lab, fault)
    if tried.commands:
        assert tried.left == (), tried.printed
        assert tried.planned == (), "a second apply would change something"
    else:
        assert lever(fault.cause), f"no lever is written down for {fault.cause}"
        assert lever(fault.cause) in " ".join(tried.cause.advice), "the advice does not name what decides"


def test_sending_the_token_as_the_advice_says_mends(lab: FaultLab, tmp_path: Path) -> None:
    fault = next(one for one in FAULTS if one.name == "identity_takes_the_token_of_the_query")
    with lab.fresh() as breakable, fault.put_into(breakable):
        own = breakable.contract.provider.model_copy(update={"identity_token_sent_via": "payload"})
        contract = breakable.contract.model_copy(update={"provider": own})
        provision.bring(breakable.stack.target, contract, journal_folder=tmp_path)
        breakable.contract = contract
        assert [found.code for found in breakable.wait_until_healed().findings] == []


def test_every_lever_is_that_of_a_fault() -> None:
    causes = [fault.cause for fault in FAULTS]
    assert [
        one for one in LEVERS if not any(cause == one or cause.startswith(f"{one}.") for cause in causes)
    ] == []


def test_a_command_that_mends_nothing_is_noticed(lab: FaultLab, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = next(one for one in FAULTS if one.name == "chat_thinks_it_lives_elsewhere")
    monkeypatch.setattr("besedka.target.PROGRAM", ("true",))
    assert "services.root_url.differs" in _under(lab, fault).left
