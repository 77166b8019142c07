"""A run starts what it needs and leaves nothing; what cannot start ends in one message of its own status."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import requests

from besedka.contract import CONTRACT_FILE
from besedka.stacks import up_records
from tests import inner

# Each brings up a stack with the site in web/.
pytestmark = [pytest.mark.api, pytest.mark.feature("own_urls")]

TELLS_ITS_STACK = """
from pathlib import Path
def test_tells(stack):
    Path({told!r}).write_text(stack.to_json())
"""
HANGS = """
import threading
from pathlib import Path
def test_hangs(stack):
    Path({told!r}).write_text(stack.folder)
    print("hanging", flush=True)
    threading.Event().wait()
"""
NEEDS_A_BROWSER = "def test_browser(stack, page): pass\n"


def one_message(output: str) -> None:
    assert "Traceback" not in output, output
    assert "INTERNALERROR" not in output, output
    for part in ("found:", "where:", "next step:"):
        assert output.count(part) == 1, output


def test_a_run_leaves_no_process_and_no_data(subject: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    subject.write_text(TELLS_ITS_STACK.format(told=str(told)), "utf-8")

    finished = inner.run(str(subject))

    assert finished.returncode == 0, finished.stdout + finished.stderr
    for line in ("site        1.0.0    real", "rocketchat  7.7      stand-in"):
        assert line in finished.stdout
    folder = Path(re.search(r"logs and evidence: (.*)", finished.stdout).group(1))  # type: ignore[union-attr]
    assert str(folder) in told.read_text("utf-8")
    assert inner.processes_of(folder) == []
    kept = {"finished", "index.html", "journal", "logs", "run.json"}
    assert {path.name for path in folder.iterdir()} == kept


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_run_takes_its_services_along(subject: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    subject.write_text(HANGS.format(told=str(told)), "utf-8")
    running = subprocess.Popen(
        inner.command(str(subject), "-s"),
        stdout=subprocess.PIPE,
        text=True,
        env=inner.environment(),
        cwd=CONTRACT_FILE.parent,
    )
    watchdog = threading.Timer(inner.RUN_SECONDS, running.kill)
    watchdog.start()
    try:
        assert running.stdout is not None
        assert any("hanging" in line for line in running.stdout), "the run ended before it hung"
        processes = inner.processes_of(told.read_text("utf-8"))
    finally:
        watchdog.cancel()
        running.kill()
        running.communicate()

    assert len(processes) >= 6, "three services, each with its guard"
    _gone, alive = psutil.wait_procs(processes, timeout=15)
    assert alive == []


CTRL_C = b"\x03"
# Runs a command in a terminal of its own, and passes its own status on.
IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows hears no interrupt of ours")
def test_a_kept_stack_answers_until_somebody_ends_it(subject: Path, interruptible: None) -> None:
    subject.write_text("def test_fails(stack): assert stack is None", "utf-8")
    running = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, *inner.command(str(subject), "--keep", "--no-diagnosis")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=inner.environment({"CI": ""}),
        cwd=CONTRACT_FILE.parent,
    )
    watchdog = threading.Timer(inner.RUN_SECONDS, running.kill)
    watchdog.start()
    try:
        assert running.stdin is not None
        assert running.stdout is not None
        kept = next((line for line in running.stdout if b"kept to look at" in line), b"")
        url = re.search(r"http://\S+", kept.decode())
        assert url, "the run ended and kept nothing"
        records = [record.stack for record in up_records.noted() if record.stack.site_url == url[0]]
        assert requests.get(f"{records[0].chat_url}/api/info", timeout=5).status_code == 200
        running.stdin.write(CTRL_C)
        running.stdin.flush()
        assert running.wait(inner.RUN_SECONDS) == pytest.ExitCode.TESTS_FAILED
    finally:
        watchdog.cancel()
        running.kill()
        running.communicate()

    assert url[0] not in [record.stack.site_url for record in up_records.noted()]
    assert inner.processes_of(records[0].folder) == []


def test_a_service_that_dies_while_starting_is_infrastructure_and_no_red_test(
    subject: Path, tmp_path: Path
) -> None:
    subject.write_text(TELLS_ITS_STACK.format(told=str(tmp_path / "told")), "utf-8")
    dying = tmp_path / "mongod"
    dying.write_text("#!/bin/sh\necho 'no space left on device'\nexit 100\n", "utf-8")
    dying.chmod(0o755)

    finished = inner.run(str(subject), f"--mongod={dying}")

    output = finished.stdout + finished.stderr
    assert finished.returncode == 14, output
    one_message(output)
    assert "mongo ended with status 100 while starting" in output
    assert "no space left on device" in output
    assert "failed" not in finished.stdout
    folder = re.search(r"where: (.*)/logs/mongo.log", output).group(1)  # type: ignore[union-attr]
    assert inner.processes_of(folder) == []


@pytest.mark.parametrize(
    ("arguments", "more", "status", "named"),
    [
        (["--stack=nowhere"], {}, 64, "--stack=nowhere"),
        (["--stack=attached"], {}, 64, "--site-url and --chat-url"),
        (["--mongod=/no/such/mongod"], {}, 14, "'/no/such/mongod', which is not an executable file"),
        (
            ["--stack=attached", "--site-url=http://127.0.0.1:9", "--chat-url=http://127.0.0.1:9"],
            {},
            15,
            "http://127.0.0.1:9/api/v1/status/",
        ),
        (
            ["--stack=attached", "--site-url=https://besedka.test", "--chat-url=http://127.0.0.1:9"],
            {},
            48,
            "'besedka.test' is neither loopback nor among chat.development_hosts",
        ),
        ([], {"BESEDKA_BROWSER": "/no/such/browser"}, 13, "'/no/such/browser'"),
    ],
    ids=["unknown-stack", "no-addresses", "no-mongod", "nobody-there", "no-development-stack", "no-browser"],
)
def test_bad_input_ends_before_anything_is_started(
    arguments: list[str], more: dict[str, str], status: int, named: str, subject: Path
) -> None:
    subject.write_text(NEEDS_A_BROWSER, "utf-8")

    finished = inner.run(str(subject), *arguments, more=more)

    output = finished.stdout + finished.stderr
    assert finished.returncode == status, output
    one_message(output)
    assert named in output


def test_a_mistake_in_the_contract_ends_the_run_before_anything_is_started(
    subject: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "besedka.toml"
    broken.write_text(CONTRACT_FILE.read_text("utf-8").replace('role = "user"', 'rolle = "user"'), "utf-8")
    subject.write_text(NEEDS_A_BROWSER, "utf-8")

    finished = inner.run(str(subject), more={"BESEDKA_CONTRACT": str(broken)})

    output = finished.stdout + finished.stderr
    assert finished.returncode == 11, output
    one_message(output)
    assert ".rolle: unknown key" in output
