"""Services forked by a fork server are what new processes would be, and end with their owner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.stacks.process.forked import POSSIBLE, ForkServers
from besedka.stacks.process.processes import ServiceProcess

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="this system cannot fork")

# What a service sees of itself; a module that was imported beforehand says so.
SUBJECT = """
import heavy, json, os, sys, threading
print(json.dumps({
    "argv": sys.argv[1:], "name": __name__, "path": sys.path[0], "cwd": os.getcwd(), "told": os.environ.get("TOLD"),
    "ours": "OURS" in os.environ, "input": sys.stdin.read(), "imported_by": heavy.pid, "pid": os.getpid(),
    "session": os.getsid(0) == os.getppid(), "threads": threading.active_count(),
}), flush=True)
print("to stderr", file=sys.stderr)
if sys.argv[1] == "waits":
    threading.Event().wait()
sys.exit(int(sys.argv[1]))
"""
# Ways of ending, by the word that asks for one.
ENDING = """
import sys
print("last words", end="")
way = sys.argv[1]
if way == "error":
    raise LookupError("nothing there")
sys.exit({"none": None, "text": "what was wrong", "number": 5, "large": 256 + 5, "list": []}[way])
"""
STUBBORN = """
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
threading.Event().wait()
"""
OWNER = """
import sys, threading
from pathlib import Path
from besedka.stacks.process.forked import ForkServers
from besedka.stacks.process.processes import ServiceProcess
folder = Path(sys.argv[1])
fork_servers = ForkServers(str(folder), {"subject": ("heavy",)}, folder / "fork-server.log")
service = ServiceProcess("subject", [sys.executable, "-m", "subject", "waits"], log=folder / "log", cwd=folder,
                         environment={}, spawn=fork_servers.spawn)
