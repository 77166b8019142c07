"""A port is given to one stack alone, also by two processes at the same moment."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.stacks.process import ports

_OTHER = "from besedka.stacks.process.ports import free_ports; print(*free_ports(3), flush=True); input()"


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_RANGE", range(31_000, 31_020))

    given = [ports.free_port() for _ in range(5)]

    assert len(set(given)) == 5
    assert set(given) <= set(range(31_000, 31_020))


def test_another_process_is_given_others_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", _OTHER]
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        theirs = [int(port) for port in other.stdout.readline().split()]
        monkeypatch.setattr(ports, "_RANGE", range(min(theirs), min(theirs) + 1))
        with pytest.raises(StackStartError, match="only 0 free ports"):
            ports.free_port()
        other.communicate("\n")

    assert ports.free_port() == min(theirs)


def test_a_port_that_somebody_listens_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        monkeypatch.setattr(ports, "_RANGE", range(port, port + 1))
        with pytest.raises(StackStartError, match="only 0 free ports"):
            ports.free_port()
