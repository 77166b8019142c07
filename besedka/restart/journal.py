"""How far a restart has come. It is on disk before each step: the next run goes on where one died."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from besedka.restart.dump import write_whole
from besedka.restart.errors import RestartStateError
from besedka.restart.inventory import Inventory
from besedka.restart.services import ORDER

FILE, INVENTORY, LOCK = "journal.json", "stock.json", "lock"


# What a restore has to do again, and what then counts as not yet done.
_AFTER_A_RESTORE = {"restored", "prepare"}


@dataclass
class Journal:
    """The steps that were reached. `services` are those to restart, `all` whether the site is too."""

    folder: Path
    services: list[str] = field(default_factory=list)
    all: bool = False
    restore: str = ""
    dump: str = ""
    steps: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, folder: Path) -> Journal:
        """The journal of an interrupted run, or a new one."""
        path = folder / FILE
        if not path.exists():
            return cls(folder)
        try:
            return cls(folder, **json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise _problem(
                f"the journal cannot be read: {error}", path, "--afresh leaves it aside"
            ) from error

    def note(self, step: str) -> None:
        """Write down that this step is reached; returns once that is on the disk."""
        if step not in self.steps:
            self.steps.append(step)
        rows = asdict(self)
        del rows["folder"]
        try:
            write_whole(self.folder / FILE, json.dumps(rows))
        except OSError as error:
            raise _problem(f"cannot be written: {error.strerror}", self.folder, "free the disk") from error

    def choose(self, only: Sequence[str], restore: Path | None) -> None:
        """Add to what an interrupted run was to do: these services, all for none; a dump to bring back."""
        if restore is not None:
            self.ask_for(restore.resolve())
        chosen = set(self.services) | set(only or ORDER)
        if "mongo" in chosen or self.restore:
            chosen.add("rocketchat")  # it does not outlive the connection to its oplog, and must not write
        self.services = [name for name in ORDER if name in chosen]
        self.all = self.all or not only or bool(self.restore)

    def ask_for(self, dump: Path) -> None:
        """Bring this dump back, even if an interrupted run has brought one back: the user asks anew."""
        self.restore = str(dump)
        self.steps = [step for step in self.steps if step not in _AFTER_A_RESTORE]

    def keep_inventory(self, inventory: Inventory) -> None:
        """Write the inventory down; the note `counted` makes it count."""
        write_whole(self.folder / INVENTORY, json.dumps(inventory.to_json(), ensure_ascii=False))

    def inventory(self) -> Inventory:
        """The inventory of before."""
        try:
            return Inventory.from_json(json.loads((self.folder / INVENTORY).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            where = self.folder / INVENTORY
            raise _problem("the inventory of before cannot be read", where, "--afresh counts anew") from error

    def close(self) -> None:
        """There is nothing to go on with any more."""
        (self.folder / FILE).unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let nobody else restart the same stack meanwhile; the system lets go when the process dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield
    except sqlite3.OperationalError as error:
        raise _problem(f"another restart is going on ({error})", folder, "wait for it to end") from error


def _problem(found: str, where: Path, next_step: str) -> RestartStateError:
    return RestartStateError(
        found, expected="a journal of this restart alone", where=str(where), next_step=next_step
    )
