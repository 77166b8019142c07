"""A stack of `up` that has lost a service ends the command; no other stack is taken in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka.commands.stack import NoStackError
from besedka.commands.target import located
from besedka.stacks import up_records
from besedka.stacks.model import Service, Stack

SITE, CHAT = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """What an `up` has noted whose Rocket.Chat has ended since."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    log = tmp_path / "rocketchat.log"
    log.write_text("starting\nout of memory\n", "utf-8")
    services = (
        Service("site", SITE, "1", real=True, pid=os.getpid()),
        Service("rocketchat", CHAT, "7.7.1", real=True, log=str(log), pid=ended.pid),
    )
    made = Stack("embedded", "run-of-today", str(tmp_path), SITE, CHAT, None, None, None, services)
    monkeypatch.setattr(up_records, "FOLDER", tmp_path / "up")
    up_records.note(made, "")
    return made


@pytest.mark.parametrize("addresses", [{}, {"site_url": SITE, "chat_url": CHAT}])
def test_the_command_ends_and_says_which_service_of_which_stack_died(
    noted: Stack, addresses: dict[str, str]
) -> None:
    with pytest.raises(NoStackError) as caught:
        located(contracts.load(), **addresses)
    said = caught.value.text()
    assert noted.run_id in said
    assert "rocketchat has ended" in said
    assert "out of memory" in said


def test_another_stack_is_meant_when_it_is_named(noted: Stack) -> None:
    target, _, stack = located(contracts.load(), site_url="http://127.0.0.1:3", chat_url="http://127.0.0.1:4")
    assert stack is None
    assert target.chat_url == "http://127.0.0.1:4" != noted.chat_url


def test_without_any_stack_of_up_the_contracts_addresses_are_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up_records, "FOLDER", tmp_path / "none")
    contract = contracts.load()
    target, *_ = located(contract)
    assert target.chat_url == contract.chat.url
