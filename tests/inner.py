"""Runs pytest inside a test: a whole run, with its own stack or attached to the one under test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from besedka.contract import PROJECT_ROOT
from besedka.stacks.kind import KIND_ENV
from besedka.stacks.model import Stack
from fixtures.report import INSIDE_ENV

RUN_SECONDS = 120
# Without workers, and without what one run leaves for the next.
WORDS = ("-p", "no:cacheprovider", "-n", "0", "--second-attempt=off")
SUBJECTS = PROJECT_ROOT / ".besedka" / "inner"


@pytest.fixture
def subject() -> Iterator[Path]:
    """A file for tests of the inner run, below the project's root, where its conftest.py counts."""
    SUBJECTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SUBJECTS) as folder:
        yield Path(folder) / "test_subject.py"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What the test starts hears an interrupt. A shell's background job ignores it, and so does all it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def command(*arguments: str) -> list[str]:
    """`pytest` without workers, with this project's plugins if the tests stand below its root."""
    return [sys.executable, "-m", "pytest", *WORDS, *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment, without what xdist tells its workers; a stack of its own is an embedded one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    told = {"PYTHONPATH": str(PROJECT_ROOT), KIND_ENV: "embedded", INSIDE_ENV: "1"}
    return kept | told | dict(more or {})


def attached(stack: Stack, *, data: bool = False) -> tuple[str, ...]:
    """The options that run on this stack; with `data`, its databases may be read too. What we started
    ourselves may be written to."""
    told = [("site-url", stack.site_url), ("chat-url", stack.chat_url), ("provider-url", stack.provider_url)]
    if data:
        told += [("mongo-url", stack.mongo_url), ("site-database-url", stack.site_database_url)]
    own = () if stack.kind == "attached" else ("--write",)
    return "--stack=attached", *own, *(f"--{name}={value}" for name, value in told if value)


def run(
    *arguments: str, more: Mapping[str, str] | None = None, seconds: float = RUN_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run pytest to its end, or for so many seconds at most."""
    return subprocess.run(
        command(*arguments),
        cwd=PROJECT_ROOT,
        env=environment(more),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def processes_of(folder: Path | str) -> list[psutil.Process]:
    """The run's guards, whose command lines name its folder, and the services that they hold."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or ()):
            # One that ends meanwhile is not left.
            with suppress(psutil.NoSuchProcess):
                found += [process, *process.children(recursive=True)]
    return list(dict.fromkeys(found))
