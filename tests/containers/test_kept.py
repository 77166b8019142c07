"""`besedka up` keeps a stack in containers; `--reuse` takes it while it is what a new one would be."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from besedka.contract import PROJECT_ROOT
from besedka.errors import UsageError
from besedka.stacks import kept
from besedka.stacks.docker import leftovers
from besedka.stacks.model import Stack
from besedka.stacks.process import detached
from tests import inner
from tests.containers import runs

pytestmark = pytest.mark.containers
COMMAND_SECONDS = 120


@pytest.fixture
def besedka(surroundings: Mapping[str, str]) -> Iterator[Any]:
    """The command line, for one test at a time: a checkout keeps one stack. It is removed after the test."""
    kept.KEPT_FOLDER.mkdir(parents=True, exist_ok=True)
    with (kept.KEPT_FOLDER / "tests.lock").open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield from commands(surroundings)


def commands(surroundings: Mapping[str, str]) -> Iterator[Any]:
    assert kept.recorded() is None, "a stack is kept in this checkout; `besedka down` removes it"

    def command(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "besedka.cli", *arguments],
            cwd=PROJECT_ROOT,
            env=inner.environment(dict(surroundings) | {"COLUMNS": "200"} | more),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    yield command
    kept.remove()


def test_a_kept_stack_from_up_to_down(
    besedka: Any, client: Any, subject: Path, tmp_path: Path, surroundings: Mapping[str, str]
) -> None:
    started = besedka("up", "--stack=containers")
    assert started.returncode == 0, started.stdout + started.stderr
    record = kept.recorded()
    assert record is not None
    run_id = record.stack.run_id
    assert kept.unwell(record) == []
    assert runs.guardians(run_id) == [], "a guardian would remove what is kept"

    # Again: the same containers, at once.
    before = {row.id for row in leftovers.containers(client, run_id)}
    began = time.monotonic()
    again = besedka("up", "--stack=containers", "--reuse")
    took = time.monotonic() - began
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the kept stack is used again" in again.stdout
    assert {row.id for row in leftovers.containers(client, run_id)} == before
    assert took < 15, f"{took:.1f} s for nothing to be started"

    # A second one beside it is refused; the commands that show it show it.
    assert besedka("up", "--stack=containers").returncode == 59
    shown = besedka("status")
    assert (shown.returncode, run_id in shown.stdout) == (0, True), shown.stdout + shown.stderr
    assert "SERVER RUNNING" in besedka("logs", "rocketchat").stdout
    assert "database system is ready" in besedka("logs", "postgres", "-n", "200").stdout
    assert "/api/v1/status/" in besedka("logs", "site").stdout
    assert besedka("logs", "nobody").returncode == UsageError.exit_status

    # Tests run on it and leave it running.
    told = tmp_path / "told.json"
    subject.write_text(runs.TELLS.format(told=str(told)), "utf-8")
    finished = runs.run(str(subject), "--reuse", more=surroundings)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "the one that `besedka up` keeps" in finished.stdout
    used = Stack.from_json(told.read_text("utf-8"))
    assert used.run_id == run_id
    assert used.folder != record.stack.folder, "a run on it writes a page of its own"
    assert kept.unwell(record) == []

    removed = besedka("down")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert runs.left(client, run_id) == []
    assert not detached.runs(record.site_pid, record.site_started)
    assert besedka("status").returncode == 18
    assert besedka("down").returncode == 18


def test_a_kept_stack_that_is_not_what_it_was(besedka: Any, client: Any) -> None:
    assert besedka("up", "--stack=containers").returncode == 0
    first = kept.recorded()
    assert first is not None

    (redis,) = [
        row
        for row in leftovers.containers(client, first.stack.run_id)
        if row.labels[leftovers.SERVICE_LABEL] == "redis"
    ]
    redis.stop(timeout=1)
    shown = besedka("status")
    assert shown.returncode == 18
    assert "redis is exited" in shown.stderr

    changed = besedka("up", "--stack=containers", "--reuse", BESEDKA_CHAT_ADMIN_PASSWORD="another-secret")
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert re.search(r"not used again: .* another configuration; it is replaced", changed.stdout)
    second = kept.recorded()
    assert second is not None
    assert second.stack.run_id != first.stack.run_id
    assert runs.left(client, first.stack.run_id) == []
