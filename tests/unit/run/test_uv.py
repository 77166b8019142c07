"""Where uv comes from, what it is told of pip's configuration, and what its errors are told as."""

import functools
import hashlib
import http.server
import io
import os
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import pip_settings, uv
from bootstrap.errors import Status, failure

PROGRAM = b"#!/bin/sh\necho uv 9.9.9\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No configuration of this machine's, and no uv of it."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "SSL_CERT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    return monkeypatch


@pytest.fixture
def index(tmp_path: Path, settings: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index of one wheel, uv's for this machine, served on a port of its own."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as wheel:
        name = "uv.exe" if sys.platform == "win32" else "uv"
        wheel.writestr(f"uv-{uv.VERSION}.data/scripts/{name}", PROGRAM)
    tag = "tag"
    digest = hashlib.sha256(made.getvalue()).hexdigest()
    settings.setattr(uv, "WHEELS", dict.fromkeys(uv.WHEELS, (tag, digest)))
    root = tmp_path / "index"
    file = f"uv-{uv.VERSION}-py3-none-{tag}.whl"
    (root / "files").mkdir(parents=True)
    (root / "files" / file).write_bytes(made.getvalue())
    (root / "simple" / "uv").mkdir(parents=True)
    (root / "simple" / "uv" / "index.html").write_text(
        f'<a href="../../files/{file}#sha256={digest}">{file}</a>'
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    yield root
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_fetched_into_the_project_and_leaves_nothing(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "project" / ".besedka" / "uv"
    with uv.installed(folder) as found:
        assert found is not None
        assert Path(found.program).is_relative_to(folder)
        assert Path(found.program).read_bytes() == PROGRAM
        assert os.access(found.program, os.X_OK)
    assert not folder.parent.exists()


def test_another_file_of_that_name_is_not_run(
    tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wheel in (index / "files").iterdir():
        wheel.write_bytes(wheel.read_bytes() + b"\n")
    with uv.installed(tmp_path / "uv") as found:
        assert found is None
    assert "not the one we know" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["network", "wheel", "platform", "leave"])
def test_without_it_pip_takes_its_place(
    tmp_path: Path,
    index: Path,
    settings: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: str,
) -> None:
    match missing:
        case "network":
            settings.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
        case "wheel":
            (index / "simple" / "uv" / "index.html").write_text("nothing")
        case "platform":
            settings.setattr(uv, "WHEELS", {})
        case "leave":
            settings.setenv("PIP_NO_INDEX", "1")
    with uv.installed(tmp_path / "uv") as found:
        assert found is None
    said = capsys.readouterr().err
    assert missing == "platform" or "pip takes its place" in said
    assert all(len(line) < 200 for line in said.splitlines())


@pytest.mark.skipif("sys.platform == 'win32'", reason="the programs here are shell scripts")
@pytest.mark.parametrize(("version", "taken"), [("9.9.9", True), ("0.1.2", False), ("nonsense", False)])
def test_one_on_path_is_taken_if_it_is_new_enough(
    tmp_path: Path, index: Path, settings: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    own = tmp_path / "bin" / "uv"
    own.parent.mkdir()
    own.write_text(f"#!/bin/sh\necho uv {version}\n")
    own.chmod(0o755)
    settings.setenv("PATH", str(own.parent))
    with uv.installed(tmp_path / "uv") as found:
        assert found is not None
        assert (found.program == str(own)) is taken


def test_it_looks_where_pip_would_look(tmp_path: Path, settings: pytest.MonkeyPatch) -> None:
    there = tmp_path / "wheels"
    there.mkdir()
    file = tmp_path / "pip.conf"
    file.write_text(
        f"[global]\nindex-url = https://one/simple\nfind-links =\n  {there}\n  {tmp_path / 'gone'}\n"
        "[install]\nextra-index-url = https://two/simple\n  https://three/simple\ncert = /a/bundle.pem\n"
    )
    settings.setenv("PIP_CONFIG_FILE", str(file))
    settings.setenv("PIP_INDEX_URL", "https://mine/simple")
    found = pip_settings.for_uv()
    assert found["UV_DEFAULT_INDEX"] == "https://mine/simple"
    assert found["UV_INDEX"] == "https://two/simple https://three/simple"
    assert found["UV_FIND_LINKS"] == str(there)
    assert found["SSL_CERT_FILE"] == "/a/bundle.pem"

    settings.setenv("UV_DEFAULT_INDEX", "https://what-uv-was-told/simple")
    assert "UV_DEFAULT_INDEX" not in pip_settings.for_uv()


def test_a_home_that_cannot_be_written_to_costs_only_the_cache(
    tmp_path: Path, settings: pytest.MonkeyPatch
) -> None:
    settings.setenv("UV_CACHE_DIR", str(tmp_path / "home" / "cache"))
    assert uv.Uv("uv", "uv", tmp_path).environment["UV_CACHE_DIR"] == str(tmp_path / "home" / "cache")
    (tmp_path / "no home").touch()
    settings.setenv("UV_CACHE_DIR", str(tmp_path / "no home" / "cache"))
    assert uv.Uv("uv", "uv", tmp_path).environment["UV_CACHE_DIR"] == str(tmp_path / "cache")


def test_a_configuration_that_cannot_be_read_is_passed_by(
    tmp_path: Path, settings: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pip.conf"
    file.write_bytes(b"no section = \xff\n")
    settings.setenv("PIP_CONFIG_FILE", str(file))
    assert "UV_DEFAULT_INDEX" not in pip_settings.for_uv()


@pytest.mark.parametrize(
    ("output", "status"),
    [
        # As uv 0.13.9 prints them.
        (
            "error: Failed to download `idna==3.20`\n  cause: Hash mismatch for `idna==3.20`\n\n"
            "         Expected:\n           sha256:00\n\n         Computed:\n           sha256:ff",
            Status.BAD_HASH,
        ),
        (
            "error: Request failed after 3 retries in 11.4s\n"
            "  cause: Failed to fetch: http://127.0.0.1:1/simple/idna/\n"
            "  cause: error sending request for url (http://127.0.0.1:1/simple/idna/)",
            Status.NO_NETWORK,
        ),
        (
            "error: No solution found when resolving dependencies\n"
            "  cause: Because there is no version of idna==99 and you require idna==99, we can conclude …",
            Status.NO_MATCH,
        ),
        (
            "error: Failed to download `idna==3.20`\n  cause: Failed to extract archive: idna.whl\n"
            "  cause: failed to write to file `/x`: No space left on device (os error 28)",
            Status.NO_SPACE,
        ),
        (
            "error: failed to create directory `/x`: Read-only file system (os error 30)",
            Status.NOT_WRITABLE,
        ),
    ],
)
def test_its_errors_lead_to_the_same_statuses_as_those_of_pip(output: str, status: Status) -> None:
    error = failure(output, "here")
    assert error.status is status
    assert all(error.rows.values())
