"""The journal: what every change found before it, on disk before the change is made.

One file per apply, JSON lines: a head, then per change `planned` (flushed to the disk before the write),
`done`, and on the way back `undone`. `applied` and `closed` end a file. Whatever moment a process dies at, at
most one change is planned and not known to be done. Secrets are encrypted (besedka/provision/encryption.py).
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from besedka.contract import PROJECT_ROOT
from besedka.provision.action import Action
from besedka.provision.encryption import Cipher
from besedka.provision.errors import JournalError, OtherServerError

# Where the commands and attached runs keep their journals.
JOURNAL_FOLDER = PROJECT_ROOT / ".besedka" / "journal"
FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One change of the journal. `state` is planned, done or undone; `made` what the change made."""

    number: int
    action: Action
    state: str
    made: dict[str, Any]


class Journal:
    """One file of the journal, open for one apply or its undo."""

    def __init__(self, path: Path, chat_url: str, cipher: Cipher, server_id: str = "") -> None:
        self.path = path
        self.chat_url = chat_url
        self._server_id = server_id
        self._cipher = cipher
        self._number = 0

    @classmethod
    def fresh(cls, folder: Path, chat_url: str, password: str, server_id: str) -> Self:
        """A new file, named by the time; it appears on disk with the first change."""
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}.jsonl"
        return cls(folder / name, chat_url, Cipher(password), server_id)

    def planned(self, action: Action) -> int:
        """Note what is about to be done; returns once that is on the disk. The number names the entry."""
        if self._number == 0:
            head = {"event": "head", "format": FORMAT, "chat_url": self.chat_url, "server": self._server_id}
            self._write(head | {"time": datetime.now(UTC).isoformat()})
        self._number += 1
        row = {"kind": action.kind, "target": action.target, "secret": action.secret, "why": action.why}
        values = {name: self._closed(action, getattr(action, name)) for name in ("before", "after")}
        self._write({"event": "planned", "n": self._number, "time": time.time()} | row | values, to_disk=True)
        return self._number

    def done(self, number: int, made: dict[str, Any]) -> None:
        """Note that the change was made."""
        self._write({"event": "done", "n": number, "made": made})

    def undone(self, number: int) -> None:
        """Note that the change was taken back."""
        self._write({"event": "undone", "n": number})

    def applied(self) -> None:
        """Note that the apply came to its end, if it changed anything."""
        if self._number:
            self._write({"event": "applied"}, to_disk=True)

    def closed(self) -> None:
        """Note that there is nothing more to take back."""
        self._write({"event": "closed"}, to_disk=True)

    def entries(self) -> list[Entry]:
        """Every change of the file, in the order made; raises JournalError for a line nobody can read."""
        found: dict[int, Entry] = {}
        for row in self.rows():
            number = int(row.get("n", 0))
            if row["event"] == "planned":
                values = {name: self._opened(row, name) for name in ("before", "after")}
                more = {"secret": row["secret"], "why": row.get("why", "")}
                action = Action(row["kind"], row["target"], **values, **more)
                found[number] = Entry(number, action, "planned", {})
            elif row["event"] == "done":
                found[number] = replace(found[number], state="done", made=row["made"])
            elif row["event"] == "undone":
                found[number] = replace(found[number], state="undone")
        return list(found.values())

    def demand_server(self, server_id: str) -> None:
        """Raise OtherServerError unless the changes were made to that server (`uniqueID`)."""
        noted = next(self.rows(), {}).get("server")
        if noted and noted != server_id:
            raise OtherServerError(
                f"Rocket.Chat {server_id} answers at {self.chat_url}",
                expected=f"the one that the apply has changed, {noted}",
                where=str(self.path),
                next_step="start that one again, or leave its journal: this server never got the changes",
            )

    def in_doubt_since(self) -> float | None:
        """When a change was planned that may or may not have been made; None if there is none."""
        open_changes: dict[int, float] = {}
        for row in self.rows():
            if row["event"] == "planned":
                open_changes[row["n"]] = row["time"]
            elif "n" in row:
                open_changes.pop(row["n"], None)
        return max(open_changes.values(), default=None)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines of the file. A last line without its end never led to a write, and does not count."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._problem(f"the journal cannot be read: {error}") from error
        for index, line in enumerate(text.split("\n")[:-1], start=1):
            try:
                row = json.loads(line)
                row["event"]
            except (ValueError, KeyError, TypeError) as error:
                raise self._problem(f"line {index} of the journal is damaged") from error
            yield row

    def _write(self, row: dict[str, Any], *, to_disk: bool = False) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._drop_torn_line()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                if to_disk:
                    os.fsync(file.fileno())
        except OSError as error:
            raise self._problem(f"the journal cannot be written: {error.strerror}") from error

    def _drop_torn_line(self) -> None:
        """Cut off what a killed writer left behind the last line end."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                return
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)

    def _closed(self, action: Action, value: Any) -> Any:
        return {"sealed": self._cipher.encrypt(value)} if action.secret and value else value

    def _opened(self, row: dict[str, Any], name: str) -> Any:
        value = row[name]
        return self._cipher.decrypt(value["sealed"]) if row["secret"] and isinstance(value, dict) else value

    def _problem(self, found: str) -> JournalError:
        return JournalError(
            found,
            expected="a file this user may read and write, one JSON object per line",
            where=str(self.path),
            next_step="free the disk or mend the file; what is not in the journal is not changed",
        )


def pending(folder: Path, chat_url: str, password: str) -> list[Journal]:
    """The journals that an undo takes back now, newest first.

    That is the last apply which is not undone, with the interrupted ones right before it: together they are
    what brought the stack from its last settled state to here.
    """
    chosen: list[Journal] = []
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        journal = Journal(path, chat_url, Cipher(password))
        rows = list(journal.rows())
        events = {row["event"] for row in rows}
        if not rows or rows[0].get("chat_url") != chat_url or "closed" in events:
            continue
        if "applied" in events and chosen:
            break
        chosen.append(journal)
    return chosen
