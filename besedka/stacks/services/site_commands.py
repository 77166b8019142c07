"""The site's management commands (`web/manage.py`), run with a stack's own environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.stacks.process.processes import base_environment

# Eight seconds on two quiet cores, and over sixty where others keep them busy (measured at a load of 14).
COMMAND_BUDGET_SECONDS = 180.0


def environment_file(folder: Path) -> Path:
    """Where a stack keeps the site's environment, for tests that run in other processes."""
    return folder / "environment.json"


def remember(folder: Path, environment: Mapping[str, str]) -> None:
    """Write the environment down, readable by its owner alone, because it holds the client secret."""
    path = environment_file(folder)
    path.touch(mode=0o600)
    path.write_text(json.dumps(dict(environment)), encoding="utf-8")


def recall(path: str) -> dict[str, str]:
    """The inverse of `remember`."""
    environment: dict[str, str] = json.loads(Path(path).read_text(encoding="utf-8"))
    return environment


def run(environment: Mapping[str, str], *arguments: str, stdin: str = "") -> str:
    """Run `manage.py <arguments>` and return what it printed; StackStartError unless its status is 0."""
    try:
        finished = subprocess.run(  # noqa: S603 - our own site's command
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT_ROOT / "web",
            env=base_environment() | dict(environment),
            input=stdin,
            encoding="utf-8",
            capture_output=True,
            timeout=COMMAND_BUDGET_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackStartError(
            f"manage.py {arguments[0]} did not end within {COMMAND_BUDGET_SECONDS:.0f} s",
            expected="a command that ends; the first one on a machine migrates an empty database",
            where="web/manage.py",
            next_step="run it again when the machine is less busy, or with --postgres=none",
        ) from error
    check(arguments[0], finished.returncode, f"{finished.stdout}{finished.stderr}")
    return finished.stdout


def check(command: str, status: int, printed: str) -> None:
    """Raise StackStartError unless a command's status is 0."""
    if status != 0:
        raise StackStartError(
            f"manage.py {command} ended with status {status}:\n{printed}",
            expected="status 0",
            where="web/manage.py",
            next_step="read what the command printed; it says what it did not find",
        )
