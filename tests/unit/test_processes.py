"""Services end with their owner, however the owner ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.stacks.process.processes import ServiceProcess, guarded

FOREVER = "import threading; print('up', flush=True); threading.Event().wait()"
OWNER = """
import sys, threading
from pathlib import Path
from besedka.stacks.process.processes import ServiceProcess
service = ServiceProcess("forever", [sys.executable, "-c", sys.argv[1]], log=Path(sys.argv[2]),
                         cwd=Path.cwd(), environment={})
service.wait_until(lambda: "up" in service.tail(), budget=10, expected="up")
print(service.pid, flush=True)
threading.Event().wait()
"""


def start(command: list[str], folder: Path) -> ServiceProcess:
    return ServiceProcess("subject", command, log=folder / "log", cwd=folder, environment={"TOLD": "this"})


def family(pid: int) -> list[psutil.Process]:
    guard = psutil.Process(pid)
    return [guard, *guard.children(recursive=True)]


def test_a_service_is_stopped_with_its_children(tmp_path: Path) -> None:
    service = start([sys.executable, "-c", FOREVER], tmp_path)
    service.wait_until(lambda: "up" in service.tail(), budget=10, expected="up")
    processes = family(service.pid)

    service.stop()

    _gone, alive = psutil.wait_procs(processes, timeout=5)
    assert alive == []
    assert not service.alive()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for another process on Windows")
def test_a_service_is_asked_by_the_signal_it_wants(tmp_path: Path) -> None:
    listens = (
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('interrupted', flush=True), exit()))\n"
    )
    command = [sys.executable, "-c", listens + FOREVER]
    service = ServiceProcess(
        "subject",
        command,
        log=tmp_path / "log",
        cwd=tmp_path,
        environment={},
        spawn=partial(guarded, stop_signal=signal.SIGINT),
    )
    service.wait_until(lambda: "up" in service.tail(), budget=10, expected="up")

    service.stop()

    assert service.tail().endswith("interrupted")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_owner_takes_its_services_along(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, FOREVER, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        cwd=PROJECT_ROOT,
    )
    assert owner.stdout is not None
    processes = family(int(owner.stdout.readline()))
    assert len(processes) >= 2

    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()

    _gone, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []
    owner.stdout.close()


def test_a_killed_guard_takes_its_service_along(tmp_path: Path) -> None:
    service = start([sys.executable, "-c", FOREVER], tmp_path)
    service.wait_until(lambda: "up" in service.tail(), budget=10, expected="up")
    processes = family(service.pid)

    service.kill()

    _gone, alive = psutil.wait_procs(processes, timeout=5)
    assert alive == []


def test_a_service_that_dies_while_starting_is_named_with_its_last_words(tmp_path: Path) -> None:
    service = start([sys.executable, "-c", "import sys; print('no disk'); sys.exit(3)"], tmp_path)

    with pytest.raises(StackStartError) as error:
        service.wait_until(lambda: False, budget=30, expected="an answer")

    assert "ended with status 3" in str(error.value)
    assert "no disk" in str(error.value)
    assert str(tmp_path / "log") in str(error.value)


def test_a_service_that_never_answers_runs_out_of_its_budget(tmp_path: Path) -> None:
    service = start([sys.executable, "-c", FOREVER], tmp_path)

    with pytest.raises(StackStartError, match="was not ready after 0 s"):
        service.wait_until(lambda: False, budget=0.1, expected="an answer")

    service.stop()


def test_a_service_is_told_what_it_needs_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "ours")
    service = start(
        [
            sys.executable,
            "-c",
            "import os; print(os.environ['TOLD'], 'DJANGO_SETTINGS_MODULE' in os.environ)",
        ],
        tmp_path,
    )

    with pytest.raises(StackStartError):
        service.wait_until(lambda: False, budget=10, expected="the end")

    assert service.tail() == "this False"
