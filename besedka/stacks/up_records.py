"""Stacks that an `up` runs at this moment, a file each: so that two do not overwrite one another.

An embedded stack lives as long as its `up`, which takes the file away. One in containers has a record of its
own beside (kept.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from besedka.contract import PROJECT_ROOT, Contract
from besedka.stacks.model import Stack

FOLDER = PROJECT_ROOT / ".besedka" / "up"


@dataclass(frozen=True)
class Record:
    """A stack, and a hash of what it was made of."""

    stack: Stack
    made_of: str

    @property
    def dead(self) -> list[str]:
        """Its services that have ended."""
        return [row.name for row in self.stack.services if row.pid and not runs(row.pid)]


def note(stack: Stack, made_of: str) -> None:
    """Write it down, readable by nobody else: database addresses hold passwords."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = _file(stack.run_id)
    file.touch(mode=0o600)
    file.write_text(json.dumps({"stack": stack.to_json(), "made_of": made_of}), encoding="utf-8")


def forget(run_id: str) -> None:
    """Take the record away, if there is one."""
    _file(run_id).unlink(missing_ok=True)


def noted() -> list[Record]:
    """Every record, whether its stack still runs or not; the newest last. One that cannot be read is none."""
    found = []
    for file in sorted(FOLDER.glob("*.json"), key=lambda path: path.name):
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
            found.append(Record(Stack.from_json(raw["stack"]), raw["made_of"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def configuration_hash(contract: Contract, given: Sequence[str]) -> str:
    """A hash of what a new embedded stack would be made of; `given` are the options of the command line."""
    told = [contract.model_dump_json(), *contract.secrets, *given]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for path in sorted((PROJECT_ROOT / "web").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def reusable(contract: Contract, given: Sequence[str]) -> tuple[Stack | None, str]:
    """An embedded stack of an `up` that is what a new one would be. Otherwise None and the reason in
    words.
    """
    records = [record for record in noted() if record.stack.kind == "embedded"]
    wanted, why = configuration_hash(contract, given), "no embedded stack of an `up` runs"
    for record in reversed(records):
        if record.dead:
            why = f"stack {record.stack.run_id}: {', '.join(record.dead)} has ended"
        elif record.made_of != wanted:
            why = f"stack {record.stack.run_id} was started with another configuration"
        else:
            return record.stack, ""
    return None, why


def runs(pid: int) -> bool:
    """Whether that process is there, and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _file(run_id: str) -> Path:
    return FOLDER / f"{run_id}.json"
