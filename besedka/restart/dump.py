"""A dump: a folder with both databases, and a manifest of digests and inventory, written last."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from besedka.restart import mongo_dump, site_dump
from besedka.restart.errors import DumpDamagedError, NoRoomError
from besedka.restart.inventory import Inventory
from besedka.restart.services import Services

FORMAT = 2
MANIFEST = "manifest.json"
# As `taken` names them: the day, the time (UTC), and four characters by chance.
NAMES = "[0-9]*-[0-9]*-????"
# Documents are dumped uncompressed; what is over leaves the databases room to start again.
SPARE_BYTES = 64 * 1024 * 1024


def write_whole(path: Path, text: str) -> None:
    """Write a file so that after a crash it is the old one or the new one."""
    fresh = path.with_suffix(".fresh")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def check_room(folder: Path, mongo_url: str, site_url: str) -> None:
    """Raise NoRoomError unless the disk takes a dump."""
    needed = mongo_dump.size(mongo_url) + site_dump.size(site_url) + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise _no_room(f"{free // 2**20} MiB free", folder, f"{needed // 2**20} MiB for the dump")


@dataclass(frozen=True)
class Dump:
    """A dump whose manifest was read."""

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def taken(cls, dumps: Path, mongo_url: str, site_url: str, services: Services) -> Self:
        """Dump both databases into a new folder below `dumps`. An unfinished one is removed, an older one
        of a killed run too."""
        for old in dumps.glob(NAMES):
            if not (old / MANIFEST).exists():
                shutil.rmtree(old)
        folder = dumps / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        try:
            folder.mkdir(parents=True, mode=0o700)
            inventory = Inventory()
            site = folder / ("site.sqlite3" if site_dump.is_sqlite(site_url) else "site.sql")
            site_dump.write(site_url, site, services, inventory)
            rows = mongo_dump.write(mongo_url, folder / "mongo", inventory)
            files = {
                str(path.relative_to(folder)): _digest(path) for path in folder.rglob("*") if path.is_file()
            }
            manifest = {"format": FORMAT, "site": site.name, "mongo": rows, "files": files}
            manifest["stock"] = inventory.to_json()
            write_whole(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise _no_room(f"the dump could not be written: {error.strerror}", folder, "room") from error
            raise
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, manifest)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The dump in that folder, every file compared with its digest; DumpDamagedError names the first."""
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            Inventory.from_json(manifest["stock"])
            files, version = dict(manifest["files"]), manifest["format"]
            named = {manifest["site"], *(f"mongo/{row['file']}" for row in manifest["mongo"])}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            raise _damaged(f"its {MANIFEST} cannot be read: {reason}", folder) from error
        if version != FORMAT or named != files.keys():
            raise _damaged(f"its {MANIFEST} does not go with its files, or is of format {version}", folder)
        for name, digest in files.items():
            path = folder / name
            if not path.is_file():
                raise _damaged(f"{name} is missing", folder)
            if _digest(path) != digest:
                raise _damaged(f"{name} is not the file that was written", folder)
        return cls(folder, manifest)

    @property
    def inventory(self) -> Inventory:
        """What it holds."""
        return Inventory.from_json(self.manifest["stock"])

    def bring_back(self, mongo_url: str, site_url: str, services: Services) -> None:
        """Make both databases what the dump says; may be repeated."""
        site_dump.read(site_url, self.folder / self.manifest["site"], services)
        mongo_dump.read(mongo_url, self.folder / "mongo", list(self.manifest["mongo"]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(found: str, folder: Path) -> DumpDamagedError:
    return DumpDamagedError(
        f"the dump cannot be used: {found}",
        expected="a folder as a restart wrote it",
        where=str(folder),
        next_step="name another dump; nothing was stopped or changed",
    )


def _no_room(found: str, folder: Path, expected: str) -> NoRoomError:
    return NoRoomError(
        found,
        expected=expected,
        where=str(folder),
        next_step="free the disk, e.g. remove old dumps; nothing was stopped",
    )
