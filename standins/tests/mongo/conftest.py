"""A MongoDB stand-in for these tests alone: own folder, free port, ready when it prints where it listens.

With `--mongod=PATH` what any server can be asked goes to that mongod. What only a server of our own can be
asked asks for `standin` and stays with the stand-in. Examples are to be killed and to be sent rubbish.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pymongo
import pytest

from besedka.stacks.process.ports import free_port
from besedka.stacks.services import mongod

ROOT = Path(__file__).parents[3]


class Standin:
    """One server process over `data`; `start` waits for its ready line, so nothing sleeps or polls."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self.data, self.port = data, port

    def start(self) -> "Standin":
        command = [sys.executable, "-m", "standins.mongo", "--port", str(self.port), "--data", str(self.data)]
        self.process = subprocess.Popen(
            [*command, "--replica-set", "rs0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            if "listening on" in line:
                self.port = int(line.rpartition(":")[2])
                return self
        raise AssertionError(f"the stand-in did not start: {self.log}")

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0&serverSelectionTimeoutMS=5000"

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        status = self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        return status


@pytest.fixture
def make_standin(tmp_path: Path) -> Iterator[Callable[[], Standin]]:
    """A factory of fresh, started servers, all stopped at the end."""
    made: list[Standin] = []

    def make() -> Standin:
        made.append(Standin(tmp_path / f"data{len(made)}").start())
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    server = Standin(tmp_path_factory.mktemp("mongo")).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def mongo_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server under test: the stand-in, or a mongod of its own where `--mongod` names one."""
    named = request.config.getoption("--mongod")
    if not named:
        own: Standin = request.getfixturevalue("standin")
        yield own.url
        return
    folder, port = tmp_path_factory.mktemp("mongod"), free_port()
    server = mongod.start(mongod.find(named), port=port, data=folder / "data", log=folder / "log")
    try:
        server.wait_until(lambda: mongod.is_primary(port), budget=60, expected="a writable primary")
        yield mongod.url(port, "besedka_contract")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def client(mongo_url: str) -> Iterator[pymongo.MongoClient]:
    client: pymongo.MongoClient = pymongo.MongoClient(mongo_url)
    with client:
        yield client
        client.drop_database("besedka_contract")


@pytest.fixture
def things(client: pymongo.MongoClient) -> pymongo.collection.Collection:
    """An empty collection."""
    collection = client["besedka_contract"]["things"]
    collection.drop()
    return collection
