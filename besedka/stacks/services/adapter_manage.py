"""`[site.adapter] manage`: a command of a site that is not ours, which makes and removes temporary users.

It gets one JSON object on standard input (docs/manage.md) and ends with status 0 when that is done.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from besedka.adapter import TEMPORARY_PREFIX, AdapterRowError
from besedka.contract import PROJECT_ROOT

COMMAND_BUDGET_SECONDS = 60.0
_ROW = "adapter.manage"
_LAST_LINES = 8


def run(command: Sequence[str], action: str, *usernames: str, stdin: str = "") -> str:
    """`ensure_users` with rows of users as JSON in `stdin`, or `remove_users` with names; what it printed.

    Raises AdapterRowError where the command cannot be run or does not do it. Raises LookupError for anything
    that is no temporary user's.
    """
    asked = _asked(action, usernames, stdin)
    shown = shlex.join(command)
    try:
        finished = subprocess.run(  # noqa: S603 - the contract's own command
            list(command),
            cwd=PROJECT_ROOT,
            input=json.dumps(asked, ensure_ascii=False),
            encoding="utf-8",
            capture_output=True,
            timeout=COMMAND_BUDGET_SECONDS,
            check=False,
        )
    except OSError as error:
        raise AdapterRowError(_ROW, shown, f"it cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        found = f"it did not end within {COMMAND_BUDGET_SECONDS:.0f} s"
        raise AdapterRowError(_ROW, shown, found, expected="an end with status 0") from error
    if finished.returncode != 0:
        *before, last = f"{finished.stdout}{finished.stderr}".strip().splitlines()[-_LAST_LINES:] or [""]
        # A traceback says what it is about in its last line, and many reports show the first one alone.
        found = "\n".join((f"{action} ended with status {finished.returncode}: {last}", *before))
        raise AdapterRowError(_ROW, shown, found, expected="status 0, as docs/manage.md says")
    return finished.stdout


def _asked(action: str, usernames: Sequence[str], stdin: str) -> dict[str, Any]:
    if action == "ensure_users":
        rows = json.loads(stdin)
        asked, usernames = {"action": action, "users": rows}, [row["username"] for row in rows]
    elif action == "remove_users":
        asked = {"action": action, "usernames": list(usernames)}
    else:
        raise LookupError(f"{action} is no work for [site.adapter] manage")
    others = [name for name in usernames if not name.startswith(TEMPORARY_PREFIX)]
    if others:
        raise LookupError(f"{', '.join(others)}: only {TEMPORARY_PREFIX}* users are made and removed")
    return asked
