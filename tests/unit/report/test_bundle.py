"""The archive of a run that is sent to somebody: no secret, a list, and nothing that could not be read."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from besedka import cli, contract
from besedka.report.bundle import LIST, VERSIONS, Bundle, UnreadableError, cleaned, write
from besedka.scrub import Scrubber
from tests.unit.report import runs

CANARY = "canary-of-the-coal-mine"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(*more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"".join([b"\x89PNG\r\n\x1a\n", head, *more, pixel, chunk(b"IEND", b"")])


def zipped(**entries: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with a canary in everything, and with what no scrubber can read."""
    folder, evidence = tmp_path / "run", tmp_path / "run" / "evidence" / "t"
    evidence.mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "site").mkdir()
    runs.run(trouble=f"it said {CANARY}").write(folder)
    (folder / "logs" / "site.log").write_text(f"password={CANARY}", "utf-8")
    (folder / "site" / "environment.json").write_text(CANARY, "utf-8")
    (evidence / "network-1.har").write_text(f'{{"token": "{CANARY}"}}', "utf-8")
    (evidence / "screenshot-1-1.png").write_bytes(picture(chunk(b"tEXt", CANARY.encode())) + CANARY.encode())
    inner = zipped(a=CANARY.encode(), b=b"\xff\xfe" + CANARY.encode())
    (evidence / "trace-1.zip").write_bytes(zipped(trace=CANARY.encode(), more=inner, film=b"\xff\xd8jpeg"))
    (evidence / "core").write_bytes(b"\x7fELF\xff" + CANARY.encode())
    (evidence / "zeros.txt").write_bytes(b"\0" + CANARY.encode())
    (evidence / "broken.zip").write_bytes(zipped(a=b"a")[:-30] + CANARY.encode())
    (evidence / "cut.png").write_bytes(picture()[:-6])
    (tmp_path / "outside.txt").write_text(CANARY, "utf-8")
    (evidence / "link.txt").symlink_to(tmp_path / "outside.txt")
    return folder


@pytest.fixture
def made(folder: Path, tmp_path: Path) -> tuple[Bundle, zipfile.ZipFile]:
    bundle = write(folder, tmp_path / "bundle.zip", Scrubber([CANARY]))
    return bundle, zipfile.ZipFile(tmp_path / "bundle.zip")


def everything(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Every file of the archive, those of archives in it included."""
    found: dict[str, bytes] = {}
    for name in archive.namelist():
        data = archive.read(name)
        inside = everything(zipfile.ZipFile(io.BytesIO(data))) if data.startswith(b"PK") else {"": data}
        found |= {f"{name}/{below}": text for below, text in inside.items()}
    return found


def test_no_secret_is_in_it(made: tuple[Bundle, zipfile.ZipFile]) -> None:
    found = everything(made[1])

    assert len(found) >= 8
    assert [name for name, data in found.items() if CANARY.encode() in data] == []


def test_what_could_not_be_read_is_named_and_not_in_it(made: tuple[Bundle, zipfile.ZipFile]) -> None:
    bundle, archive = made

    names = {"core", "zeros.txt", "broken.zip", "cut.png", "link.txt"}
    assert {name.rpartition("/")[2] for name in bundle.left_out} == names
    assert not [name for name in archive.namelist() if name.rpartition("/")[2] in names]
    told = archive.read(LIST).decode()
    assert all(name in told for name in names)
    assert "it leads out of the run's folder" in told


def test_the_list_names_what_is_in_it(made: tuple[Bundle, zipfile.ZipFile]) -> None:
    bundle, archive = made

    assert set(archive.namelist()) == {*bundle.included, LIST}
    for name in ("run.json", "logs/site.log", "evidence/t/network-1.har", VERSIONS):
        assert name in bundle.included
        assert name in archive.read(LIST).decode()
    assert b"pytest " in archive.read(VERSIONS)
    assert not [name for name in archive.namelist() if name.startswith("site/")], "the site's secrets"


def test_an_archive_says_what_was_taken_out_of_it() -> None:
    data = cleaned(zipped(trace=b"text", film=b"\xff\xd8jpeg"), Scrubber())

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["trace", "LEFT-OUT.txt"]
        assert b"film: neither" in archive.read("LEFT-OUT.txt")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_file_without_the_right_to_read_is_left_out(folder: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        with pytest.raises(UnreadableError, match="neither text"):
            cleaned(b"\xff", Scrubber())
        return
    (folder / "logs" / "site.log").chmod(0)

    assert "logs/site.log" in write(folder, tmp_path / "b.zip", Scrubber()).left_out


def test_the_command_makes_one_without_the_contracts_secrets(folder: Path, tmp_path: Path) -> None:
    secret = next(iter(contract.load().secrets))
    (folder / "logs" / "site.log").write_text(f"it was {secret}", "utf-8")
    path = tmp_path / "sent.zip"

    shown = CliRunner().invoke(cli.app, ["bundle", str(folder), "--to", str(path)])

    assert shown.exit_code == 0, shown.output
    assert "logs/site.log" in shown.output
    assert "Left out:" in shown.output
    assert zipfile.ZipFile(path).read("logs/site.log") == b"it was ***"
