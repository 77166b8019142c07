"""A real MongoDB is no member of a set at first: it is made one, and a refusal that stays one is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from besedka.errors import StackStartError
from besedka.stacks.process.ports import free_port
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import mongod
from tests.unit.stacks import made_up

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="the made-up mongod is a script")


@contextmanager
def started(program: Path, port: int) -> Iterator[ServiceProcess]:
    data = program.parent / "data"
    process = mongod.start(str(program), port=port, data=data, log=program.parent / "mongo.log")
    try:
        yield process
    finally:
        process.stop()


def test_a_fresh_server_becomes_a_set_of_one_by_its_own_address(tmp_path: Path) -> None:
    program, port = made_up.mongod(tmp_path), free_port()

    with started(program, port) as process:
        process.wait_until(lambda: mongod.is_primary(port), budget=30, expected="a primary")

    assert made_up.initiations(program) == [
        {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
    ]


@pytest.mark.parametrize("code", [13, 76, 93], ids=["Unauthorized", "NoReplicationEnabled", "InvalidConfig"])
def test_a_refusal_that_stays_one_is_said_at_once(code: int, tmp_path: Path) -> None:
    program, port = made_up.mongod(tmp_path, refuses=code), free_port()

    with (
        started(program, port) as process,
        pytest.raises(StackStartError, match="does not become a replica set: refused"),
    ):
        process.wait_until(lambda: mongod.is_primary(port), budget=30, expected="a primary")

    assert len(made_up.initiations(program)) == 1


def test_a_refusal_that_passes_is_waited_for(tmp_path: Path) -> None:
    already_initialized = 23
    program, port = made_up.mongod(tmp_path, refuses=already_initialized), free_port()

    with started(program, port) as process, pytest.raises(StackStartError, match="was not ready after"):
        process.wait_until(lambda: mongod.is_primary(port), budget=2, expected="a primary")

    assert len(made_up.initiations(program)) > 1
