"""A stack in containers: what it consists of, what it says of itself, and that nothing of it stays."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import containers
from besedka.stacks.containers import ContainersStack
from besedka.stacks.docker import compose, leftovers
from besedka.stacks.model import Stack
from tests import inner
from tests.containers import runs

pytestmark = pytest.mark.containers


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def started(on_engine: None, lines: list[str]) -> Iterator[ContainersStack]:
    with containers.running(contracts.load(), say=lines.append) as running:
        yield running


def test_a_stack_says_what_it_is_and_serves(started: ContainersStack, lines: list[str]) -> None:
    stack = started.stack
    assert stack is not None

    assert stack.kind == "containers"
    natures = {service.name: (service.nature, service.version) for service in stack.services}
    assert natures["postgres"] == ("real", natures["postgres"][1])
    assert natures["redis"][0] == natures["site"][0] == "real"
    assert natures["rocketchat"] == ("stand-in", "7.7.1")
    assert natures["mongo"][0] == "stand-in"
    for name in (*compose.SERVICES, "site", "provider", "token"):
        assert any(line.split()[0] == name and "ready after" in line for line in lines), lines
    assert stack.site_database_url is not None
    assert stack.site_database_url.startswith("postgres://")
    assert requests.get(f"{stack.site_url}/api/v1/status/", timeout=5).json()["status"] == "ok"
    services = RocketChat(stack.chat_url).get("service.configurations")["configurations"]
    assert stack.provider_url in str(services), "Rocket.Chat's server calls the site by the browser's address"
    assert Stack.from_json(stack.to_json()) == stack


def test_what_a_run_makes_is_labelled_and_private(started: ContainersStack, client: Any) -> None:
    rows = leftovers.containers(client, started.run_id)
    assert {row.labels[leftovers.SERVICE_LABEL] for row in rows} == set(compose.SERVICES)
    for row in rows:
        bound = [port for ports in row.attrs["NetworkSettings"]["Ports"].values() for port in ports or ()]
        assert {port["HostIp"] for port in bound} == {"127.0.0.1"}, row.name
        assert list(row.attrs["NetworkSettings"]["Networks"]) == [f"besedka-{started.run_id}"]
        mounts = [mount for mount in row.attrs["Mounts"] if mount["Type"] == "volume"]
        unlabelled = {mount["Name"] for mount in mounts} - set(leftovers.left(client, started.run_id))
        assert not unlabelled
    told = dict(line.partition("=")[::2] for line in client_environment(rows, "rocketchat"))
    assert told["ROOT_URL"] == started.contract.chat.url
    assert told["MONGO_URL"] == started.services["rocketchat"].environment["MONGO_URL"]


def client_environment(rows: list[Any], service: str) -> list[str]:
    (row,) = [row for row in rows if row.labels[leftovers.SERVICE_LABEL] == service]
    environment: list[str] = row.attrs["Config"]["Env"]
    return environment


def test_nothing_is_left_and_the_logs_stay(on_engine: None, client: Any) -> None:
    before = unlabelled(client)
    with containers.running(contracts.load()) as running:
        run_id, folder = running.run_id, running.folder
        assert runs.left(client, run_id)
        assert len(runs.guardians(run_id)) == 1

    assert runs.left(client, run_id) == []
    assert unlabelled(client) <= before, "an unlabelled thing was left"
    assert not (folder / "site").exists(), "the site's secrets were left"
    assert "SERVER RUNNING" in (folder / "logs" / "rocketchat.log").read_text("utf-8")
    assert "database system is ready" in (folder / "logs" / "postgres.log").read_text("utf-8")


def unlabelled(client: Any) -> set[str]:
    """Names of the engine's things that are neither a run's nor docker-compose's."""
    found = [*client.containers.list(all=True), *client.networks.list(), *client.volumes.list()]
    known = {leftovers.RUN_LABEL, "com.docker.compose.project"}
    return {str(thing.name) for thing in found if not known & set(labels_of(thing))}


def labels_of(thing: Any) -> dict[str, str]:
    """A container's labels stand in its configuration, a network's and a volume's beside its name."""
    return thing.attrs.get("Config", thing.attrs).get("Labels") or {}


