"""What a start in containers is made of and needs no engine: waiting, asking, and the guardian's process."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import NotFound

from besedka import contract as contracts
from besedka.stacks import readiness
from besedka.stacks.containers import ContainersStack
from besedka.stacks.docker import leftovers
from besedka.stacks.docker.container_logs import ContainerLogs
from besedka.stacks.docker.engine_errors import ContainersStartError
from besedka.stacks.process.parent_death import KEEP
from besedka.stacks.process.ports import free_ports
from besedka.stacks.readiness import Progress


@pytest.fixture
def progress() -> Iterator[Progress]:
    with Progress(lambda _line: None, budget=20, cancelled=threading.Event()) as made:
        yield made


def test_a_service_is_asked_when_it_has_written_something(progress: Progress) -> None:
    asked: list[float] = []
    waited: list[float] = []

    progress.wait_until(
        "chat",
        lambda: asked.append(time.monotonic()) or len(asked) == 5,  # type: ignore[func-returns-value]
        expected="five questions",
        alive=lambda: None,
        news=waited.append,
    )

    assert waited == [readiness.POLL_SECONDS] * 4
    pauses = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert min(pauses) >= 0.02, "a server that writes much is asked without a pause"


def test_the_shells_own_postgresql_variables_are_not_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """PGSSLMODE=require would have the first start wait for its whole budget."""
    monkeypatch.setenv("PGSSLMODE", "require")
    contract = contracts.load(overlays=())
    ports = dict.fromkeys(("site", "rocketchat"), 1)
    stack = ContainersStack(contract, tmp_path, SimpleNamespace(url=""), {}, ports)  # type: ignore[arg-type]
    heard: list[str | None] = []
    monkeypatch.setattr(stack, "_site_environment", lambda: heard.append(os.environ.get("PGSSLMODE")) or {})
    monkeypatch.setattr(leftovers, "Guardian", lambda *_: None)
    monkeypatch.setattr(stack, "_make_network", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        stack.start()

    assert heard == [None]


def test_a_start_that_is_given_up_is_not_waited_for(progress: Progress) -> None:
    progress.cancelled.set()

    with pytest.raises(ContainersStartError, match="still waiting for anything"):
        progress.wait_until(
            "chat", lambda: False, expected="anything", alive=lambda: None, news=lambda _seconds: None
        )


def close_each(forwarder: socket.socket, taken: list[object]) -> None:
    while True:
        try:
            connection, address = forwarder.accept()
        except OSError:
            return
        taken.append(address)
        connection.close()


def test_mongodb_is_not_initiated_while_nobody_answers() -> None:
    """A port forwarder takes connections long before anybody stands behind it, and closes them."""
    initiated: list[bool] = []
    taken: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as forwarder:
        threading.Thread(target=close_each, args=(forwarder, taken), daemon=True).start()

        assert not readiness.mongo_is_primary(forwarder.getsockname()[1], lambda: initiated.append(True))

        assert len(taken) == 1, "the driver's second try was waited for"
    assert initiated == []


class MadeUpContainer:
    """A container whose output is what `lines` yields; `state` as Docker tells it."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.asked = 0
        self.attrs: dict[str, Any] = {"State": {"Status": "exited", "ExitCode": 7}}

    def logs(self, **_told: Any) -> Iterator[bytes]:
        yield b"one\n"
        self.goes_on.wait()

    def reload(self) -> None:
        self.asked += 1


def test_a_container_whose_output_goes_on_has_not_ended(tmp_path: Path) -> None:
    logs, container = ContainerLogs(tmp_path), MadeUpContainer()
    logs.follow("chat", container)
    logs.wait_for_output("chat", 20)

    assert logs.file("chat").read_bytes() == b"one\n"
    assert logs.ended("chat") is None
    assert container.asked == 0, "the engine was asked while the output went on"
    container.goes_on.set()
    logs.end()
    assert logs.ended("chat") == "ended with status 7"


def test_a_container_that_is_gone_has_ended(tmp_path: Path) -> None:
    logs, container = ContainerLogs(tmp_path), MadeUpContainer()
    container.goes_on.set()

    def gone() -> None:
        raise NotFound("gone")

    container.reload = gone  # type: ignore[method-assign]
    logs.follow("chat", container)
    logs.end()

    assert logs.ended("chat") == "was removed"


def afterwards(told: Path) -> subprocess.Popen[bytes]:
    """A process that waits as the guardian does, and then makes the file."""
    script = f"import pathlib; pathlib.Path({str(told)!r}).touch()"
    command = [sys.executable, "-S", "-E", str(leftovers.PARENT_DEATH), sys.executable, "-c", script]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def test_the_guardian_acts_when_its_owner_is_gone_and_not_before(tmp_path: Path) -> None:
    told = tmp_path / "told"
    process = afterwards(told)
    assert process.stdin is not None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGINT)  # a terminal's Ctrl-C is the owner's to deal with
    assert not told.exists()

    process.stdin.close()

    assert process.wait(20) == 0
    assert told.exists()


def test_the_guardian_of_an_owner_that_died_at_once_acts(tmp_path: Path) -> None:
    """The pipe was closed before the process had run its first line."""
    told = tmp_path / "told"
    process = afterwards(told)
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(20) == 0
    assert told.exists()


def test_the_guardian_that_is_released_does_nothing(tmp_path: Path) -> None:
    told = tmp_path / "told"
    process = afterwards(told)
    process.communicate(KEEP)

    assert process.returncode == 0
    assert not told.exists()


def test_ports_are_not_given_twice() -> None:
    """One by one, some two of so many were the same nearly always."""
    ports = free_ports(400)

    assert len(set(ports)) == 400
