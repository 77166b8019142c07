"""A restart loses nothing, names what is lost, heals after a kill, and touches nothing that is not ours."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pymongo import MongoClient

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.errors import BesedkaError
from besedka.restart import daphne, dump, preview, procedure
from besedka.restart.errors import (
    DataLostError,
    DumpDamagedError,
    NoRoomError,
    PortHeldError,
    RestartStateError,
    ServiceHalfStartedError,
    ServiceMissingError,
)
from besedka.restart.inventory import KINDS
from besedka.restart.journal import FILE, Journal, alone
from besedka.restart.services import State
from besedka.restart.target import ComposeTarget
from besedka.stacks import embedded
from besedka.stacks.embedded import EmbeddedStack
from tests.unit.restart.embedded_services import EmbeddedServices, serving
from tests.unit.restart.stacks import target_of

MOMENTS = (
    "dumped",
    "stop",
    "counted",
    "restart postgres",
    "restart mongo",
    "halfway mongo",
    "halfway rocketchat",
    "prepare",
    "provision",
    "examine",
)
LISTENER = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); "
    "print('listening', flush=True); sys.stdin.read()"
)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedStack]:
    with embedded.running(contracts.load()) as started:
        row = {"rid": "GENERAL", "u": {"_id": "x", "username": "owner"}, "ts": datetime.now(UTC)}
        database(started)["rocketchat_message"].insert_many(
            {"_id": f"kept-{n}", "msg": f"text {n}"} | row for n in range(300)
        )
        yield started
        daphne.stop(started.ports["site"], PROJECT_ROOT / "web")


@pytest.fixture
def services(running: EmbeddedStack) -> EmbeddedServices:
    return EmbeddedServices(running)


@pytest.fixture
def target(running: EmbeddedStack, tmp_path: Path) -> ComposeTarget:
    assert running.stack
    return target_of(running.stack, tmp_path / "restart")


def database(running: EmbeddedStack):  # type: ignore[no-untyped-def]
    return MongoClient(running.mongo_url).get_default_database()


def test_nothing_is_lost_and_the_stack_is_healthy(target: ComposeTarget, services: EmbeddedServices) -> None:
    services.set_state("web", State("running"))
    said: list[str] = []
    report = procedure.restart(target, services, say=said.append)

    assert report.exit_status == 0, report.findings
    assert services.calls == [
        "stop web",
        "stop rocketchat",
        *(f"restart {name}" for name in ("postgres", "redis", "mongo", "rocketchat")),
    ]
    taken = dump.Dump.read(next((target.folder / "dumps").iterdir()))
    assert taken.inventory.count("messages") >= 300
    assert all(taken.inventory.count(kind) for kind in KINDS)
    assert any(line.startswith("mongo: ready after") for line in said)
    assert not (target.folder / "journal.json").exists()


def test_only_rocketchat(target: ComposeTarget, services: EmbeddedServices) -> None:
    report = procedure.restart(target, services, say=print, only=["rocketchat"])
    assert report.exit_status == 0
    assert services.calls == ["stop rocketchat", "restart rocketchat"]


def test_a_restore_stops_who_writes_whatever_is_restarted(
    target: ComposeTarget, services: EmbeddedServices
) -> None:
    unfinished, somebodys = (target.folder / "dumps" / name for name in ("20200101-000000-abcd", "mine"))
    for folder in (unfinished, somebodys):
        folder.mkdir(parents=True)
    procedure.restart(target, services, say=print, only=["redis"])
    assert services.calls == ["restart redis"]
    assert (unfinished.exists(), somebodys.exists()) == (False, True)
    services.calls.clear()
    (taken,) = (target.folder / "dumps").glob("2*")

    procedure.restart(target, services, say=print, only=["redis"], restore=taken)

    assert services.calls == ["stop rocketchat", "restart redis", "restart rocketchat"]


def test_what_stands_still_is_started_too(target: ComposeTarget, services: EmbeddedServices) -> None:
    services.set_state("postgres", State("exited"))
    procedure.restart(target, services, say=print, only=["redis"])
    assert services.calls == ["restart postgres", "restart redis"]


def test_a_port_of_what_stands_still_is_somebody_elses(
    target: ComposeTarget, services: EmbeddedServices
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        services.set_state("redis", State("exited", ports=(port,)))
        with pytest.raises(
            PortHeldError, match=rf"port {port} of redis, which stands still, is held by python"
        ):
            procedure.restart(target, services, say=print)
    assert services.calls == []


@pytest.mark.parametrize(
    ("collection", "change", "named"),
    [
        ("rocketchat_message", {"_id": "kept-7"}, "missing: messages kept-7 by owner"),
        ("rocketchat_room", {"name": "vip"}, "missing: rooms vip"),
        ("users", {"username": "store_owner"}, "missing: chat users store_owner"),
        ("rocketchat_subscription", {"u.username": "owner", "name": "vip"}, "of owner in vip"),
    ],
)
def test_a_loss_is_named_and_the_dump_brings_it_back(
    running: EmbeddedStack, target: ComposeTarget, collection: str, change: dict[str, str], named: str
) -> None:
    class Losing(EmbeddedServices):
        def restart(self, service: str) -> None:
            super().restart(service)
            if service == "mongo":
                assert database(running)[collection].delete_one(change).deleted_count == 1

    with pytest.raises(DataLostError, match=named):
        procedure.restart(target, Losing(running), say=print)
    (folder,) = (target.folder / "dumps").iterdir()
    report = procedure.restart(target, EmbeddedServices(running), say=print, restore=folder)
    assert report.exit_status == 0, report.findings
    assert database(running)[collection].count_documents(change) == 1


def test_somebody_else_on_the_port_is_named_and_lives(
    running: EmbeddedStack, target: ComposeTarget, services: EmbeddedServices
) -> None:
    daphne.stop(target.port, target.web)
    command = [sys.executable, "-c", LISTENER, str(target.port)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout
        assert other.stdout.readline()
        with pytest.raises(PortHeldError, match=f"process {other.pid}"):
            procedure.restart(target, services, say=print)
        assert other.poll() is None
        assert services.calls == []
    finally:
        other.communicate()
    procedure.restart(target, services, say=print, only=["redis"])


@pytest.mark.parametrize(
    ("service", "state", "error"),
    [
        ("redis", None, ServiceMissingError),
        ("mongo", State("restarting"), ServiceHalfStartedError),
        ("mongo", State("paused"), ServiceHalfStartedError),
    ],
)
def test_a_sick_service_is_named_before_anything_is_stopped(
    target: ComposeTarget, services: EmbeddedServices, service: str, state: State, error: type[BesedkaError]
) -> None:
    services.set_state(service, state)
    with pytest.raises(error, match=service):
        procedure.restart(target, services, say=print)
    assert services.calls == []


def test_no_room(target: ComposeTarget, services: EmbeddedServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "SPARE_BYTES", 2**60)
    with pytest.raises(NoRoomError, match="MiB free"):
        procedure.restart(target, services, say=print)
    assert services.calls == []


def test_two_at_once(target: ComposeTarget, services: EmbeddedServices) -> None:
    with alone(target.folder), pytest.raises(RestartStateError, match="another restart"):
        procedure.restart(target, services, say=print)
    assert services.calls == []


@pytest.mark.parametrize("damage", ["cut", "gone", "manifest"])
def test_a_damaged_dump_is_refused(target: ComposeTarget, services: EmbeddedServices, damage: str) -> None:
    target.folder.mkdir()
    folder = dump.Dump.taken(
        target.folder / "dumps", target.mongo_url, target.site_database_url, services
    ).folder
    file = folder / ("manifest.json" if damage == "manifest" else "mongo/users.bson")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DumpDamagedError):
        procedure.restart(target, services, say=print, restore=folder)
    assert services.calls == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_a_second_run_heals(
    moment: str, running: EmbeddedStack, target: ComposeTarget, services: EmbeddedServices, tmp_path: Path
) -> None:
    assert running.stack
    stack_file = tmp_path / "stack.json"
    stack_file.write_text(running.stack.to_json(), encoding="utf-8")
    with serving(services) as address:
        first = subprocess.run(
            [sys.executable, "-m", "tests.unit.restart.killed", address, stack_file, target.folder, moment],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert first.returncode == -signal.SIGKILL, first.stdout + first.stderr

    report = procedure.restart(target, services, say=print)

    assert report.exit_status == 0
    assert database(running)["rocketchat_message"].count_documents({"_id": {"$regex": "^kept-"}}) == 300
    assert not (target.folder / FILE).exists(), "the journal of a finished restart is still open"


def test_a_restore_is_done_anew_where_an_interrupted_run_had_done_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, restore="first", steps=["dumped", "stop", "restored", "prepare"])

    journal.ask_for(tmp_path / "second")

    assert journal.steps == ["dumped", "stop"]
    assert journal.restore == str(tmp_path / "second")


def test_a_rocket_chat_that_is_still_starting_is_left_alone(
    target: ComposeTarget, services: EmbeddedServices
) -> None:
    before = procedure._Restart(target, services, Journal(target.folder), lambda _: None)._count()
    journal = Journal(target.folder)
    journal.choose((), None)
    taken = dump.Dump.taken(target.folder / "dumps", target.mongo_url, target.site_database_url, services)
    journal.dump = str(taken.folder)
    journal.keep_inventory(before)
    for step in ("dumped", "stop", "counted", "restart postgres", "restart redis", "restart mongo"):
        journal.note(step)
    journal.note("restart rocketchat")
    said: list[str] = []

    report = procedure.restart(target, services, say=said.append)

    assert report.exit_status == 0, report.findings
    assert services.calls == []
    assert "rocketchat: still starting, left alone …" in said


def test_a_plan_says_what_it_would_do_and_does_nothing(
    target: ComposeTarget, services: EmbeddedServices
) -> None:
    services.set_state("web", State("running"))
    services.set_state("redis", State("exited"))

    lines = list(preview.of(target, services, only=["mongo"], restore=None, afresh=False))

    assert services.calls == []
    assert not (target.folder / FILE).exists()
    assert [line for line in lines if line.startswith(("stop", "start", "restart"))] == [
        "stop: web, which must not run beside Daphne",
        "stop: rocketchat, before anything is counted",
        "start: redis, which stands still",
        "restart: mongo",
        "restart: rocketchat",
    ]
    assert "provision: 0 to change, as things are now" in lines
    assert lines[-1] == "nothing was done"
