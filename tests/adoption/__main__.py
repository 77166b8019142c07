"""`python -m tests.adoption [--as-found | --chat-alone]`: something to attach to, until Ctrl-C.

The club's site and a stand-in of Rocket.Chat; or the stand-in alone, for a site of your own, as it is after
its first boot. Its address and administrator are those of docs/overlay.toml, or of the shell's own overlay.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from besedka import contract as contracts
from besedka.contract import OVERLAYS_ENV, PROJECT_ROOT
from tests import bare_chat
from tests.adoption import foreign

NEW_SITE = PROJECT_ROOT / "docs" / "overlay.toml"
AS_FOUND, CHAT_ALONE = "--as-found", "--chat-alone"


def main(words: list[str]) -> None:
    """Start what was asked for, say where it is and what a shell has to be told, and wait."""
    with tempfile.TemporaryDirectory() as folder:
        if CHAT_ALONE in words:
            # What step 4 of docs/adopting.md begins with, as long as the shell names no overlay of its own.
            own = None if os.environ.get(OVERLAYS_ENV) else [NEW_SITE]
            contract = contracts.load(overlays=own)
            port = urlsplit(contract.chat.url).port
            with bare_chat.running(Path(folder), contract, foreign.UNLIMITED, port=port) as chat:
                options = (f"--site-url={contract.site.url}", f"--chat-url={chat.url}")
                _wait("Rocket.Chat (stand-in)", {}, (*options, f"--mongo-url={chat.mongo_url}"))
        else:
            with foreign.running(Path(folder), unmended=AS_FOUND in words) as club:
                told = foreign.environment(club)
                told.pop("PATH")
                _wait(f"Django {club.django}", told, club.options[1:])


def _wait(what: str, told: Mapping[str, str], options: Sequence[str]) -> None:
    rows = [f"export {name}={shlex.quote(value)}" for name, value in told.items()]
    rows.append(f"export TARGET={shlex.quote(' '.join(options))}")
    text = "\n".join(rows)
    sys.stdout.write(f"{what}; for a shell of its own:\n\n{text}\n\nCtrl-C ends it\n")
    sys.stdout.flush()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
