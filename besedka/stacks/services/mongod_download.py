"""`--mongod=download`: MongoDB's own server, from the table of archives in mongod_archives.toml.

An archive whose SHA-256 differs from the table's is not unpacked. Of one that ADDRESS_ENV names, the hash is
compared where the address ends in `#sha256=…`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tarfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag

import requests

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.progress import Say

WISH = "download"
FOLDER = PROJECT_ROOT / ".besedka" / "mongod"
# An archive has some 100 MB.
BUDGET_SECONDS = 600.0
SILENCE_SECONDS = 20.0
# An archive at another address, such as a mirror's.
ADDRESS_ENV = "BESEDKA_MONGOD_URL"
_TABLE = Path(__file__).with_name("mongod_archives.toml")
_MACHINES = {"amd64": "x86_64"}
_BLOCK = 2**20


@dataclass(frozen=True)
class Archive:
    """A packed server. `sha256` is "" where nobody has told it."""

    version: str
    url: str
    sha256: str


def fetched(series: Sequence[str], say: Say, *, budget: float = BUDGET_SECONDS) -> str:
    """Path of a downloaded `mongod` of one of those series, the last ones preferred; kept for the next run.

    Raises StackStartError after `budget` seconds, and when nothing fits or the network does not let it.
    """
    archive = _archive(series)
    place = FOLDER / archive.version
    program = place / "mongod"
    if not program.exists():
        say(f"  mongo       downloading a server ({archive.version}) …")
        draft = place.with_name(f"draft-{os.getpid()}-{place.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            _download(archive, draft / "archive.tgz", series, time.monotonic() + budget)
            _unpack(draft / "archive.tgz", draft / "mongod", series)
            (draft / "archive.tgz").unlink()
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return str(program)


def archives() -> dict[str, dict[str, Archive]]:
    """The table: version → system → archive."""
    raw = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    base = raw.pop("base")
    return {
        version: {
            system: Archive(version, f"{base}/{row['path']}", row["sha256"]) for system, row in rows.items()
        }
        for version, rows in raw.items()
    }


def _archive(series: Sequence[str]) -> Archive:
    """The archive to take. Raises StackStartError where the table has none."""
    if named := os.environ.get(ADDRESS_ENV):
        url, told = urldefrag(named)
        name = hashlib.sha256(named.encode()).hexdigest()[:16]
        return Archive(name, url, told.removeprefix("sha256="))
    for one in reversed(series):
        for version, rows in archives().items():
            if version.startswith(f"{one}.") and _system() in rows:
                return rows[_system()]
    raise _failed(f"no archive is known for {_system()}", series)


def _download(archive: Archive, file: Path, series: Sequence[str], end: float) -> None:
    digest = hashlib.sha256()
    # The proxies of the environment are heeded: this is no service of a stack.
    silence = min(SILENCE_SECONDS, max(1.0, end - time.monotonic()))
    try:
        with requests.get(archive.url, stream=True, timeout=silence) as answered, file.open("wb") as written:
            answered.raise_for_status()
            for block in answered.iter_content(_BLOCK):
                digest.update(block)
                written.write(block)
                if time.monotonic() > end:
                    raise _failed(f"{archive.url} was not done in time", series)
    except (requests.RequestException, OSError) as error:
        raise _failed(f"{archive.url}: {error}".replace("\n", " "), series) from error
    if archive.sha256 and digest.hexdigest() != archive.sha256:
        raise _failed(f"{archive.url} has SHA-256 {digest.hexdigest()} and not {archive.sha256}", series)


def _unpack(archive: Path, program: Path, series: Sequence[str]) -> None:
    try:
        with tarfile.open(archive) as packed:
            member = next((row for row in packed if row.isfile() and row.name.endswith("/bin/mongod")), None)
            content = packed.extractfile(member) if member else None
            if content is None:
                raise _failed("the archive holds no mongod", series)
            with content, program.open("wb") as written:
                shutil.copyfileobj(content, written)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _failed(f"the archive cannot be read: {error}", series) from error
    program.chmod(0o755)


def _failed(why: str, series: Sequence[str]) -> StackStartError:
    return StackStartError(
        f"MongoDB could not be downloaded: {why}",
        expected=f"an archive with a server of version {', '.join(series)} for {_system()}",
        where="--mongod=download",
        next_step="install MongoDB from its vendor's packages and name it by --mongod PATH; or name an "
        f"archive by {ADDRESS_ENV}; or leave --mongod out and take the stand-in",
    )


def _system() -> str:
    """System and machine as the table names them."""
    machine = platform.machine().lower()
    return f"{sys.platform} {_MACHINES.get(machine, machine)}"
