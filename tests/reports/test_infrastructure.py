"""A failing stack is told apart from a failing product, at the start and in the middle of a run."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from besedka.browser import BROWSER_ENV
from besedka.errors import DiskFullError, UsageError
from besedka.report.model import PAGE_FILE, RUN_FILE
from besedka.stacks.model import Stack
from fixtures.infrastructure import BrowserDiedError, BrowserStartError, ServiceDiedError
from tests import inner

pytestmark = pytest.mark.reports

# These tests share their machine; at a load of fifteen it took seven seconds (measured).
REPORT_SECONDS = 20

# A service of the run's own stack dies while a test waits for another thing.
LOSES_A_SERVICE = """
import json, threading, time
from pathlib import Path
import psutil, pytest

def test_passes(stack):
    assert stack.kind == "embedded"

def test_waits(stack):
    guard = psutil.Process(stack.service("{name}").pid)
    Path({told!r}).write_text(json.dumps([stack.folder, time.time()]))
    for process in [*guard.children(recursive=True), guard]:
        process.kill()
    assert not threading.Event().wait({seconds})
    assert "{verdict}" == "passes"

def test_never_begins(stack):
    assert stack
"""


@pytest.mark.parametrize("name", ["site", "mongo", "rocketchat"])
def test_a_service_that_dies_ends_the_run(name: str, subject: Path, tmp_path: Path) -> None:
    told, junit = tmp_path / "told", tmp_path / "junit.xml"
    code = LOSES_A_SERVICE.format(name=name, told=str(told), seconds=60, verdict="passes")
    subject.write_text(code, "utf-8")

    finished = inner.run(str(subject), f"--junitxml={junit}")

    output = finished.stdout + finished.stderr
    folder, killed = json.loads(told.read_text("utf-8"))
    assert finished.returncode == ServiceDiedError.exit_status, output
    assert "= the stack failed =" in finished.stdout, output
    assert f"{name} ended with status" in finished.stdout, output
    assert " failed" not in finished.stdout.splitlines()[-2], output
    run = json.loads(Path(folder, RUN_FILE).read_text("utf-8"))
    assert run["verdict"] == "infrastructure"
    outcomes = {test["id"].rpartition("::")[2]: test["outcome"] for test in run["tests"]}
    assert outcomes == {"test_passes": "passed", "test_waits": "not run", "test_never_begins": "not run"}
    assert Path(folder, PAGE_FILE).stat().st_mtime - killed < REPORT_SECONDS, output
    suite = ET.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert suite.get("errors") == "1"
    assert [row.get("name") for row in suite.iter("testcase")] == ["test_passes", "the stack"]
    assert f"{name} ended" in ET.tostring(suite, encoding="unicode")


def test_a_failure_beside_a_dead_service_is_not_counted(subject: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = LOSES_A_SERVICE.format(name="site", told=str(told), seconds=0.05, verdict="fails")
    subject.write_text(code, "utf-8")

    finished = inner.run(str(subject))

    assert finished.returncode == ServiceDiedError.exit_status, finished.stdout + finished.stderr
    assert "FAILED" not in finished.stdout


def test_a_stack_that_cannot_start_is_an_error_in_junits_file(subject: Path, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    subject.write_text("def test_asks(stack):\n    assert stack\n", "utf-8")

    finished = inner.run(str(subject), "--mongod=/nowhere/mongod", f"--junitxml={junit}")

    assert finished.returncode == 14, finished.stdout + finished.stderr
    suite = ET.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert suite.get("errors") == "1", "a file without tests reads as green"


FULL_DISK = """
import errno

def test_writes(stack):
    raise OSError(errno.ENOSPC, "No space left on device", "/somewhere")

def test_never_begins(stack):
    assert stack
"""


EVIDENCE_FINDS_NO_ROOM = """
import errno
from fixtures.evidence import Recorder

def no_room(recorder):
    raise OSError(errno.ENOSPC, "No space left on device", "/somewhere")

def test_fails(visitor, monkeypatch):
    monkeypatch.setattr(Recorder, "record", no_room)
    assert visitor is None

def test_never_begins(stack):
    assert stack
"""


@pytest.mark.parametrize("code", [FULL_DISK, EVIDENCE_FINDS_NO_ROOM], ids=["test", "evidence"])
def test_a_full_disk_is_no_red_test(code: str, stack: Stack, subject: Path, tmp_path: Path) -> None:
    subject.write_text(code, "utf-8")
    junit = tmp_path / "junit.xml"

    finished = inner.run(str(subject), *inner.attached(stack), f"--junitxml={junit}")

    assert [row.get("type") for row in ET.parse(junit).iter("error")] == ["infrastructure"]
    assert finished.returncode == DiskFullError.exit_status, finished.stdout + finished.stderr
    assert "No space left on device: '/somewhere'" in finished.stdout
    assert "FAILED" not in finished.stdout


def test_a_browser_that_cannot_start_is_no_red_test(stack: Stack, subject: Path) -> None:
    subject.write_text("def test_opens(visitor):\n    assert visitor\n", "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack), more={BROWSER_ENV: "false"})

    assert finished.returncode == BrowserStartError.exit_status, finished.stdout + finished.stderr
    assert f"name another one: {BROWSER_ENV}" in finished.stdout
    assert "FAILED" not in finished.stdout


LOSES_ITS_BROWSER = """
import psutil

def test_opens(visitor, contract):
    for process in psutil.Process().children(recursive=True):
        if "chrom" in process.name():
            process.kill()
    visitor.goto(contract.site.url)

def test_never_begins(visitor):
    assert visitor
"""


def test_a_browser_that_dies_is_no_red_test(stack: Stack, subject: Path) -> None:
    subject.write_text(LOSES_ITS_BROWSER, "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack))

    assert finished.returncode == BrowserDiedError.exit_status, finished.stdout + finished.stderr
    assert "a browser that lives as long as the run" in finished.stdout
    assert "FAILED" not in finished.stdout


def test_an_unknown_device_is_refused_by_name(stack: Stack, subject: Path) -> None:
    subject.write_text("def test_opens(visitor):\n    assert visitor\n", "utf-8")

    finished = inner.run(str(subject), *inner.attached(stack), "--device=Abacus")

    assert finished.returncode == UsageError.exit_status, finished.stdout + finished.stderr
    assert "--device=Abacus" in finished.stdout
