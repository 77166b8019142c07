"""Every incident is answered for by faults that exist, or by a reason; asked of the data, without a stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from besedka import contract as contracts
from faults import catalogue, incident_table
from faults.incident import OUTSIDE, Incident, load, problems

pytestmark = pytest.mark.faults

FAULTS = catalogue(contracts.load())
CHAPTERS = load()
INCIDENTS = [row for chapter in CHAPTERS for row in chapter.incidents]
REASON = "Nobody can make a stack do this, because it happens in people's heads alone."
SHOWN = Incident(1, "chat-gone", "No answer.", "It was stopped.", "services", ("chat_stopped",))
HIDDEN = Incident(2, "hope", "Good news.", "Nobody looked.", "habit", reason=REASON)


def test_every_incident_is_answered_for() -> None:
    assert problems(INCIDENTS, FAULTS) == []
    assert len(INCIDENTS) == 129
    assert {row.layer for row in INCIDENTS if not row.faults} == set(OUTSIDE)


def test_the_page_is_up_to_date() -> None:
    made = incident_table.text(CHAPTERS, FAULTS)
    assert incident_table.PAGE.read_text("utf-8") == made, (
        "run: python -m faults.incident_table > docs/incidents.md"
    )
    assert incident_table.BY_FINDING.read_text("utf-8") == incident_table.by_finding(CHAPTERS, FAULTS)


def test_the_page_shows_each_incident_once_with_its_finding() -> None:
    lines = incident_table.text(CHAPTERS, FAULTS).splitlines()
    causes = {fault.name: fault.cause for fault in FAULTS}
    for row in INCIDENTS:
        (line,) = [line for line in lines if line.startswith(f"| <a id='{row.number}'></a>")]
        assert row.symptom in line
        assert all(f"`{name}`" in line and f"`{causes[name]}`" in line for name in row.faults)
        assert row.reason in line


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (replace(SHOWN, faults=("chat_on_holiday",), layer="services"), "no fault chat_on_holiday"),
        (replace(SHOWN, faults=()), "has no fault, and a reason without substance: ''"),
        (replace(HIDDEN, reason="impossible"), "has no fault, and a reason without substance: 'impossible'"),
        (replace(SHOWN, reason=REASON), "has faults, and a reason why there are none"),
        (replace(SHOWN, layer="rooms"), "is of the layer rooms, its faults are of services"),
        (replace(HIDDEN, layer="services"), "has no fault, but is of the layer services: one of habit"),
        (replace(SHOWN, symptom=""), "lacks a symptom, a cause or a layer"),
        (
            replace(HIDDEN, guards=("tests/faults/test_gone.py::test_it",)),
            "no test tests/faults/test_gone.py",
        ),
        (
            replace(HIDDEN, guards=("tests/faults/test_incidents.py::test_nothing_of_the_kind",)),
            "no test tests/faults/test_incidents.py::test_nothing_of_the_kind",
        ),
    ],
)
def test_an_incident_that_is_not_answered_for_is_named(row: Incident, problem: str) -> None:
    found = problems([row], FAULTS)
    assert any(line.startswith(f"{row.number} {row.slug}: {problem}") for line in found), found


def test_the_made_up_incidents_are_answered_for() -> None:
    assert problems([SHOWN, HIDDEN], FAULTS) == []


def test_an_incident_that_stands_there_twice_is_named() -> None:
    assert problems([SHOWN, replace(HIDDEN, number=1)], FAULTS) == ["1: stands there twice"]
    assert problems([SHOWN, replace(SHOWN, number=3)], FAULTS) == ["chat-gone: stands there twice"]


@pytest.mark.parametrize(
    "text", ["title = ", 'title = "x"', 'title = "x"\n[[incident]]\nnumber = 1', "incident = [{huh = 1}]"]
)
def test_a_file_that_is_no_chapter_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "1_broken.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"1_broken\.toml"):
        load(tmp_path)
