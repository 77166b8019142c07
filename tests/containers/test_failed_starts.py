"""A start that fails is one report of infrastructure: whose last lines, a status of its own, no red test."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from besedka import contract as contracts
from besedka.stacks import containers, readiness
from besedka.stacks.docker.engine_errors import ImageMissingError, ImageVersionError, PortBusyError
from tests.containers import runs

pytestmark = pytest.mark.containers
NEEDS_A_STACK = "def test_needs(stack): pass\n"
RUN_FOLDER = re.compile(r"(/\S*/\.besedka/runs/(\d[^/\s]+))/logs")


def failed(finished: Any, client: Any) -> Path:
    """The folder of a run that could not have its stack, after what every such run has in common."""
    output = finished.stdout + finished.stderr
    assert finished.returncode == 89, output
    assert "Traceback" not in output
    assert "FAILED" not in output
    assert output.count("found:") == 1
    found = RUN_FOLDER.search(output)
    assert found is not None, output
    assert runs.left(client, found[2]) == []
    return Path(found[1])


def test_a_service_that_dies(
    subject: Path, tmp_path: Path, surroundings: Mapping[str, str], client: Any
) -> None:
    subject.write_text(NEEDS_A_STACK, "utf-8")
    script = "exec 2>&1; for n in $(seq 40); do echo line $n; done; echo out of beans >&2; exit 7"
    broken = runs.changed_file(tmp_path, rocketchat={"command": ["sh", "-c", script]})

    finished = runs.run(str(subject), more=dict(surroundings) | broken)

    folder = failed(finished, client)
    output = finished.stdout + finished.stderr
    assert "rocketchat ended with status 7 while starting" in output
    assert "-- rocketchat: ended with status 7" in output
    assert "out of beans" in output
    assert "line 2\n" not in output, "the report is not the whole log"
    assert "-- redis" not in output, "a service that is well is in the report"
    assert "-- provider" not in output, "a step that writes no log is in the report"
    saved = (folder / "logs" / "rocketchat.log").read_text("utf-8")
    assert saved.count("line ") == 40
    assert (folder / "logs" / "mongo.log").read_text("utf-8"), (
        "the log of a service that is well was not saved"
    )


def test_a_service_that_never_gets_ready(
    subject: Path, tmp_path: Path, surroundings: Mapping[str, str], client: Any
) -> None:
    subject.write_text(NEEDS_A_STACK, "utf-8")
    broken = runs.changed_file(tmp_path, mongo={"command": ["sleep", "600"]})
    budget = {readiness.BUDGET_ENV: "12"}

    finished = runs.run(str(subject), more=dict(surroundings) | broken | budget)

    folder = failed(finished, client)
    output = finished.stdout + finished.stderr
    assert not (folder / "logs" / "rocketchat.log").exists(), (
        "Rocket.Chat was started before MongoDB is primary"
    )
    assert "was not ready within the start budget of 12 s" in output
    assert "-- mongo: waiting for a writable primary" in output
    assert re.search(r"  mongo +waiting for a writable primary \(\d+ s\)", output), "no heartbeat"


def test_a_site_that_containers_do_not_reach(
    subject: Path, tmp_path: Path, surroundings: Mapping[str, str], client: Any
) -> None:
    subject.write_text(NEEDS_A_STACK, "utf-8")
    astray = runs.changed_file(tmp_path, rocketchat={"extra_hosts": ["host.docker.internal:127.0.0.1"]})

    finished = runs.run(str(subject), more=dict(surroundings) | astray)

    failed(finished, client)
    assert (
        "Rocket.Chat's container does not reach the site's token endpoint"
        in finished.stdout + finished.stderr
    )


def test_an_image_that_is_nowhere(on_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESEDKA_IMAGE_REDIS", "127.0.0.1:9/besedka/none:1")

    with pytest.raises(ImageMissingError, match=r"127\.0\.0\.1:9/besedka/none:1"):
        containers.prepared(contracts.load())


def test_an_image_of_another_version(on_engine: None) -> None:
    with pytest.raises(ImageVersionError, match=r"holds 7\.7\.1"):
        containers.prepared(contracts.load(), version="6.4.8")


def test_a_port_of_somebody_else(on_engine: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortBusyError, match=f"port {port} of rocketchat is held by python"):
            containers.prepared(contracts.load(), ports={"rocketchat": port})
