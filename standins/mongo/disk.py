"""What survives the process: one SQLite file of BSON rows, held exclusively: two servers never share it.

What `commit()` has returned for outlives the process, `kill -9` included. It need not outlive a power cut:
with `synchronous=NORMAL` the last commits may still be in the operating system's cache.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bson

# A session's last reply matters for a driver's retry, seconds after; a thousand are plenty to start with.
SCHEMA = """
PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS rows (kind TEXT, space TEXT, id BLOB, body BLOB, UNIQUE (kind, space, id));
DELETE FROM rows WHERE kind = 'reply' AND rowid NOT IN
    (SELECT rowid FROM rows WHERE kind = 'reply' ORDER BY rowid DESC LIMIT 1000);
"""
SAVE = "INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT (kind, space, id) DO UPDATE SET body = excluded.body"


class Disk:
    """Rows of a `kind` in a `space` (`database.collection`), in order of insertion. Raises sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "standin.sqlite", timeout=0.2)
        self._db.executescript(SCHEMA)
        self.commit, self.rollback, self.close = self._db.commit, self._db.rollback, self._db.close

    def save(self, kind: str, space: str, identity: Any, body: bytes) -> None:
        self._db.execute(SAVE, (kind, space, bson.encode({"": identity}), body))

    def forget(self, kind: str, space: str, identity: Any) -> None:
        where = (kind, space, bson.encode({"": identity}))
        self._db.execute("DELETE FROM rows WHERE kind = ? AND space = ? AND id = ?", where)

    def clear(self, space: str) -> None:
        self._db.execute("DELETE FROM rows WHERE space = ?", (space,))

    def rows(self, kind: str) -> Iterable[tuple[str, bytes]]:
        return self._db.execute("SELECT space, body FROM rows WHERE kind = ? ORDER BY rowid", (kind,))

    def row(self, kind: str, identity: Any) -> bytes | None:
        where = (kind, bson.encode({"": identity}))
        found = self._db.execute("SELECT body FROM rows WHERE kind = ? AND id = ?", where).fetchone()
        return found[0] if found else None