def test_two_runs_do_not_meet(on_engine: None, client: Any) -> None:
    with ThreadPoolExecutor(max_workers=2) as side_by_side:
        stacks = [containers.prepared(contracts.load()) for _ in range(2)]
        try:
            list(side_by_side.map(ContainersStack.start, stacks))
            first, second = stacks
            assert first.stack is not None
            assert second.stack is not None
            assert not {s.url for s in first.stack.services} & {s.url for s in second.stack.services}
            first.stop()

            assert runs.left(client, first.run_id) == []
            assert runs.left(client, second.run_id)
            assert RocketChat(second.stack.chat_url).get("settings.public", count=1)["settings"]
            assert requests.get(f"{second.stack.site_url}/api/v1/status/", timeout=5).ok
        finally:
            for stack in stacks:
                stack.stop()
    assert runs.left(client, second.run_id) == []


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_run_that_is_ended_takes_everything_along(
    subject: Path, tmp_path: Path, surroundings: Mapping[str, str], client: Any, number: signal.Signals
) -> None:
    told = tmp_path / "told.json"
    with runs.begun(subject, told, surroundings) as running:
        stack = Stack.from_json(told.read_text("utf-8"))
        guardians = runs.guardians(stack.run_id)
        assert len(leftovers.left(client, stack.run_id)) >= 9, "4 containers, 4 volumes, a network"

        running.send_signal(number)
        output, _ = running.communicate(timeout=60)

    _gone, alive = psutil.wait_procs(guardians, timeout=60)
    assert alive == [], output
    assert runs.left(client, stack.run_id) == [], output


def test_the_browser_signs_in_on_containers(surroundings: Mapping[str, str], client: Any) -> None:
    finished = runs.run("tests/e2e/test_sign_in.py", more=surroundings)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    for line in ("starting the containers stack", "  rocketchat  7.7.1    stand-in", "  postgres "):
        assert line in finished.stdout
    found = runs.FOLDER.search(finished.stdout)
    assert found is not None
    assert runs.left(client, found[2]) == []


def test_another_version_of_rocketchat(
    subject: Path, tmp_path: Path, surroundings: Mapping[str, str]
) -> None:
    told = tmp_path / "told.json"
    subject.write_text(runs.TELLS.format(told=str(told)), "utf-8")
    older = dict(surroundings)
    older["BESEDKA_IMAGE_ROCKETCHAT"] = older["BESEDKA_IMAGE_ROCKETCHAT"].replace(":7.7.1-", ":6.4.8-")

    finished = runs.run(str(subject), "--rocketchat-version=6.4.8", more=older)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    stack = Stack.from_json(told.read_text("utf-8"))
    assert stack.service("rocketchat").version == "6.4.8"


def test_without_a_wish_containers_are_taken_where_an_engine_answers(
    subject: Path, tmp_path: Path, surroundings: Mapping[str, str]
) -> None:
    told = tmp_path / "told.json"
    subject.write_text(runs.TELLS.format(told=str(told)), "utf-8")

    with_engine = runs.run(str(subject), more=surroundings, kind="auto")
    kind = Stack.from_json(told.read_text("utf-8")).kind
    nowhere = f"unix://{tmp_path}/nobody.sock"
    without = runs.run(str(subject), more=dict(surroundings) | {"DOCKER_HOST": nowhere}, kind="auto")

    assert (with_engine.returncode, kind) == (0, "containers"), with_engine.stdout
    assert "a Docker engine answers" in with_engine.stdout
    assert without.returncode == 0, without.stdout
    assert "starting the embedded stack (no Docker engine answers" in without.stdout
    assert Stack.from_json(told.read_text("utf-8")).kind == "embedded"


def test_docker_compose_takes_the_file(surroundings: Mapping[str, str], client: Any) -> None:
    """Version 1.29, which Debian has; it creates what `up` starts, and no `web`."""
    project = f"besedka-test-{secrets.token_hex(4)}"
    command = ["docker-compose", "-p", project, "-f", "docker-compose.local.yml"]

    def composed(*arguments: str) -> str:
        finished = subprocess.run(
            [*command, *arguments],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
            env=inner.environment(surroundings),
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    composed("config", "--quiet")
    try:
        composed("up", "--no-start")
        label = f"com.docker.compose.project={project}"
        made = client.containers.list(all=True, filters={"label": label})
        assert {row.labels["com.docker.compose.service"] for row in made} == set(compose.SERVICES)
    finally:
        composed("down", "--volumes")
