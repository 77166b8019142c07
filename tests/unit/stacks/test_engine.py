"""What stands between a machine and a stack: each obstacle has its message, before anything is started."""

from __future__ import annotations

import socket
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException, ImageNotFound

from besedka.errors import BesedkaError
from besedka.stacks import token_probe
from besedka.stacks.docker import compose, engine
from besedka.stacks.docker.engine import MIB, Engine
from besedka.stacks.docker.engine_errors import (
    EnginePermissionError,
    EngineTooOldError,
    ImageMissingError,
    ImageVersionError,
    NoEngineError,
    NoMemoryError,
    NoSpaceError,
    PortBusyError,
)

SERVICES = compose.load(variables={})
Usage = namedtuple("Usage", "total used free")


class Images:
    """The part of docker's client that is asked for images."""

    def __init__(self, environments: dict[str, list[str]], reachable: bool) -> None:
        self._environments = environments
        self._reachable = reachable

    def get(self, name: str) -> Any:
        if name not in self._environments:
            raise ImageNotFound(name)
        config = {"Env": self._environments[name]}
        return type("Image", (), {"attrs": {"Config": config}, "labels": {}, "id": name})()

    def get_registry_data(self, name: str) -> None:
        if not self._reachable:
            raise DockerException(f"no registry for {name}")


class Client:
    def __init__(self, environments: dict[str, list[str]] | None = None, *, reachable: bool = False) -> None:
        everything: dict[str, list[str]] = {service.image: [] for service in SERVICES.values()}
        self.images = Images(everything if environments is None else environments, reachable)
        self.api = self

    def pull(self, *_: object, **__: object) -> list[dict[str, str]]:
        return [{"status": "Pulling"}, {"error": "manifest unknown"}]


def an_engine(
    client: Client | None = None, version: str = "20.10.24", memory: int = 8192 * MIB, root: str = "/"
) -> Engine:
    return Engine("unix:///engine", client or Client(), version, memory, root)


def test_a_fitting_engine_is_taken() -> None:
    engine.check(an_engine(), SERVICES)
    engine.check(an_engine(version="28.2.2"), SERVICES)
    engine.check(an_engine(root="/nowhere/to/be/seen"), SERVICES)


def test_an_old_engine() -> None:
    with pytest.raises(EngineTooOldError, match=r"19\.03\.8"):
        engine.check(an_engine(version="19.03.8"), SERVICES)


def test_no_memory() -> None:
    with pytest.raises(NoMemoryError, match="1024 MiB"):
        engine.check(an_engine(memory=1024 * MIB), SERVICES)


@pytest.mark.parametrize(("images", "free"), [(None, 500), ({}, 5000)], ids=["present", "to be pulled"])
def test_no_disk(monkeypatch: pytest.MonkeyPatch, images: dict[str, list[str]] | None, free: int) -> None:
    monkeypatch.setattr(engine.shutil, "disk_usage", lambda _root: Usage(0, 0, free * MIB))

    with pytest.raises(NoSpaceError, match=f"{free} MiB are free"):
        engine.check(an_engine(Client(images)), SERVICES)


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(NoEngineError, match=r"none\.sock \(No such file or directory\)"):
        engine.find()


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        cause = PermissionError(13, "Permission denied")
        raise DockerException("Error while fetching server API version") from cause

    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    monkeypatch.setattr(engine.docker, "DockerClient", refused)

    with pytest.raises(EnginePermissionError, match="usermod -aG docker"):
        engine.find()


def test_something_else_behind_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "nonsense")

    with pytest.raises(NoEngineError, match="nonsense"):
        engine.find()


def test_a_missing_image() -> None:
    heard: list[tuple[str, str]] = []

    with pytest.raises(ImageMissingError, match="manifest unknown") as raised:
        engine.pull(an_engine(Client({})), SERVICES, lambda *words: heard.append(words))

    assert "BESEDKA_IMAGE_POSTGRES" in raised.value.where
    assert heard[0] == ("postgres", "pulling postgres:16.4")


@pytest.mark.parametrize(
    ("name", "row"), [("rocketchat", "RC_VERSION=6.4.8"), ("mongo", "MONGO_VERSION=8.0.4")]
)
def test_an_image_of_the_wrong_version(name: str, row: str) -> None:
    environments = {SERVICES[each].image: [] for each in compose.SERVICES} | {SERVICES[name].image: [row]}

    with pytest.raises(ImageVersionError, match=row.partition("=")[2]):
        engine.check_versions(an_engine(Client(environments)), SERVICES, "7.7.1")


@pytest.mark.parametrize("rows", [["RC_VERSION=7.7.1"], ["PATH=/bin"], []])
def test_an_image_of_the_right_version_or_of_none(rows: list[str]) -> None:
    environments = {SERVICES[name].image: rows for name in compose.SERVICES}

    engine.check_versions(an_engine(Client(environments)), SERVICES, "7.7.1")


def test_a_busy_port_and_who_holds_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(
            PortBusyError, match=rf"port {port} of rocketchat is held by python.* \(process \d+\)"
        ):
            engine.check_ports({"rocketchat": port})
    engine.check_ports({"rocketchat": port})


def test_unfit_says_why_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find", lambda: an_engine(Client({})))
    assert engine.unfit(SERVICES) == "image postgres:16.4 is neither on the engine nor in reach"

    monkeypatch.setattr(engine, "find", lambda: an_engine(Client({}, reachable=True)))
    assert engine.unfit(SERVICES) is None

    monkeypatch.setattr(engine, "find", lambda: an_engine(version="19.3.0"))
    assert engine.unfit(SERVICES) == "Docker engine 19.3.0"


def test_every_obstacle_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///none.sock")
    for question in (engine.find, lambda: engine.check(an_engine(version="1.0"), SERVICES)):
        with pytest.raises(BesedkaError) as raised:
            question()
        assert raised.value.expected
        assert raised.value.where
        assert raised.value.next_step


@pytest.mark.parametrize(
    ("said", "proof"),
    [
        ('401 {"error": "invalid_client"}', True),
        ('400 {"error": "unsupported_grant_type"}', True),
        ('200 {"error": "invalid_client"}', False),
        ("400 <h1>Bad Request (400)</h1>", False),
        ('404 {"detail": "none"}', False),
        ("Error: connect ECONNREFUSED 172.17.0.1:8001", False),
        ("", False),
        ("400 []", False),
    ],
)
def test_only_an_oauth_error_proves_the_token_endpoint(said: str, proof: bool) -> None:
    assert token_probe.is_oauth_error(said) is proof
