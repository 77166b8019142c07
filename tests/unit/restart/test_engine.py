"""What a restart makes of an engine that says no, and of one that does not answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import APIError, DockerException

from besedka.errors import BesedkaError
from besedka.restart.engine import DockerServices
from besedka.restart.errors import DumpFailedError, ServiceMissingError, ServiceNotReadyError
from besedka.stacks.docker import engine
from besedka.stacks.docker.engine import Engine
from besedka.stacks.docker.engine_errors import EnginePermissionError, NoEngineError


class Client:
    """An engine with one container, `redis`, to which something happens when it is told anything."""

    def __init__(self, happens: Exception) -> None:
        self._happens = happens
        self.containers = self.networks = self
        self.attrs = {"State": {"StartedAt": "2026-11-28T08:43:35.123456789Z"}}

    def list(self, filters: dict[str, Any] | None = None, **_: Any) -> list[Any]:
        return [self] if filters and "com.docker.compose.service=redis" in filters["label"] else []

    def restart(self, *_: Any, **__: Any) -> None:
        raise self._happens

    stop = logs = put_archive = exec_run = restart


def services(monkeypatch: pytest.MonkeyPatch, happens: Exception) -> DockerServices:
    found = Engine("unix:///engine", Client(happens), "28.2.2", 2**33, "/")
    monkeypatch.setattr(engine, "find", lambda: found)
    return DockerServices("besedka")


DEEDS: dict[str, Callable[[DockerServices], object]] = {
    "restart": lambda one: one.restart("redis"),
    "stop": lambda one: one.stop("redis"),
    "logs": lambda one: one.logs("redis", 1),
    "run": lambda one: one.run("redis", ["psql"], environment={}, source=Path(__file__)),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_an_engine_that_says_no_is_quoted(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = APIError("500", explanation="driver failed: address already in use")

    with pytest.raises(BesedkaError, match=r"redis.*: driver failed: address already in use") as raised:
        DEEDS[deed](services(monkeypatch, said))
    assert type(raised.value) is (DumpFailedError if deed == "run" else ServiceNotReadyError)


@pytest.mark.parametrize("deed", DEEDS)
def test_an_engine_that_falls_silent(deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoEngineError, match=r"fell silent when told to .*redis"):
        DEEDS[deed](services(monkeypatch, requests.ConnectionError("Connection aborted")))


def test_a_service_without_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = services(monkeypatch, AssertionError("never told"))

    assert nobody.state("mongo") is None
    with pytest.raises(ServiceMissingError, match="no container of mongo"):
        nobody.restart("mongo")


def test_no_engine_and_no_permission_are_two_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(NoEngineError):
        DockerServices("besedka")

    def refused(**_: object) -> None:
        raise DockerException("Error while fetching server API version") from PermissionError(13, "no")

    monkeypatch.setattr(engine.docker, "DockerClient", refused)
    with pytest.raises(EnginePermissionError):
        DockerServices("besedka")
