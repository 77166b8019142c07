"""Somebody else's stack: read only unless asked, brought to the contract when asked, never one that is no
development stack; and what it lacks is said before the first test.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.errors import UsageError
from besedka.stacks import embedded
from faults import BreakableStack
from fixtures.attached import READ_ONLY
from fixtures.options import CONTRACT_KEY
from tests import inner

# Each brings up a stack with the site in web/.
pytestmark = [pytest.mark.api, pytest.mark.feature("own_urls")]

SETTING = "Iframe_Restrict_Access"
READS = f"""
def test_reads(chat_admin):
    assert chat_admin.get("settings/{SETTING}")["value"] is False, "the frame is forbidden"
"""
WRITES = """
import pytest

def test_writes(chat_admin, contract, writable):
    sent = chat_admin.post("chat.postMessage", channel=f"#{contract.default_channel.name}", text="test_attached")["message"]
    assert chat_admin.post("chat.delete", roomId=sent["rid"], msgId=sent["_id"])["success"]
"""
FORGETS_TO_ASK = """
def test_writes(chat_admin, contract):
    chat_admin.post("chat.postMessage", channel=f"#{contract.default_channel.name}", text="test_attached")
"""
SIGNS_IN = """
def test_signs_in(at_home, chat_test, contract):
    for user in contract.users[:2]:
        at_home(user).chat.expect_open()
    chat_test(contract.users[0]).wait_for_chat()
"""


@pytest.fixture(scope="module")
def breakable(request: pytest.FixtureRequest) -> Iterator[BreakableStack]:
    """One stack for this file; every test leaves it as it was."""
    contract = request.config.stash[CONTRACT_KEY]
    with embedded.running(contract) as running, BreakableStack.of(running, contract) as breakable:
        yield breakable


def run(breakable: BreakableStack, subject: Path, text: str, *more: str) -> subprocess.CompletedProcess[str]:
    subject.write_text(text, "utf-8")
    reading = [word for word in inner.attached(breakable.stack, data=True) if word != "--write"]
    return inner.run(str(subject), *reading, *more)


def test_without_leave_a_test_that_writes_is_skipped(breakable: BreakableStack, subject: Path) -> None:
    finished = run(breakable, subject, WRITES)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "doctor: nothing wrong was found" in finished.stdout
    assert "tests that write are skipped; --write allows them" in finished.stdout
    assert f"skipped, 1: {READ_ONLY}" in finished.stdout
    assert "1 skipped" in finished.stdout
    assert breakable.mongo.rocketchat_message.find_one({"msg": "test_attached"}) is None


def test_with_leave_it_runs(breakable: BreakableStack, subject: Path) -> None:
    finished = run(breakable, subject, WRITES, "--write")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "1 passed" in finished.stdout


def test_a_test_that_writes_without_asking_is_named(breakable: BreakableStack, subject: Path) -> None:
    finished = run(breakable, subject, FORGETS_TO_ASK)

    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "POST chat.postMessage on an attached stack that may only be read" in finished.stdout
    assert breakable.mongo.rocketchat_message.find_one({"msg": "test_attached"}) is None


def test_what_the_stack_lacks_is_said_and_left_as_it_is(breakable: BreakableStack, subject: Path) -> None:
    with breakable.setting(SETTING, wrong=True):
        finished = run(breakable, subject, READS)
        assert breakable.admin.get(f"settings/{SETTING}")["value"] is True

    assert finished.returncode == 1, finished.stdout + finished.stderr
    before, _, _ = finished.stdout.partition("test_subject.py")
    assert "the stack lacks what the contract asks for, in one place" in before
    assert f"setting.{SETTING}.wrong" in before
    assert "fix: " in before


def test_it_is_provisioned_when_asked_and_that_can_be_taken_back(
    breakable: BreakableStack, subject: Path
) -> None:
    with breakable.setting(SETTING, wrong=True):
        finished = run(breakable, subject, READS, "--provision")
        assert breakable.admin.get(f"settings/{SETTING}")["value"] is False
        printed = re.search(r"1 changed; `python3 run.py (provision --undo [^`]*)`", finished.stdout)
        assert printed, finished.stdout
        undone = subprocess.run(
            [sys.executable, "-m", "besedka.cli", *shlex.split(printed[1])],
            cwd=PROJECT_ROOT,
            env=inner.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert undone.returncode == 0, undone.stdout + undone.stderr
        assert breakable.admin.get(f"settings/{SETTING}")["value"] is True

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "bringing the attached stack to the contract" in finished.stdout
    assert SETTING in finished.stdout


@pytest.mark.parametrize("browsers", [(), ("--fresh-browsers",)])
def test_a_run_leaves_no_log_in_behind(
    breakable: BreakableStack, subject: Path, browsers: tuple[str, ...]
) -> None:
    """Rocket.Chat keeps 50 of an account: the next one would end somebody's own."""

    def kept() -> dict[str, int]:
        return {
            user["username"]: len(user.get("services", {}).get("resume", {}).get("loginTokens", ()))
            for user in breakable.mongo.users.find()
        }

    before = kept()
    with breakable.setting(SETTING, wrong=True):
        finished = run(breakable, subject, SIGNS_IN + READS, "--provision", *browsers)

    assert "2 passed" in finished.stdout, finished.stdout + finished.stderr
    assert kept() == before


@pytest.mark.parametrize("wish", ["--write", "--provision", "--quiet"])
def test_a_host_that_is_no_development_stack_is_refused_before_it_is_asked(wish: str, subject: Path) -> None:
    subject.write_text(READS, "utf-8")
    where = ("--site-url=http://chat.example.org", "--chat-url=http://chat.example.org")

    finished = inner.run(str(subject), "--stack=attached", *where, wish)

    output = finished.stdout + finished.stderr
    assert finished.returncode == 48, output
    assert "'chat.example.org' is neither loopback nor among chat.development_hosts" in output
    assert "--yes-this-is chat.example.org" in output


def test_a_host_named_letter_by_letter_is_not_refused(subject: Path) -> None:
    subject.write_text(READS, "utf-8")
    where = ("--site-url=http://127.0.0.1:9", "--chat-url=http://chat.example.org")

    finished = inner.run(
        str(subject), "--stack=attached", *where, "--write", "--yes-this-is=chat.example.org"
    )

    assert finished.returncode == 15, "it got as far as asking the site\n" + finished.stdout + finished.stderr


def test_a_stack_of_the_runs_own_needs_no_leave(subject: Path) -> None:
    subject.write_text(READS, "utf-8")

    finished = inner.run(str(subject), "--provision")

    output = finished.stdout + finished.stderr
    assert finished.returncode == UsageError.exit_status, output
    assert "--provision or --write with --stack=embedded" in output
