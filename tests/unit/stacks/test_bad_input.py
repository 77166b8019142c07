"""Everything that stands between a machine and a stack, met by a whole start: one error, and nothing is made.

The engine is a socket that speaks as much of Docker's API as is asked before a start. It notes what it is
told.
"""

from __future__ import annotations

import json
import shutil
import socketserver
import sys
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from besedka import contract as contracts
from besedka.errors import BesedkaError
from besedka.stacks import containers
from besedka.stacks.docker import compose
from besedka.stacks.docker.engine import MIB
from tests import inner

if not hasattr(socketserver, "ThreadingUnixStreamServer"):
    pytest.skip("the engine is a Unix socket", allow_module_level=True)

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is a file system that is always full")
GOOD = {"Version": "28.2.2", "MemTotal": 8192 * MIB, "DockerRootDir": "/"}


class FakeEngine(socketserver.ThreadingUnixStreamServer):
    """Docker's API: `says` are version and info, `images` maps names to their environment."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__(address, _Answers)
        self.says: dict[str, Any] = dict(GOOD)
        self.images: dict[str, list[str]] = {row.image: [] for row in compose.load(variables={}).values()}
        self.told: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    server: FakeEngine

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/json") and "/images/" in path:
            name = path.partition("/images/")[2].removesuffix("/json")
            if name not in self.server.images:
                return self._answer(404, {"message": f"No such image: {name}"})
            config = {"Env": self.server.images[name], "Labels": None}
            return self._answer(200, {"Id": name, "Config": config})
        return self._answer(200, {"ApiVersion": "1.44"} | self.server.says)

    def do_POST(self) -> None:
        self.server.told.append(self.path)
        self._answer(200, {"error": "manifest unknown"})

    def _answer(self, status: int, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return

    def address_string(self) -> str:
        return "the test"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    folder = tempfile.mkdtemp()  # a socket's path may have 107 characters
    for name in ("BESEDKA_COMPOSE_FILE", *(f"BESEDKA_IMAGE_{row.upper()}" for row in compose.SERVICES)):
        monkeypatch.delenv(name, raising=False)
    with FakeEngine(f"{folder}/docker.sock") as server:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/docker.sock")
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
    shutil.rmtree(folder)


def refused() -> BesedkaError:
    with pytest.raises(BesedkaError) as raised:
        containers.prepared(contracts.load())
    for part in ("found", "expected", "where", "next step"):
        assert f"{part}: " in str(raised.value)
    return raised.value


def test_nothing_stands_in_the_way(engine: FakeEngine) -> None:
    ready = containers.prepared(contracts.load())

    assert ready.engine.version == "28.2.2"
    assert engine.told == [], "something was made"


@pytest.mark.parametrize(
    ("says", "status", "named"),
    [
        ({"Version": "19.03.8"}, 82, "Docker engine 19.03.8"),
        ({"MemTotal": 1024 * MIB}, 84, "the engine has 1024 MiB of memory"),
        # A file system that never has a byte free.
        pytest.param({"DockerRootDir": "/proc"}, 83, "0 MiB are free on the engine's disk", marks=ON_LINUX),
    ],
    ids=["old", "memory", "disk"],
)
def test_an_engine_that_does_not_do(
    engine: FakeEngine, says: dict[str, Any], status: int, named: str
) -> None:
    engine.says |= says

    error = refused()

    assert (error.exit_status, error.found) == (status, named)
    assert engine.told == []


def test_an_image_that_is_nowhere(engine: FakeEngine) -> None:
    engine.says |= {"DockerRootDir": "/nowhere"}
    del engine.images["redis:7.2.5"]

    error = refused()

    assert error.exit_status == 85
    assert "image redis:7.2.5 is not on the engine and cannot be pulled: manifest unknown" in error.found
    assert [path.partition("?")[0].rpartition("/images/")[2] for path in engine.told] == ["create"]


def test_an_image_of_another_version(engine: FakeEngine) -> None:
    engine.images["rocketchat/rocket.chat:7.7.1"] = ["RC_VERSION=6.4.8"]

    error = refused()

    assert (error.exit_status, error.found) == (86, "image rocketchat/rocket.chat:7.7.1 holds 6.4.8")
    assert engine.told == []


@pytest.mark.parametrize("lacking", ["syntax", "mongo"])
def test_a_compose_file_that_does_not_do(
    engine: FakeEngine, lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = yaml.safe_load(compose.COMPOSE_FILE.read_text("utf-8"))
    raw["services"].pop(lacking, None)
    path = tmp_path / "compose.yml"
    path.write_text("services:\n  redis: [\n" if lacking == "syntax" else yaml.safe_dump(raw), "utf-8")
    monkeypatch.setenv("BESEDKA_COMPOSE_FILE", str(path))

    error = refused()

    assert error.exit_status == 88
    assert error.found.startswith("a syntax error" if lacking == "syntax" else "no service 'mongo'")
    assert str(path) in error.where
    assert engine.told == []


def test_a_run_ends_with_that_message_alone(engine: FakeEngine, subject: Path) -> None:
    engine.says |= {"Version": "19.03.8"}
    subject.write_text("def test_needs(stack): pass\n", "utf-8")

    finished = inner.run(str(subject), "--stack=containers")

    output = finished.stdout + finished.stderr
    assert finished.returncode == 82, output
    assert output.count("found: ") == 1
    assert "Traceback" not in output
    assert "FAILED" not in output
    assert engine.told == []
