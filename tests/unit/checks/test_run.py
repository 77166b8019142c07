"""The runner: one cause gives one finding, and a check that raises is a result of its own."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from rich.console import Console

from besedka.checks import run
from besedka.checks.check import Check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Findings, Ok, Severity, Skipped, Status, finding
from besedka.checks.report import Report
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.target import Target

Ask = Callable[[Examination], Answer]
Rows = list[tuple[str, str, Ask, tuple[str, ...], tuple[str, ...]]]


@pytest.fixture
def report_of(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> Callable[[Rows], Report]:
    """Run these checks and no others; nothing is asked over the network."""

    def ask(rows: Rows) -> Report:
        kinds = ("broken", "told", "long")
        checks = tuple(
            Check(name=name, question="?", ask=how, needs=needs, after=after, kinds=kinds)
            for name, how, needs, after in rows
        )
        monkeypatch.setattr(run, "checks_for", lambda _: checks)
        return run.examine(Target("http://127.0.0.1:1", "http://127.0.0.1:2"), contract)

    return ask


def ok(_: Examination) -> Answer:
    return Ok("seen")


def broken(_: Examination) -> Answer:
    return Findings((finding("site.b.broken", "bad", "good", "here", advice=["mend it"]),))


def absent(_: Examination) -> Answer:
    return Skipped("no MongoDB address")


def silent(_: Examination) -> Answer:
    raise ServiceUnreachableError("no answer", expected="one", where="GET /", next_step="start it")


def crashing(_: Examination) -> Answer:
    raise ZeroDivisionError("own mistake")


def test_what_stands_on_a_broken_check_is_blocked_by_the_cause(report_of: Callable[[Rows], Report]) -> None:
    report = report_of(
        [
            ("services.a", ok, (), ()),
            ("site.b", broken, ("services.a",), ()),
            ("provider.c", ok, ("site.b",), ()),
            ("sso.d", ok, ("provider.c",), ()),
        ]
    )
    assert [result.status for result in report.results] == ["ok", "finding", "blocked", "blocked"]
    assert report.result("sso.d").root == "site.b"
    assert len(report.findings) == 1
    assert report.exit_status == 1


def test_a_risk_blocks_nothing(report_of: Callable[[Rows], Report]) -> None:
    def risky(_: Examination) -> Answer:
        risk = finding("site.a.broken", "open", "closed", "here", severity=Severity.RISK)
        return Findings((risk,))

    report = report_of([("site.a", risky, (), ()), ("sso.b", ok, ("site.a",), ())])
    assert [result.status for result in report.results] == ["finding", "ok"]


def test_what_needs_a_skipped_check_is_skipped_for_the_same_reason(
    report_of: Callable[[Rows], Report],
) -> None:
    report = report_of(
        [
            ("services.a", absent, (), ()),
            ("integrity.b", ok, ("services.a",), ()),
            ("rooms.c", ok, (), ("services.a",)),
        ]
    )
    assert [result.status for result in report.results] == ["skipped", "skipped", "ok"]
    assert report.result("integrity.b").reason == "no MongoDB address"
    assert report.exit_status == 0


def test_a_service_that_falls_silent_is_a_finding_of_the_check_that_asked(
    report_of: Callable[[Rows], Report],
) -> None:
    report = report_of([("site.a", silent, (), ())])
    assert report.first_cause is not None
    assert report.first_cause.code == "site.a.unanswered"
    assert report.first_cause.advice == ("start it",)


def test_a_check_that_raises_is_a_crash_and_no_verdict(report_of: Callable[[Rows], Report]) -> None:
    report = report_of([("site.a", crashing, (), ()), ("sso.b", ok, ("site.a",), ())])
    assert [result.status for result in report.results] == ["crash", "blocked"]
    assert "ZeroDivisionError" in report.results[0].reason
    assert "crashing" in report.results[0].traceback
    assert report.findings == ()
    assert report.exit_status == 2


def test_a_finding_of_an_undeclared_code_is_a_mistake_of_the_check(
    report_of: Callable[[Rows], Report],
) -> None:
    report = report_of([("site.other", broken, (), ())])
    assert report.results[0].status is Status.CRASH
    assert "site.b.broken" in report.results[0].reason


def test_the_first_cause_is_the_one_nearest_to_the_ground(report_of: Callable[[Rows], Report]) -> None:
    def late(_: Examination) -> Answer:
        return Findings((finding("rooms.a.broken", "late", "", "there"),))

    report = report_of([("rooms.a", late, (), ()), ("site.b", broken, (), ())])
    assert report.first_cause is not None
    assert report.first_cause.code == "site.b.broken"
    assert report.summary().startswith("probable cause site.b.broken")


def test_a_stack_that_does_not_answer_at_all_could_not_be_asked(report_of: Callable[[Rows], Report]) -> None:
    rows: Rows = [
        ("services.site", silent, (), ()),
        ("site.b", ok, ("services.site",), ()),
    ]
    assert report_of(rows).exit_status == 2


def test_no_secret_leaves_the_examination(
    report_of: Callable[[Rows], Report], contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = contract.provider.secret

    def telling(examination: Examination) -> Answer:
        token = examination.secret("a-token-of-this-run")
        return Findings(
            (
                finding(
                    "site.a.told", secret, token, f"at {secret}", advice=[f"use {token}"], evidence=[secret]
                ),
            )
        )

    def failing(_: Examination) -> Answer:
        raise RuntimeError(secret)

    report = report_of([("site.a", telling, (), ()), ("site.b", failing, (), ())])
    report.print(Console(), verbose=True)
    shown = capsys.readouterr().out + report.to_json() + report.summary()
    assert secret not in shown
    assert "a-token-of-this-run" not in shown
    assert json.loads(report.to_json())["results"][1]["status"] == "crash"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_table_fits_a_terminal(
    report_of: Callable[[Rows], Report], capsys: pytest.CaptureFixture[str], width: int
) -> None:
    def long(_: Examination) -> Answer:
        return Findings((finding("site.b.long", "word " * 60, "text " * 60, "x" * 200, advice=["do " * 90]),))

    rows: Rows = [
        ("services.a", ok, (), ()),
        ("site.b", long, (), ()),
        ("provider.c", ok, ("site.b",), ()),
    ]
    report_of(rows).print(Console(width=width))
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= width
    assert lines[0].strip() == "Probable cause"
    assert any("blocked" in line and "by site.b" in line for line in lines)


def test_results_say_how_long_and_how_many(report_of: Callable[[Rows], Report], contract: Contract) -> None:
    def watching(_: Examination) -> Answer:
        return Ok("", watched=("site.url", "no.such.value"))

    report = report_of([("site.a", watching, (), ())])
    assert "site.url" not in report.unwatched
    assert "provider.secret" in report.unwatched
    assert report.count(Status.OK) == 1
    coverage = json.loads(report.to_json())["coverage"]
    assert coverage["watched"] == 1
