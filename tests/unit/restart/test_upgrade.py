"""An upgrade goes back to its dump whatever ends a stop, and says where the dump is when it cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from besedka import contract as contracts
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.restart import mongo_dump
from besedka.restart.upgrade import UpgradeFailedError, Workspace, upgraded
from besedka.target import Target

OLD, NEW = "1.0.0", "2.0.0"


@dataclass
class Recorded:
    """A workspace that carries out nothing and remembers what it was told; `ends` ends the first stop."""

    ends: BaseException
    stays_down: bool = False
    contract: Contract = field(default_factory=contracts.load)
    told: list[str] = field(default_factory=list)
    mongo_url: str = "mongodb://nowhere"

    @property
    def target(self) -> Target:
        return Target.of(self.contract)

    def run(self, release: str) -> None:
        self.told.append(f"run {release}")
        if release == NEW:
            raise self.ends

    def run_mongo(self, release: str) -> None:
        self.told.append(f"run_mongo {release}")

    def stop_chat(self) -> None:
        self.told.append("stop_chat")
        if self.stays_down:
            raise OSError("Cannot connect to the Docker daemon")


def _upgrade(workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Try it; returns what was read back from the dump."""
    rows: list[dict[str, Any]] = [{"name": "users"}]
    back: list[str] = []
    monkeypatch.setattr(mongo_dump, "write", lambda *_: rows)
    monkeypatch.setattr(mongo_dump, "read", lambda url, at, given: back.append(f"{at.name} {given == rows}"))
    try:
        upgraded(workspace, [OLD, NEW], folder / "dump", lambda one: "", lambda line: None)
    except UpgradeFailedError as error:
        back.append(error.found)
    return back


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        (AutoReconnect("connection closed"), "AutoReconnect: connection closed"),
        (FileNotFoundError("docker"), "FileNotFoundError: docker"),
        (KeyError("version"), "KeyError: 'version'"),
        (ServiceUnreachableError("no answer"), "no answer"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_ends_a_stop_the_beginning_is_back(
    ends: Exception, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Recorded(ends)
    assert _upgrade(workspace, tmp_path, monkeypatch) == ["dump True", f"{NEW}: {found}"]
    assert workspace.told == [f"run {NEW}", "stop_chat", f"run {OLD}"]


def test_a_stop_that_is_interrupted_goes_back_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Recorded(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        _upgrade(workspace, tmp_path, monkeypatch)
    assert workspace.told == [f"run {NEW}", "stop_chat", f"run {OLD}"]


def test_a_way_back_that_fails_names_both_reasons_and_the_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_dump, "write", lambda *_: [])
    workspace = Recorded(AutoReconnect("connection closed"), stays_down=True)
    with pytest.raises(UpgradeFailedError) as failed:
        upgraded(workspace, [OLD, NEW], tmp_path / "dump", lambda one: "", lambda line: None)
    assert "connection closed; and the way back failed: OSError: Cannot connect" in failed.value.found
    assert failed.value.where == str(tmp_path / "dump")
    assert "mongorestore" in failed.value.next_step
