"""`--mongod=download`: an archive of this machine's own server stands in for the vendor's."""

from __future__ import annotations

import hashlib
import io
import re
import socket
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka.errors import StackStartError
from besedka.stacks import versions
from besedka.stacks.process.ports import free_port
from besedka.stacks.services import mongod_download, options
from tests.unit.stacks import made_up

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="the made-up mongod is a script")

SERIES = ("5.0", "6.0", "7.0")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return pack(folder / "mongodb.tgz", "mongodb-7.0.14/bin/mongod", made_up.mongod(tmp_path).read_bytes())


@pytest.fixture
def address(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the archive is, instead of its vendor's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(archive.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{archive.name}"
    monkeypatch.setenv(mongod_download.ADDRESS_ENV, url)
    monkeypatch.setenv("no_proxy", "*")
    yield url
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mongod_download, "FOLDER", tmp_path / "kept")
    return tmp_path / "kept"


def pack(archive: Path, name: str, text: bytes) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        row = tarfile.TarInfo(name)
        row.size, row.mode = len(text), 0o755
        tar.addfile(row, io.BytesIO(text))
    return archive


def test_it_is_fetched_once(address: str, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    wanted = options.ServiceOptions("download", "none", "none")
    first = options.find(wanted, contracts.load(), say=said.append).mongod
    assert first is not None
    assert Path(first).read_bytes() == made_up.mongod(archive.parent.parent).read_bytes()
    assert len(said) == 1
    archive.unlink()

    second = options.find(wanted, contracts.load(), say=said.append).mongod

    assert second == first
    assert len(said) == 1, "it was fetched again"


def test_nothing_is_fetched_unasked(address: str, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(kept))

    assert (
        options.find(options.ServiceOptions(None, "none", "none"), contracts.load(), say=print).mongod is None
    )
    assert not kept.exists()


def failure(kept: Path, budget: float = 60.0, series: tuple[str, ...] = SERIES) -> StackStartError:
    with pytest.raises(StackStartError) as error:
        mongod_download.fetched(series, print, budget=budget)
    assert error.value.where == "--mongod=download"
    assert "--mongod PATH" in error.value.next_step
    assert "\n" not in error.value.found
    assert not list(kept.glob("*")), "half a download was kept"
    return error.value


def test_an_archive_that_is_not_there(address: str, archive: Path, kept: Path) -> None:
    archive.unlink()

    assert f"{address}: 404" in failure(kept).found


def test_nobody_there(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mongod_download.ADDRESS_ENV, f"http://127.0.0.1:{free_port()}/mongodb.tgz")

    assert "refused" in failure(kept).found


def test_a_silent_network_has_an_end(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(mongod_download.ADDRESS_ENV, f"http://127.0.0.1:{silent.getsockname()[1]}/")

        assert "timed out" in failure(kept, budget=1).found


def test_half_an_archive(address: str, archive: Path, kept: Path) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])

    assert "could not be downloaded" in failure(kept).found


def test_an_archive_of_something_else(address: str, archive: Path, kept: Path) -> None:
    pack(archive, "mongodb-7.0.14/README", b"nothing to run")

    assert "the archive holds no mongod" in failure(kept).found


def test_another_file_than_the_one_that_is_known(
    address: str, archive: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setenv(mongod_download.ADDRESS_ENV, f"{address}#sha256={'0' * 64}")
    assert f"has SHA-256 {right} and not {'0' * 64}" in failure(kept).found

    monkeypatch.setenv(mongod_download.ADDRESS_ENV, f"{address}#sha256={right}")
    assert Path(mongod_download.fetched(SERIES, print)).stat().st_mode & 0o100


@pytest.mark.parametrize(("system", "series"), [("plan9 mips", SERIES), ("linux x86_64", ("5.0", "6.0"))])
def test_a_system_without_an_archive_gets_no_other_series(
    system: str, series: tuple[str, ...], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(mongod_download.ADDRESS_ENV, raising=False)
    monkeypatch.setattr(mongod_download, "_system", lambda: system)

    assert f"no archive is known for {system}" in failure(kept, series=series).found


def test_the_table_holds_hashes_and_a_series_of_each_kept_version() -> None:
    table = mongod_download.archives()
    for rows in table.values():
        for archive in rows.values():
            assert re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
            assert archive.version in archive.url
    # Every Rocket.Chat from 7.0 on has a server among them.
    for pair in versions.PAIRS:
        if pair.since >= (7, 0):
            assert any(version.startswith(pair.mongo_series) for version in table)
