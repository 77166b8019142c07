"""PostgreSQL and Redis of this machine as services of an embedded stack."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import requests

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.site_database import SiteDatabase
from besedka.stacks import embedded
from besedka.stacks.process.ports import free_port
from besedka.stacks.services import options, postgres, programs, redis_server
from tests import inner

CONTRACT = contracts.load()
SERVER, NO_SERVER = postgres.find(programs.AUTO)
REDIS, NO_REDIS = redis_server.find(programs.AUTO)
needs_postgres = pytest.mark.skipif(SERVER is None, reason=f"PostgreSQL: {NO_SERVER}")
needs_redis = pytest.mark.skipif(REDIS is None, reason=f"Redis: {NO_REDIS}")
# Stopping waits this long before it kills.
GRACE_SECONDS = 4.0
OWNER = """
import sys, threading
from besedka import contract
from besedka.stacks import embedded
from besedka.stacks.services import options
found = options.find(options.ServiceOptions(), contract.load(), say=lambda line: None)
with embedded.running(contract.load(), programs=found) as running:
    print(running.folder, flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's account reaches; pytest's own is for its owner alone."""
    folder = PROJECT_ROOT / ".besedka" / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def server() -> postgres.Program:
    assert SERVER is not None
    return SERVER


def nothing(_text: str) -> None:
    return


@needs_postgres
@needs_redis
def test_a_stack_takes_both_where_it_finds_them() -> None:
    found = options.find(options.ServiceOptions(), CONTRACT, say=nothing)

    with embedded.running(CONTRACT, programs=found) as running:
        stack = running.stack
        assert stack is not None
        names = {row.name: row for row in stack.services}
        for name in ("postgres", "redis"):
            assert names[name].real
            assert Path(str(names[name].log)).read_text("utf-8")
        assert names["postgres"].version == server().version
        assert stack.absent == {}
        assert stack.site_database_url is not None
        database = SiteDatabase(stack.site_database_url)
        accounts = [user.username for user in database.users()]
        assert sorted(accounts) == sorted(user.username for user in CONTRACT.users)
        assert not list((running.folder / "site").glob("*.sqlite3"))
        for name in ("postgres", "redis"):
            running.restart(name)
            answer = requests.get(f"{stack.site_url}/api/v1/status/", timeout=10)
            assert answer.json()["status"] == "ok", f"after a restart of {name}"
        assert [user.username for user in database.users()] == accounts
        family = inner.processes_of(running.folder)

    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert sorted(path.name for path in running.folder.iterdir()) == ["finished", "journal", "logs"]


@needs_postgres
@needs_redis
def test_a_killed_owner_takes_them_along() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT
    )
    assert owner.stdout is not None
    folder = owner.stdout.readline().strip()
    family = inner.processes_of(folder)
    names = {process.name() for process in family}
    assert {"postgres", "redis-server"} <= names

    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()

    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_without_them_the_stack_says_what_does_their_work() -> None:
    found = options.find(options.ServiceOptions(postgres="none", redis="none"), CONTRACT, say=nothing)

    assert (found.postgres, found.redis) == (None, None)
    assert found.absent == {
        "postgres": "SQLite keeps the site's data (--postgres=none)",
        "redis": "the site's own memory is its cache (--redis=none)",
    }


@needs_postgres
class TestCluster:
    @pytest.fixture
    def made(self, place: Path) -> postgres.Cluster:
        cluster = postgres.Cluster(server(), place / "cluster", port=free_port(), log=place / "log")
        cluster.make()
        return cluster

    def test_a_client_does_not_hold_up_a_stop(self, made: postgres.Cluster) -> None:
        process = made.start()
        made.wait(process, database="postgres")
        with closing(psycopg.connect(made.url.removesuffix(postgres.DATABASE) + "postgres")) as client:
            client.execute("SELECT 1")
            begin = time.monotonic()
            process.stop()
            seconds = time.monotonic() - begin

        assert seconds < GRACE_SECONDS
        assert "database system is shut down" in process.tail()

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel binds a service to its guard on Linux")
    def test_a_killed_guard_takes_every_process_along(self, made: postgres.Cluster) -> None:
        process = made.start()
        made.wait(process, database="postgres")
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 3

        process.kill()

        _gone, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
        # The next start on this data also removes the segment of shared memory that a kill leaves.
        again = made.start()
        made.wait(again, database="postgres")
        again.stop()

    def test_it_listens_on_this_machine_alone(self, made: postgres.Cluster) -> None:
        process = made.start()
        try:
            made.wait(process, database="postgres")
            (server_process,) = psutil.Process(process.pid).children()
            listening = {
                tuple(row.laddr)
                for row in server_process.net_connections()
                if row.status == psutil.CONN_LISTEN
            }
        finally:
            process.stop()

        assert listening == {("127.0.0.1", made.port)}

    def test_a_step_that_fails_is_said_with_its_words(self, place: Path) -> None:
        cluster = postgres.Cluster(server(), place / "cluster", port=free_port(), log=place / "log")

        with pytest.raises(StackStartError, match="cp ended with status 1"):
            cluster.copy(place / "no-template")


@needs_postgres
class TestTemplate:
    @pytest.fixture
    def templates(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(postgres, "TEMPLATES", place)
        return place

    def test_it_is_made_once_and_older_ones_go(self, templates: Path) -> None:
        older, other = f"{server().version}-before", "9.1-another"
        (templates / older).mkdir()
        (templates / other).mkdir()
        asked: list[str] = []

        first = postgres.template(server(), asked.append, say=nothing)
        second = postgres.template(server(), asked.append, say=nothing)

        assert first == second
        assert len(asked) == 1
        kept = {path.name for path in templates.iterdir() if path.is_dir()}
        assert kept == {first.parent.name, other}
        assert not (first / "postmaster.pid").exists(), "it was copied while its server ran"

    def test_one_that_could_not_be_migrated_is_not_kept(self, templates: Path) -> None:
        def fails(url: str) -> None:
            with psycopg.connect(url) as connection:
                connection.execute("SELECT nonsense")

        with pytest.raises(psycopg.Error, match="nonsense"):
            postgres.template(server(), fails, say=nothing)

        assert [path for path in templates.iterdir() if path.is_dir()] == []
        assert inner.processes_of(templates) == []

    def test_other_migrations_are_another_template(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = postgres._fingerprint()
        shutil.copytree(PROJECT_ROOT / "web" / "accounts" / "migrations", place / "web/accounts/migrations")
        monkeypatch.setattr(postgres, "PROJECT_ROOT", place)
        assert postgres._fingerprint() == before, "the same migrations elsewhere"

        (place / "web/accounts/migrations/9999_more.py").touch()

        assert postgres._fingerprint() != before


class TestBadInput:
    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (
                options.ServiceOptions(postgres="/no/such"),
                "--postgres names '/no/such', where there is no PostgreSQL",
            ),
            (
                options.ServiceOptions(redis="/no/such", postgres="none"),
                "--redis names '/no/such', which is not",
            ),
            (options.ServiceOptions(redis=sys.executable, postgres="none"), "and said 'Python 3"),
        ],
        ids=["no-postgres", "no-redis", "not-redis"],
    )
    def test_a_named_program_that_is_none(self, wanted: options.ServiceOptions, expected: str) -> None:
        with pytest.raises(StackStartError) as error:
            options.find(wanted, CONTRACT, say=nothing)

        assert expected in error.value.found
        assert error.value.expected
        assert error.value.where
        assert error.value.next_step

    def test_a_server_that_cannot_be_run(self, tmp_path: Path) -> None:
        for name in ("postgres", "initdb"):
            (tmp_path / name).write_text("#!/bin/sh\necho 'libpq.so.5: cannot open' >&2; exit 127\n", "utf-8")
            (tmp_path / name).chmod(0o755)

        with pytest.raises(StackStartError, match=r"status 127 and said 'libpq\.so\.5: cannot open'"):
            postgres.find(str(tmp_path))

    def test_none_on_this_machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(postgres, "_DEBIAN", tmp_path)

        found = options.find(options.ServiceOptions(), CONTRACT, say=nothing)

        assert "no PostgreSQL server on PATH" in found.absent["postgres"]
        assert "no redis-server on PATH" in found.absent["redis"]

    def test_windows_is_told_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "_WINDOWS", True)

        assert postgres.find(programs.AUTO)[0] is None
        with pytest.raises(StackStartError, match="does not run PostgreSQL on Windows"):
            postgres.find("C:/PostgreSQL/15")

    def test_the_newest_of_debians_is_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for version in ("9.6", "15", "13"):
            folder = tmp_path / version / "bin"
            folder.mkdir(parents=True)
            for name in ("postgres", "initdb"):
                (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n", "utf-8")
                (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(postgres, "_DEBIAN", tmp_path)

        assert postgres._on_this_machine() == tmp_path / "15" / "bin"


@needs_postgres
@pytest.mark.skipif("os.geteuid() != 0", reason="only root has to find another account for PostgreSQL")
class TestRoot:
    def test_it_runs_as_another_account(self) -> None:
        assert server().account is not None
        assert server().account[0] != 0  # type: ignore[index]

    @pytest.mark.parametrize("missing", ["setpriv", "account", "way"])
    def test_where_there_is_none_sqlite_serves_and_the_run_says_why(
        self, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if missing == "setpriv":
            which = shutil.which
            monkeypatch.setattr(
                postgres.shutil, "which", lambda name: None if name == "setpriv" else which(name)
            )
            expected = "there is no setpriv to run it as another user"
        elif missing == "account":
            monkeypatch.setattr(postgres, "_ACCOUNTS", ("nobody-of-that-name",))
            expected = "there is no account nobody-of-that-name"
        else:
            tmp_path.chmod(0o700)
            monkeypatch.setattr(postgres, "TEMPLATES", tmp_path / "templates")
            expected = "cannot reach this folder"

        found = options.find(options.ServiceOptions(redis="none"), CONTRACT, say=nothing)

        assert found.postgres is None
        assert expected in found.absent["postgres"]
        assert "refuses to run as root" in found.absent["postgres"]
        with pytest.raises(StackStartError, match="refuses to run as root"):
            options.find(options.ServiceOptions(postgres=str(server().folder)), CONTRACT, say=nothing)


@needs_redis
def test_redis_keeps_what_it_acknowledged_over_a_restart(tmp_path: Path) -> None:
    assert REDIS is not None
    port = free_port()
    for step in ("write", "read"):
        process = redis_server.start(REDIS, port=port, data=tmp_path / "data", log=tmp_path / "log")
        try:
            redis_server.wait(process, port)
            with redis.Redis.from_url(redis_server.url(port)) as client:
                if step == "write":
                    client.set("word", "kept")
                else:
                    assert client.get("word") == b"kept"
        finally:
            process.stop()
