"""Programs of this machine that a stack may run: where one is, and which version it says it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from besedka.errors import StackStartError
from besedka.stacks.process.processes import base_environment

# A wish in words instead of a path: take the program where it is found, or do without.
AUTO = "auto"
NONE = "none"
_ANSWER_SECONDS = 20.0


def named(option: str, value: str, *, expected: str, instead: str) -> str:
    """Path of the executable that an option names; StackStartError if there is none.

    A wish is not silently replaced: `instead` says what the user can do without that program.
    """
    found = shutil.which(value)
    if found is None:
        raise StackStartError(
            f"{option} names {value!r}, which is not an executable file",
            expected=expected,
            where=option,
            next_step=f"correct the path, or {instead}",
        )
    return found


def version(program: str | Path, pattern: str, *, expected: str, option: str = "--version") -> str:
    """What `program --version` prints, by the pattern's only group. StackStartError if it does not."""
    next_step = f"run `{program} {option}` and see why; nothing was started"
    try:
        finished = subprocess.run(  # noqa: S603 - a program that the user named or has on PATH
            [str(program), option],
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackStartError(
            f"it does not say its version: {error}",
            expected=expected,
            where=str(program),
            next_step=next_step,
        ) from error
    found = re.search(pattern, finished.stdout + finished.stderr)
    if finished.returncode != 0 or found is None:
        said = [*(finished.stdout + finished.stderr).strip().splitlines(), "nothing"][0]
        raise StackStartError(
            f"`{option}` ended with status {finished.returncode} and said {said!r}",
            expected=expected,
            where=str(program),
            next_step=next_step,
        )
    return found[1]
