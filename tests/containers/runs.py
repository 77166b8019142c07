"""Runs of pytest on containers, and what they leave."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml

from besedka.contract import PROJECT_ROOT
from besedka.stacks.docker import leftovers
from besedka.stacks.docker.compose import COMPOSE_ENV, COMPOSE_FILE
from tests import inner

RUN_SECONDS = 240
# The head of a run names its folder, and the folder is called as the run.
FOLDER = re.compile(r"(\S*\.besedka/runs/(\S+?))(?:/|\s|;|$)")

WAITS = """
import threading
from pathlib import Path
def test_waits(stack):
    Path({told!r}).write_text(stack.to_json())
    print("hanging", flush=True)
    threading.Event().wait()
"""
TELLS = """
from pathlib import Path
def test_tells(stack):
    Path({told!r}).write_text(stack.to_json())
"""


def run(
    *arguments: str, more: Mapping[str, str], kind: str = "containers"
) -> subprocess.CompletedProcess[str]:
    """A whole run of pytest, to its end."""
    return subprocess.run(
        [*inner.command(*arguments), f"--stack={kind}"],
        cwd=PROJECT_ROOT,
        env=inner.environment(more),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


@contextmanager
def begun(subject: Path, told: Path, more: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A run that hangs in its test, whose stack stands in `told`; it does not outlive the `with` block."""
    subject.write_text(WAITS.format(told=str(told)), "utf-8")
    running = subprocess.Popen(
        [*inner.command(str(subject), "-s"), "--stack=containers"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=inner.environment(more),
        cwd=PROJECT_ROOT,
    )
    watchdog = threading.Timer(RUN_SECONDS, running.kill)
    watchdog.start()
    assert running.stdout is not None
    seen = []
    try:
        for line in running.stdout:
            seen.append(line)
            if "hanging" in line:
                break
        watchdog.cancel()
        assert told.exists(), "the run ended before it hung:\n" + "".join(seen)
        yield running
    finally:
        running.kill()
        running.wait()


def guardians(run_id: str) -> list[psutil.Process]:
    """The processes that remove what a run leaves, by their command line."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "besedka.stacks.docker.leftovers" in (process.info["cmdline"] or ())
        and run_id in process.info["cmdline"]
    ]


def left(client: Any, run_id: str) -> list[str]:
    """Containers, networks and volumes of a run, and its processes."""
    processes = inner.processes_of(PROJECT_ROOT / ".besedka" / "runs" / run_id)
    return leftovers.left(client, run_id) + [str(process) for process in [*processes, *guardians(run_id)]]


def changed_file(folder: Path, **services: Mapping[str, Any]) -> dict[str, str]:
    """The environment that names a compose file whose services differ as told."""
    raw = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))
    for name, rows in services.items():
        raw["services"][name] |= rows
    path = folder / "compose.yml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    return {COMPOSE_ENV: str(path)}
