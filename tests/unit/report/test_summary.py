"""What a CI job shows of a run: a summary, annotations at the tests' lines, and a common report."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from besedka import cli
from besedka.commands.reports import NoRunError
from besedka.errors import UsageError
from besedka.language import LANGUAGES, Language
from besedka.report import ctrf, wording
from besedka.report.annotations import workflow_commands
from besedka.report.model import Outcome, Verdict
from besedka.report.summary import markdown
from tests.unit.report import runs

LOST = "mongo ended with status 137; its last lines:\n```\nno space\n```"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_names_cause_tests_and_what_is_open(language: Language) -> None:
    text = markdown(runs.run(), language, {"page": "https://ci.test/1"})

    told = wording.texts(language)
    for part in (
        f"### {wording.verdict(runs.run(), language)}",
        "`sso.token.refused`",
        "401 &lt;b&gt;invalid_client",
        {"en": "Workspace → Settings", "ru": "Рабочее пространство"}[language],
        "```\npython3 run.py provision --apply\n```",
        f"{told['label']['tests']}: 1</summary>\n\n- `{runs.FAILED_TEST}`",
        told["unproven"]["stand_in"].format(service="MongoDB"),
        "| 1.1 | `tests/e2e/test_other.py::test_b`",
        "[page](https://ci.test/1)",
    ):
        assert part in text, part
    assert told["heading"]["failures"] not in text, "its only failure is explained"


def test_a_failure_that_no_cause_explains_stands_by_itself() -> None:
    lonely = runs.row_of("tests/e2e/test_x.py::test_lonely", Outcome.ERROR, reason="KeyError: 'a|b'")

    text = markdown(runs.run(tests=(*runs.run().tests, lonely)), "en")

    assert f"- `{lonely.id}`: KeyError: 'a\\|b'" in text


def test_what_a_service_printed_ends_no_block() -> None:
    text = markdown(runs.run(verdict=Verdict.INFRASTRUCTURE, trouble=LOST), "en")

    assert f"````\n{LOST}\n````" in text


def test_the_cause_stands_at_the_line_of_each_failed_test() -> None:
    failed = runs.row_of(runs.FAILED_TEST, Outcome.FAILED, file="tests/e2e/test_sign_in.py", line=12)
    other = runs.row_of("tests/a.py::test_b[x,y]", Outcome.FAILED, reason="100% wrong\nindeed")

    lines = list(workflow_commands(runs.run(tests=(failed, other))))

    head = "::error file=tests/e2e/test_sign_in.py,line=12,title=tests/e2e/test_sign_in.py%3A%3Atest_opening"
    assert lines[0].startswith(head)
    assert lines[0].endswith("::sso.token.refused: 401 <b>invalid_client</b>%0Athe site")
    assert lines[1] == "::error title=tests/a.py%3A%3Atest_b[x%2Cy]::100%25 wrong%0Aindeed"


def test_a_stack_that_failed_is_an_annotation_and_no_green_report() -> None:
    run = runs.run(verdict=Verdict.INFRASTRUCTURE, trouble=LOST, tests=(), causes=())

    assert next(workflow_commands(run)).startswith("::error title=the stack failed::mongo ended")
    results = ctrf.document(run)["results"]
    assert results["summary"]["failed"] == 1
    assert results["tests"] == [{"name": "the stack", "status": "failed", "duration": 0, "message": LOST}]


def test_the_common_report_counts_every_test_and_names_its_evidence() -> None:
    results = ctrf.document(runs.run())["results"]

    assert results["summary"]["tests"] == results["summary"]["failed"] + results["summary"]["passed"] == 2
    failed = next(row for row in results["tests"] if row["status"] == "failed")
    assert failed["extra"] == {"evidence": "evidence/t", "causes": ["sso.token.refused"]}


def test_the_command_appends_the_summary_and_prints_the_annotations(tmp_path: Path) -> None:
    runs.run().write(tmp_path)
    summary, report = tmp_path / "summary.md", tmp_path / "below" / "ctrf.json"
    summary.write_text("before\n", "utf-8")
    options = ["--to", str(summary), "--ctrf", str(report), "--annotate", "--lang", "en"]

    shown = CliRunner().invoke(cli.app, ["summary", str(tmp_path), *options])

    assert shown.exit_code == 0, shown.output
    assert summary.read_text("utf-8").startswith("before\n### Something is wrong")
    assert '"specVersion": "1.0.0"' in report.read_text("utf-8")
    assert shown.stdout.startswith("::error ")


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli.app, ["summary", str(tmp_path)])

    assert isinstance(shown.exception, NoRunError)
    assert str(tmp_path) in str(shown.exception)


@pytest.mark.parametrize(
    "words",
    [[], ["--nope"], ["nope"], ["provision"], ["doctor", "--nope"], ["doctor", "extra"], ["summary", "--to"]],
)
def test_a_wrong_option_or_a_missing_mode_has_a_status_of_its_own(words: list[str]) -> None:
    assert CliRunner().invoke(cli.app, words).exit_code == UsageError.exit_status