service.wait_until(lambda: "argv" in service.tail(), budget=10, expected="words")
print(service.pid, flush=True)
threading.Event().wait()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Modules to run."""
    (tmp_path / "subject.py").write_text(SUBJECT)
    (tmp_path / "ending.py").write_text(ENDING)
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "heavy.py").write_text("import os\npid = os.getpid()\n")
    return tmp_path


@pytest.fixture
def fork_servers(folder: Path) -> Iterator[ForkServers]:
    """For these modules; nothing of it may be left."""
    made = ForkServers(
        str(folder), {"subject": ("heavy",), "ending": (), "stubborn": ()}, folder / "fork-server.log"
    )
    yield made
    made.close()
    assert [process for process in _family(folder) if process.is_running()] == []


def _family(folder: Path) -> list[psutil.Process]:
    """Everything whose command line names the folder: a fork server and its forks."""
    rows = psutil.process_iter(["cmdline"])
    return [row for row in rows if str(folder) in (row.info["cmdline"] or ()) and row.pid != os.getpid()]


def start(
    fork_servers: ForkServers, folder: Path, *words: str, module: str = "subject", **environment: str
) -> ServiceProcess:
    return ServiceProcess(
        module,
        [sys.executable, "-m", module, *words],
        log=folder / "log",
        cwd=folder,
        environment={"TOLD": "this"} | environment,
        spawn=fork_servers.spawn,
    )


def ended(service: ServiceProcess) -> str:
    """How it ended by itself."""
    with pytest.raises(StackStartError) as error:
        service.wait_until(lambda: False, budget=30, expected="the end")
    return error.value.found.partition(";")[0]


def test_one_fork_server_does_for_every_environment_where_it_is_shared(folder: Path) -> None:
    shared = ForkServers(str(folder), {"subject": ("heavy",)}, folder / "fork-server.log", shared=True)
    rows = []
    try:
        for number in ("1", "2"):
            service = start(shared, folder, number, TOLD=f"that {number}")
            ended(service)
            rows.append(json.loads(service.tail().splitlines()[-2]))
    finally:
        shared.close()

    assert [row["told"] for row in rows] == ["that 1", "that 2"]
    assert rows[0]["imported_by"] == rows[1]["imported_by"]


def test_a_fork_is_told_what_a_new_process_would_be(
    fork_servers: ForkServers, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    service = start(fork_servers, folder, "7", "second")

    assert ended(service) == "subject ended with status 7 while starting"
    said, error = service.tail().splitlines()
    told = json.loads(said)
    assert told | {"pid": 0, "imported_by": 0} == {
        "argv": ["7", "second"],
        "name": "__main__",
        "path": str(folder),
        "cwd": str(folder),
        "told": "this",
        "ours": False,
        "input": "",
        "imported_by": 0,
        "pid": 0,
        "session": True,
        "threads": 1,
    }
    assert told["imported_by"] != told["pid"], "the module was imported by the service itself"
    assert error == "to stderr"


def test_a_second_fork_has_nothing_of_the_first(fork_servers: ForkServers, folder: Path) -> None:
    told = []
    for status in ("0", "3"):
        service = start(fork_servers, folder, status)
        assert ended(service) == f"subject ended with status {status} while starting"
        told.append(json.loads(service.tail(2).splitlines()[0]))
    first, second = told
    assert first["imported_by"] == second["imported_by"]
    assert first["pid"] != second["pid"]


@pytest.mark.parametrize("way", ["none", "text", "number", "large", "list", "error"])
def test_a_fork_ends_as_a_new_process_does(way: str, fork_servers: ForkServers, folder: Path) -> None:
    new = subprocess.run(
        [sys.executable, "-m", "ending", way], cwd=folder, capture_output=True, text=True, check=False
    )

    service = start(fork_servers, folder, way, module="ending", PYTHONUNBUFFERED="")

    assert ended(service) == f"ending ended with status {new.returncode} while starting"
    said = service.tail()
    assert "last words" in said
    assert set(new.stderr.splitlines()[-1:]) <= set(said.replace("last words", "").splitlines())


@pytest.mark.parametrize("how", ["stop", "begin_end", "kill"])
def test_a_fork_ends_with_its_guard(how: str, fork_servers: ForkServers, folder: Path) -> None:
    service = start(fork_servers, folder, "waits")
    service.wait_until(lambda: "argv" in service.tail(), budget=10, expected="words")
    guard = psutil.Process(service.pid)
    processes = [guard, *guard.children(recursive=True)]
    assert len(processes) == 2
    assert service.alive()

    getattr(service, how)()
    service.stop()

    _gone, alive = psutil.wait_procs(processes, timeout=5)
    assert alive == []
    assert not service.alive()


def test_who_ignores_a_request_to_end_can_be_ended_at_once(fork_servers: ForkServers, folder: Path) -> None:
    service = start(fork_servers, folder, module="stubborn")
    service.wait_until(lambda: "up" in service.tail(), budget=10, expected="up")

    service.begin_end()

    with pytest.raises(StackStartError, match="ended with status 143"):
        service.wait_until(lambda: False, budget=3, expected="the end")


def test_a_killed_owner_takes_fork_server_and_forks_along(folder: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, cwd=PROJECT_ROOT
    )
    assert owner.stdout is not None
    int(owner.stdout.readline())
    family = [process for process in _family(folder) if process.pid != owner.pid]
    assert len(family) == 3, "a fork server, a guard and a service"

    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()

    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    owner.stdout.close()


def test_a_killed_fork_server_takes_its_forks_along_and_is_named(
    fork_servers: ForkServers, folder: Path
) -> None:
    service = start(fork_servers, folder, "waits")
    service.wait_until(lambda: "argv" in service.tail(), budget=10, expected="words")
    family = _family(folder)
    fork_server = next(process for process in family if process.ppid() == os.getpid())

    fork_server.kill()

    _gone, alive = psutil.wait_procs([process for process in family if process != fork_server], timeout=5)
    assert alive == []
    assert not service.alive()
    with pytest.raises(StackStartError, match="ended instead"):
        start(fork_servers, folder, "0")


def test_a_fork_server_that_cannot_import_is_named(folder: Path) -> None:
    made = ForkServers(str(folder), {"subject": ("no_such_module",)}, folder / "fork-server.log")
    with pytest.raises(StackStartError, match="ended instead") as said:
        start(made, folder, "0")
    made.close()
    assert "fork-server.log" in said.value.next_step
    assert "no_such_module" in (folder / "fork-server.log").read_text()


def test_what_is_no_module_of_ours_is_a_new_process(fork_servers: ForkServers, folder: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('heavy' in sys.modules)"]
    service = ServiceProcess(
        "other", command, log=folder / "log", cwd=folder, environment={}, spawn=fork_servers.spawn
    )
    assert ended(service) == "other ended with status 0 while starting"
    assert service.tail() == "False"
