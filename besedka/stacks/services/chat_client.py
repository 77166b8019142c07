"""Rocket.Chat's own web client in front of the stand-in: a bundle, or its `programs/web.browser`.

The stand-in reads and judges the folder, as it will serve it; it is asked before anything is started.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import StackStartError, UsageError
from besedka.stacks import versions
from besedka.stacks.docker.engine_errors import ImageVersionError

OPTION = "--chat-client"
CLIENT, PROGRAM = "programs/web.browser", "program.json"
CLIENT_ENV = "BESEDKA_CHAT_CLIENT"
MOOD_OPTION = "--client-mood"
# As the stand-in has them (standins/rocketchat/config.py); what each is: client/mood.js beside it.
MOODS = ("slow", "late", "mute", "early", "previous", "twice", "mangled", "real")
STANDIN = (sys.executable, "-m", "standins.rocketchat")
# What the stand-in says of a folder that was unpacked by half.
_MISSING = re.compile(r"the (?:manifest names|client loads) (.+), which is (?:not there|cut off)")
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class ChatClient:
    """A client that can be served. `version` is None where the client does not say it."""

    folder: Path
    version: str | None

    def contract(self, contract: Contract) -> Contract:
        """The contract for the client's version: a server speaks the version of the client it serves."""
        return versions.of_contract(contract, self.version)

    @property
    def options(self) -> list[str]:
        """What the stand-in is told on its command line."""
        return [OPTION, str(self.folder)]


@cache
def find(named: str) -> ChatClient:
    """The client in that folder. Raises StackStartError for a folder that holds none we can serve."""
    folder = Path(named).expanduser().resolve()
    _check_folder(folder)
    asked = subprocess.run(  # noqa: S603 - our own program
        [*STANDIN, OPTION, str(folder), "--client-version"],
        cwd=PROJECT_ROOT,
        env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=_ANSWER_SECONDS,
        check=False,
    )
    said = (asked.stdout.strip() or asked.stderr.strip()).rpartition("\n")[2]
    if asked.returncode != 0:
        refused = said.partition(f"{OPTION} {folder}: ")[2]
        missing = _MISSING.match(refused)
        raise _wrong(f"it lacks {missing[1]}" if missing else f"it is no client: {refused or said}", folder)
    try:
        if said:
            versions.pair(said)
    except ImageVersionError as error:
        raise _wrong(f"it is the client of {error.found}", folder) from error
    return ChatClient(folder, said or None)


def _check_folder(folder: Path) -> None:
    """What is no client at a glance is said in words of ours; the stand-in judges the rest."""
    if not folder.is_dir():
        raise _wrong("there is no such folder", folder)
    below = f"{CLIENT}/{PROGRAM}"
    if not any((folder / name).is_file() for name in (PROGRAM, below, f"bundle/{below}")):
        is_bundle = any((folder / name).is_file() for name in ("main.js", "bundle/main.js"))
        missing = below if is_bundle else PROGRAM
        raise _wrong(f"it has no web client: it lacks {missing}", folder)


def check_mood(mood: str, *, beside: str | None) -> None:
    """Raise UsageError for no mood, and for one of another client than the stand-in's own (`beside`)."""
    if mood in MOODS and not beside:
        return
    raise UsageError(
        f"{MOOD_OPTION}={mood}" + (f" with {beside}" if beside else ""),
        expected=f"{', '.join(MOODS)}, for the stand-in's own web client",
        where="the command line",
        next_step="Rocket.Chat's own client has its moods by nature" if beside else "name one of these",
    )


def _wrong(found: str, folder: Path) -> StackStartError:
    return StackStartError(
        f"{OPTION}: {found}",
        expected="an unpacked bundle of Rocket.Chat 6.4 to 8.x, or its programs/web.browser",
        where=str(folder),
        next_step=f"name another folder by {OPTION} or {CLIENT_ENV}; nothing was started",
    )
