"""`python -m tests.adoption [--as-found]`: the club's site and a Rocket.Chat stand-in, until Ctrl-C."""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
import threading
from pathlib import Path

from tests.adoption import foreign

AS_FOUND = "--as-found"


def main(words: list[str]) -> None:
    """Start both, say where they are and what a shell has to be told, and wait."""
    with (
        tempfile.TemporaryDirectory() as folder,
        foreign.running(Path(folder), unmended=AS_FOUND in words) as club,
    ):
        told = foreign.environment(club)
        told.pop("PATH")
        rows = [f"export {name}={shlex.quote(value)}" for name, value in told.items()]
        rows.append(f"export TARGET={shlex.quote(' '.join(club.options[1:]))}")
        text = "\n".join(rows)
        sys.stdout.write(f"Django {club.django}; for a shell of its own:\n\n{text}\n\nCtrl-C ends it\n")
        sys.stdout.flush()
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        ended.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
