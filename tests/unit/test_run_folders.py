"""Old runs make room for new ones, and a run that is going on never does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from besedka.stacks import run_folders
from fixtures import stack as stack_fixtures


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run_folders, "RUNS_FOLDER", tmp_path)
    return tmp_path


def test_the_oldest_finished_runs_are_removed(runs: Path) -> None:
    for _ in range(15):
        run_folders.finished(run_folders.new())

    assert len(list(runs.iterdir())) == run_folders.KEPT


def test_a_run_that_is_going_on_keeps_its_folder(runs: Path) -> None:
    going_on = run_folders.new()

    for _ in range(15):
        run_folders.finished(run_folders.new())

    assert going_on.exists()


def test_a_folder_that_another_run_removes_meanwhile_is_no_error(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = runs / "20200101-000000-gone"
    gone.mkdir()
    listed = sorted(runs.iterdir())
    gone.rmdir()
    monkeypatch.setattr(type(runs), "iterdir", lambda _: iter(listed))

    assert run_folders.new().is_dir()


def test_a_killed_runs_rendezvous_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_fixtures, "RENDEZVOUS_FOLDER", tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    killed, other = tmp_path / f"{ended.pid}-a1", tmp_path / f"{os.getppid()}-b2"
    for folder in (killed, other, tmp_path / "somebody's"):
        folder.mkdir()

    mine = stack_fixtures.new_rendezvous()

    assert {path.name for path in tmp_path.iterdir()} == {mine.name, other.name, "somebody's"}
