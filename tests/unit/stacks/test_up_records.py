"""Stacks of `up`: a record for each, used again only while they are what a new one would be; fixed ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from besedka import contract as contracts
from besedka.cli import app
from besedka.commands.running import NoStackError
from besedka.commands.target import located
from besedka.errors import StackStartError, UsageError
from besedka.stacks import up_records
from besedka.stacks.model import Service, Stack
from besedka.stacks.process import fixed_ports, ports

CONTRACT = contracts.load()
MADE_OF = up_records.configuration_hash(CONTRACT, ())


@pytest.fixture(autouse=True)
def _records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_records, "FOLDER", tmp_path)


def stack(name: str, port: int, pid: int | None = None) -> Stack:
    site, chat = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    services = (Service("site", site, "1", real=True, pid=pid or os.getpid()),)
    return Stack("embedded", name, "folder", site, chat, None, None, None, services)


def test_two_stacks_have_a_record_each_and_the_end_of_one_leaves_the_other() -> None:
    up_records.note(stack("first", 1), MADE_OF)
    up_records.note(stack("second", 3), MADE_OF)
    assert [record.stack.run_id for record in up_records.noted()] == ["first", "second"]

    up_records.forget("second")

    assert [record.stack.run_id for record in up_records.noted()] == ["first"]


def test_no_command_guesses_between_two_and_an_address_names_one() -> None:
    first = stack("first", 1)
    up_records.note(first, MADE_OF)
    up_records.note(stack("second", 3), MADE_OF)

    with pytest.raises(NoStackError, match="2 stacks are running: first, second"):
        located(CONTRACT)
    *_, found = located(CONTRACT, site_url=first.site_url, chat_url=first.chat_url)
    assert found == first


def test_conformance_asks_the_stack_of_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, 0)

    up_records.note(stack("first", 1), MADE_OF)
    monkeypatch.setattr(subprocess, "run", run)

    assert CliRunner().invoke(app, ["conformance", "--page", str(tmp_path / "page.md")]).exit_code == 0
    assert {"--site-url=http://127.0.0.1:1", "--chat-url=http://127.0.0.1:2"} <= set(asked)


def test_a_stack_is_used_again_while_nothing_has_changed() -> None:
    up_records.note(stack("same", 1), MADE_OF)

    assert up_records.reusable(CONTRACT, ())[0] == stack("same", 1)
    assert "another configuration" in up_records.reusable(CONTRACT, ("--tls",))[1]
    moved = CONTRACT.model_copy(update={"settings": CONTRACT.settings | {"Show_Setup_Wizard": "pending"}})
    assert "another configuration" in up_records.reusable(moved, ())[1]


def test_a_stack_that_has_lost_a_service_is_not_used_again() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    up_records.note(stack("lost", 1, ended.pid), MADE_OF)

    assert up_records.reusable(CONTRACT, ()) == (None, "stack lost: site has ended")


def test_ports_that_are_wished_for() -> None:
    assert fixed_ports.read(["site=1", "rocketchat=2"]) == {"site": 1, "rocketchat": 2}


@pytest.mark.parametrize("words", [["site"], ["chat=1"], ["site=0"], ["site=70000"], ["site=1", "mongo=1"]])
def test_a_port_that_cannot_be_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        fixed_ports.read(words)


def test_a_port_where_somebody_listens_is_refused() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(StackStartError, match="another program listens there"),
    ):
        fixed_ports.read([f"site={taken.getsockname()[1]}"])


def test_a_port_that_a_stack_of_the_same_moment_has_taken_is_refused() -> None:
    port = ports.free_port()
    other = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from besedka.stacks.process import fixed_ports as f; f.read(['site={port}'])",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "another stack is starting there" in other.stderr
