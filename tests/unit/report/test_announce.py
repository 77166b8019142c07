"""A red nightly opens one issue per cause and tells a webhook; a green one closes what is gone."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from besedka import cli
from besedka.commands.announce import NOTIFY_ENV, AnnounceError
from besedka.commands.reports import NoRunError
from besedka.errors import UsageError
from besedka.report.issues import INFRASTRUCTURE, UNEXPLAINED, plan, red_jobs
from besedka.report.model import Outcome, Run, Verdict
from tests.unit.report import runs

GREEN = runs.run(verdict=Verdict.PASSED, causes=(), tests=(runs.row_of("a"),))
CAUSE = "Nightly: sso.token.refused"
GH = """#!/bin/sh
[ "$2" = list ] && { echo '[{"number": 7, "title": "Nightly: gone.cause"}]'; exit; }
[ -n "$GH_FAILS" ] && { echo "no token" >&2; exit 4; }
{ printf '%s|' "$@"; cat; } >> "$CALLS"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a `gh` in place of GitHub's was called with."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "gh"
    program.write_text(GH, "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv(NOTIFY_ENV, raising=False)
    return tmp_path / "calls"


@pytest.fixture
def red(tmp_path: Path) -> str:
    folder = tmp_path / "red"
    folder.mkdir()
    runs.run().write(folder)
    return str(folder)


class Webhook:
    """Rocket.Chat's incoming webhook, on loopback."""

    def __init__(self, status: int = 200) -> None:
        self.messages: list[dict[str, object]] = []
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.messages.append(json.loads(body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.status = status
        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/id/the-token-of-the-hook"


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    webhook = Webhook()
    thread = threading.Thread(target=webhook.server.serve_forever)
    thread.start()
    monkeypatch.setenv(NOTIFY_ENV, webhook.url)
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()
    thread.join()


def words(run: Run, known: dict[str, int]) -> list[tuple[str, ...]]:
    return [step.words[1:4] for step in plan([run], known)]


def test_a_new_cause_is_opened_with_what_is_known_of_it() -> None:
    (step,) = plan([runs.run()], {}, "https://ci.test/1")

    assert step.words[:4] == ("issue", "create", "--title", CAUSE)
    for part in (
        "https://ci.test/1",
        "401 <b>invalid_client</b>",
        "run.py provision --apply",
        runs.FAILED_TEST,
    ):
        assert part in step.body


def test_a_known_cause_is_told_again_and_a_gone_one_closed() -> None:
    steps = plan([runs.run()], {CAUSE: 3, "Nightly: gone.cause": 4, "somebody's own": 5})

    assert [step.words[1:3] for step in steps] == [("comment", "3"), ("close", "4")]


def test_a_green_nightly_closes_everything_of_its_own() -> None:
    assert words(GREEN, {CAUSE: 3, "somebody's own": 5}) == [("close", "3", "--comment")]


def test_a_job_that_no_run_explains_is_an_issue_and_closes_nothing() -> None:
    needs = {
        name: {"result": result}
        for name, result in (("tables", "failure"), ("e2e", "failure"), ("pages", "success"))
    }
    red = [runs.run(job="e2e"), GREEN]

    jobs = red_jobs(needs, red)

    assert jobs == ["tables"], "the red run of e2e says why"
    steps = plan([GREEN], {CAUSE: 3}, "https://ci.test/1", jobs)
    assert [step.words[:4] for step in steps] == [("issue", "create", "--title", "Nightly: job tables")]
    assert "https://ci.test/1" in steps[0].body


def test_a_nightly_that_came_to_no_run_is_told(calls: Path, webhook: Webhook) -> None:
    needs = json.dumps({"versions": {"result": "failure", "outputs": {}}, "e2e": {"result": "skipped"}})

    shown = CliRunner().invoke(cli.app, ["announce", "--needs", needs])

    assert shown.exit_code == 0, shown.output
    assert "issue|create|--title|Nightly: job versions|" in calls.read_text("utf-8")
    assert "issue|close|" not in calls.read_text("utf-8")
    (message,) = webhook.messages
    assert message["text"] == "job versions"


@pytest.mark.parametrize("said", ["{", "[]", '{"e2e": 1}'])
def test_rubbish_in_place_of_the_jobs_is_a_wrong_option(said: str) -> None:
    shown = CliRunner().invoke(cli.app, ["announce", "--needs", said, "--no-issues"])

    assert shown.exit_code == UsageError.exit_status, shown.output
    assert "toJSON(needs)" in shown.output


def test_a_stack_that_failed_closes_nothing() -> None:
    lost = runs.run(verdict=Verdict.INFRASTRUCTURE, trouble="mongo ended", causes=())

    assert words(lost, {CAUSE: 3}) == [("create", "--title", f"Nightly: {INFRASTRUCTURE}")]


def test_what_no_cause_explains_is_one_issue() -> None:
    failed = tuple(runs.row_of(name, Outcome.FAILED) for name in ("a", "b"))

    (step,) = plan([runs.run(causes=(), tests=failed)], {})

    assert step.words[3] == f"Nightly: {UNEXPLAINED}"
    assert step.body.endswith("- `a`\n- `b`\n")


def test_the_same_cause_of_two_runs_is_one_issue() -> None:
    assert len(plan([runs.run("one"), runs.run("two")], {})) == 1


def test_the_command_calls_gh(calls: Path, red: str) -> None:
    shown = CliRunner().invoke(cli.app, ["announce", red])

    assert shown.exit_code == 0, shown.output
    told = calls.read_text("utf-8")
    assert f"issue|create|--title|{CAUSE}|--label|nightly|--body-file|-|" in told
    assert "issue|close|7|" in told


def test_a_run_inside_a_test_is_nobodys_nightly(red: str, calls: Path, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    runs.run("inside", inside=True).write(inside)

    alone = CliRunner().invoke(cli.app, ["announce", str(inside)])

    assert isinstance(alone.exception, NoRunError), "nothing may be closed because nothing was run"
    assert not calls.exists()
    beside = CliRunner().invoke(cli.app, ["announce", red, str(inside)])
    assert beside.exit_code == 0, beside.output
    assert calls.read_text("utf-8").count("issue|create|") == 1


def test_a_dry_run_asks_and_changes_nothing(calls: Path, red: str, webhook: Webhook) -> None:
    shown = CliRunner().invoke(cli.app, ["announce", red, "--dry-run"])

    assert shown.exit_code == 0, shown.output
    assert f"gh issue create --title '{CAUSE}'" in shown.output
    assert not calls.exists()
    assert webhook.messages == []


@pytest.mark.usefixtures("calls")
def test_what_gh_says_is_told_and_the_room_all_the_same(
    red: str, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_FAILS", "1")

    shown = CliRunner().invoke(cli.app, ["announce", red])

    assert isinstance(shown.exception, AnnounceError)
    assert "no token" in str(shown.exception)
    assert len(webhook.messages) == 1


def test_the_webhook_gets_rocket_chats_format(red: str, webhook: Webhook) -> None:
    shown = CliRunner().invoke(cli.app, ["announce", red, "--no-issues", "--link", "https://ci.test/1"])

    assert shown.exit_code == 0, shown.output
    (message,) = webhook.messages
    assert message["text"] == "sso.token.refused"
    (attachment,) = message["attachments"]  # type: ignore[misc]
    assert attachment["title_link"] == "https://ci.test/1"
    assert "sso.token.refused" in attachment["text"]
    assert "the-token-of-the-hook" not in shown.output


def test_a_green_nightly_disturbs_nobody(tmp_path: Path, webhook: Webhook) -> None:
    GREEN.write(tmp_path)

    assert CliRunner().invoke(cli.app, ["announce", str(tmp_path), "--no-issues"]).exit_code == 0
    assert webhook.messages == []


def test_a_webhook_that_refuses_is_told_without_its_token(red: str, webhook: Webhook) -> None:
    webhook.status = 403

    shown = CliRunner().invoke(cli.app, ["announce", red, "--no-issues"])

    assert isinstance(shown.exception, AnnounceError)
    assert "status 403" in str(shown.exception)
    assert "the-token-of-the-hook" not in str(shown.exception) + shown.output
