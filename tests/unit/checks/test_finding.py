"""What a finding says, and where the page about it is."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from besedka.checks.document import text
from besedka.checks.finding import Finding, Result, Severity, Status, finding
from besedka.checks.report import HEALTHY, SICK, Report, print_finding
from besedka.contract import Contract

FOUND = finding("rooms.exist.missing", "none", "one", "rooms", commands=("run it",), advice=("Do it.",))


def report(contract: Contract, *found: Finding) -> Report:
    result = Result("rooms.exist", "rooms", Status.FINDING, found)
    return Report((result,), contract, contract.site.url, contract.chat.url, 0.0)


def test_every_check_has_its_place_on_the_page_that_findings_name() -> None:
    place = FOUND.docs.partition("#")[2]
    assert f'<a id="{place}"></a>`rooms.exist`' in text()


def test_commands_and_advice_are_printed_apart() -> None:
    out = StringIO()
    print_finding(Console(file=out, width=80), FOUND)
    lines = [line.split(None, 1) for line in out.getvalue().splitlines() if line.strip()]
    assert ["run", "run it"] in [[word.strip() for word in line] for line in lines]
    assert ["advice", "Do it."] in [[word.strip() for word in line] for line in lines]


def test_the_cause_is_what_is_broken_before_what_is_a_risk(contract: Contract) -> None:
    risk = finding("rooms.exist.twin", "two", "one", "rooms", severity=Severity.RISK)
    assert report(contract, risk, FOUND).first_cause == FOUND


@pytest.mark.parametrize(("severity", "status"), [(Severity.NOTE, HEALTHY), (Severity.RISK, SICK)])
def test_a_note_leaves_a_stack_healthy(contract: Contract, severity: Severity, status: int) -> None:
    one = finding("rooms.exist.twin", "two", "one", "rooms", severity=severity)
    assert report(contract, one).exit_status == status


def test_notes_are_counted_apart_and_are_no_cause(contract: Contract) -> None:
    note = finding("rooms.exist.twin", "two", "one", "rooms", severity=Severity.NOTE)
    noted, out = report(contract, note), StringIO()
    assert noted.summary() == "nothing wrong was found: 1 note"
    counts = json.loads(noted.to_json())["counts"]
    assert (counts["finding"], counts["note"]) == (0, 1)
    noted.print(Console(file=out, width=80))
    assert "Probable cause" not in out.getvalue()
    assert note.code in out.getvalue()
    assert report(contract, note, FOUND).summary().endswith("(1 finding)")


def test_json_holds_the_page_and_the_severity() -> None:
    raw = FOUND.as_json()
    assert (raw["severity"], raw["commands"], raw["docs"]) == ("broken", ("run it",), FOUND.docs)
