"""Shards of a run become one run: no test is lost, and nothing proved in one part is left open in the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from besedka import cli
from besedka.report import history, wording
from besedka.report.merge import PartsError, merged
from besedka.report.model import CellRow, Kind, Outcome, Run, Verdict
from fixtures.order import part
from tests.unit.report import runs


def shard(text: str, *names: str, **more: object) -> Run:
    values = {"tests": tuple(runs.row_of(name) for name in names), "verdict": Verdict.PASSED, "causes": ()}
    return runs.run(f"run-{text[:1]}", shard=text, **(values | more))


def test_every_test_is_there_once_and_the_worst_part_decides() -> None:
    failed = (runs.row_of(runs.FAILED_TEST, Outcome.FAILED),)
    whole = merged(
        [
            shard("1/2", "a.py::test_a", "a.py::test_b"),
            shard("2/2", tests=failed, verdict=Verdict.FAILED, causes=runs.run().causes),
        ],
        "whole",
    )

    assert [test.id for test in whole.tests] == ["a.py::test_a", "a.py::test_b", runs.FAILED_TEST]
    assert whole.verdict is Verdict.FAILED
    assert whole.shard == ""
    assert whole.causes[0].tests == (runs.FAILED_TEST,)


def test_what_one_part_proved_is_proved() -> None:
    here = (CellRow(user="anna", room="lobby", admitted=True, proved=("entered",)),)
    there = (CellRow(user="anna", room="lobby", admitted=True, proved=("wrote",)),)
    rows = [
        (
            wording.unproven("roles", roles="guest, owner"),
            wording.unproven("skipped", count="2", reason="no key"),
        ),
        (wording.unproven("roles", roles="owner"), wording.unproven("skipped", count="1", reason="no key")),
    ]
    whole = merged(
        [
            shard("1/2", "a.py::a", cells=here, unproven=rows[0], signed_in={"anna": True}),
            shard("2/2", "a.py::b", cells=there, unproven=rows[1], signed_in={"anna": False}),
        ],
        "whole",
    )

    assert whole.cells[0].proved == ("entered", "wrote")
    assert whole.signed_in == {"anna": False}
    assert [row.text for row in whole.unproven] == [
        "no test that passed signed in a user of role: owner",
        "skipped, 3: no key",
    ]


@pytest.mark.parametrize("shards", [["1/2"], ["1/2", "1/2"], ["1/2", "2/3"], ["", ""]])
def test_a_missing_part_is_no_green_run(shards: list[str]) -> None:
    with pytest.raises(PartsError):
        merged([shard(text, f"a.py::{number}") for number, text in enumerate(shards)], "whole")


def test_a_test_in_two_parts_is_named() -> None:
    with pytest.raises(PartsError, match=r"a\.py::a is in two parts"):
        merged([shard("1/2", "a.py::a"), shard("2/2", "a.py::a")], "whole")


def test_the_command_writes_one_page_with_the_evidence(tmp_path: Path) -> None:
    folders = []
    for text in ("1/2", "2/2"):
        folder = tmp_path / text[0]
        (folder / "evidence" / f"t{text[0]}").mkdir(parents=True)
        (folder / "evidence" / f"t{text[0]}" / "frames.txt").write_text("page", "utf-8")
        shard(text, f"a.py::{text[0]}").write(folder)
        folders.append(str(folder))
    inside = tmp_path / "inside"
    inside.mkdir()
    shard("1/2", "b.py::red_on_purpose", inside=True).write(inside)
    folders.append(str(inside))
    to, durations = tmp_path / "whole", tmp_path / "durations.json"

    shown = CliRunner().invoke(cli.app, ["merge", *folders, "--to", str(to), "--durations", str(durations)])

    assert shown.exit_code == 0, shown.output
    assert len(Run.read(to / "run.json").tests) == 2
    assert (to / "index.html").exists()
    assert (to / "evidence" / "t2" / "frames.txt").exists()
    assert json.loads(durations.read_text("utf-8")) == {"a.py::1": 1.1, "a.py::2": 1.1}


# On a machine under load making up names is slow, which is no failure of anything.
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.text("abc", min_size=1, max_size=5), unique=True, max_size=30),
    st.dictionaries(st.text("abc", min_size=1, max_size=5), st.floats(0.01, 100)),
    st.integers(1, 5),
)
def test_every_test_is_in_exactly_one_part(names: list[str], durations: dict[str, float], count: int) -> None:
    parts = [part(names, durations, number, count) for number in range(1, count + 1)]

    assert sorted(name for each in parts for name in each) == sorted(names)


def test_parts_take_equally_long() -> None:
    durations = {f"t{number}": float(number) for number in range(1, 31)}
    loads = [sum(durations[name] for name in part(list(durations), durations, n, 3)) for n in (1, 2, 3)]

    assert max(loads) <= min(loads) * 1.05


def test_a_rate_of_few_runs_has_a_wide_interval() -> None:
    def outcome(*outcomes: Outcome) -> list[Run]:
        return [runs.run(tests=(runs.row_of("wavers", each),)) for each in outcomes]

    rate = history.rates(outcome(Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.PASSED))["wavers"]

    assert (rate.failed, rate.total) == (1, 3)
    # Wilson's interval of 1 in 3, as printed in tables.
    assert [round(bound, 2) for bound in rate.interval] == [0.06, 0.79]
    assert history.rates(outcome(Outcome.PASSED)) == {}


def test_a_test_that_passed_when_run_once_more_is_a_flake() -> None:
    run = runs.run(tests=(runs.row_of("a", Outcome.FAILED, kind=Kind.FLAKE),))

    assert history.flaky([run]) == {"a"}
