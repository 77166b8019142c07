"""A failed run names its cause, once and above the tracebacks; and says what it did not prove."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.contract import Contract
from besedka.stacks.model import Stack
from tests import inner

pytestmark = pytest.mark.reports

# The first test breaks the stack for those after it, as somebody's configuration change does.
BREAKS_THE_STACK = """
import sqlite3

def test_breaks(stack, site_data):
    with sqlite3.connect(stack.site_database_url.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE oauth2_provider_application SET client_secret = 'rotated'")
    assert "rotated" == 0

def test_suffers(chat_test, contract):
    chat_test(contract.users[-1]).wait_for_chat()
"""
FAILS_BY_ITSELF = """
def test_looks_for_another_room(chat_test, contract):
    chat_test(contract.users[-1]).wait_for_chat()
    assert "the test is wrong" == 0
"""
# Chromium says so when containers come and go beside a run, if it hears of them; the tests' one does not.
IS_DISTURBED = """
def test_is_disturbed(chat_test, contract, recorder):
    chat_test(contract.users[-1]).wait_for_chat()
    recorder.failures.append("failed GET http://chat/main.js: net::ERR_NETWORK_CHANGED")
    assert "the script ran" == 0
"""
PASSES = """
def test_signs_in(chat_test, contract):
    chat_test(contract.users[-1]).wait_for_chat()
"""


def test_one_cause_is_one_block_with_its_tests(subject: Path) -> None:
    subject.write_text(BREAKS_THE_STACK, "utf-8")

    finished = inner.run(str(subject), "--postgres=none")

    assert finished.returncode == 1, finished.stdout + finished.stderr
    before, _, failures = finished.stdout.partition("= FAILURES =")
    _, _, block = before.partition("= probable cause =")
    assert "application.secret.differs" in block
    assert "run.py provision" in block, block
    assert "authorize – → token –" in block
    assert "2 failed on this stack" in block
    assert "::test_breaks" in block
    assert "::test_suffers" in block
    assert failures.count("probable cause: application.secret.differs") == 2
    assert failures.count("SSO chain broke at: authorize: blocked by application.secret") == 2
    assert "run again: python -m pytest -n 0" in failures
    assert "--postgres=none" in failures.partition("run again:")[2].partition("\n")[0]
    assert "the page says:" in failures, "the browser's test must say what the page said"
    assert "Timeout" not in failures


def test_without_a_finding_the_page_is_shown(stack: Stack, contract: Contract, subject: Path) -> None:
    subject.write_text(FAILS_BY_ITSELF, "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    before, _, failures = finished.stdout.partition("= FAILURES =")
    assert "= no cause found =" in before, finished.stdout
    assert "doctor finds nothing in what it could look at" in failures
    assert "not looked at: no MongoDB address was given (--mongo-url)" in failures
    assert "SSO chain broke" not in failures
    above, _, _ = failures.partition("def test_looks_for_another_room")
    assert f"frame {stack.chat_url}/_oauth/{contract.provider.name}?code=***" in above
    assert f"frame1 {stack.chat_url}{contract.default_channel.path}" in above, (
        "the frame's last page is missing"
    )
    assert f"--site-url {stack.site_url}" in above, "the command does not attach to the same stack"


def test_a_change_of_the_machines_network_is_named(stack: Stack, subject: Path) -> None:
    subject.write_text(IS_DISTURBED, "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    before, _, failures = finished.stdout.partition("= FAILURES =")
    assert "= the machine's network changed =" in before, finished.stdout
    assert "network addresses of this machine came or went in 1 of them" in before
    assert "the browser gave up 1 request(s): failed GET http://chat/main.js: net::ERR_NETWORK" in failures
    assert "run it again when nothing of the kind happens" in failures


def test_one_disturbed_test_among_others_excuses_none(stack: Stack, subject: Path) -> None:
    subject.write_text(IS_DISTURBED + FAILS_BY_ITSELF, "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    before, _, failures = finished.stdout.partition("= FAILURES =")
    assert "= no cause found =" in before, finished.stdout
    assert "came or went in 1 of them" in before
    assert failures.count("the machine's network changed") == 1


def test_diagnosis_can_be_turned_off(stack: Stack, subject: Path) -> None:
    subject.write_text(FAILS_BY_ITSELF, "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack), "--no-diagnosis")

    assert "the test is wrong" in finished.stdout, finished.stdout
    assert "doctor" not in finished.stdout
    assert "cause" not in finished.stdout


def test_a_run_says_what_it_did_not_prove(stack: Stack, contract: Contract, subject: Path) -> None:
    subject.write_text(PASSES, "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    assert finished.returncode == 0, finished.stdout + finished.stderr
    _, _, critique = finished.stdout.partition("= not proved by this run =")
    assert "its database could not be read (--mongo-url)" in critique
    assert f"nobody was signed in on {contract.site.integrated_page}" in critique
    others = sorted({user.role for user in contract.users} - {contract.users[-1].role})
    assert f"no test that passed signed in a user of role: {', '.join(others)}" in critique


def test_a_run_that_used_nothing_of_sso_says_so(stack: Stack, subject: Path) -> None:
    subject.write_text("def test_asks(chat_admin):\n    assert chat_admin.get('me')['_id']\n", "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    assert "no browser was signed in by SSO" in finished.stdout, finished.stdout
