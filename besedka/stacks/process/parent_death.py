"""Waits until its owner is gone, however it went, then becomes the command that it was given.

Started as `python -S -E afterwards.py <command…>` with a pipe as standard input. The owner holds the other
end: when it closes the pipe, or dies (kill -9 included), the command takes this process over. Standard
library only: it starts beside services that want the processor, and what the command imports is not
imported before it is wanted.

Exit status: 0 if the owner wrote KEEP, for then there is nothing to do; else the command's.
"""

from __future__ import annotations

import os
import signal
import sys

# Written before the pipe is closed.
KEEP = b"keep"


def main(command: list[str]) -> int:
    """Wait for the end of standard input, then become `command`; see the head of this module."""
    # Stays ignored in the command: an interrupt from the terminal is for the owner.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    said = b""
    while part := os.read(0, 1024):
        said += part
    if said != KEEP:
        os.execv(command[0], command)  # noqa: S606 - the command is the run's own
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
