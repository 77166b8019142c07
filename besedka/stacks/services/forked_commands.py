"""The site's management commands as forks: a twentieth of the time of a new `manage.py`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from besedka.contract import PROJECT_ROOT
from besedka.stacks.process.forked import POSSIBLE, ForkServers
from besedka.stacks.process.processes import base_environment
from besedka.stacks.services import site_commands


def run(
    fork_servers: ForkServers,
    folder: Path,
    environment: Mapping[str, str],
    *arguments: str,
    stdin: str = "",
) -> str:
    """What `site_commands.run` does; `folder` holds the command's input and output meanwhile.

    `fork_servers` has to know the module `django`.
    """
    if not POSSIBLE:
        return site_commands.run(environment, *arguments, stdin=stdin)
    given, log = folder / "manage.input", folder / "manage.log"
    for path in (given, log):
        path.touch(mode=0o600)  # passwords may stand there
    given.write_text(stdin, "utf-8")
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}  # as manage.py sets it
    try:
        guard = fork_servers.fork(
            [sys.executable, "-m", "django", *arguments],
            log=log,
            cwd=PROJECT_ROOT / "web",
            environment=base_environment() | dict(environment) | settings,
            given=given,
        )
        status = guard.wait(site_commands.COMMAND_BUDGET_SECONDS)
        printed = log.read_text("utf-8")
    finally:
        for path in (given, log):
            path.unlink()
    site_commands.check(arguments[0], status, printed)
    return printed
