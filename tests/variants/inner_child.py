"""`python -m tests.variants.inner_child COMMANDS word…`: pytest, with the site's commands lent by its
caller.
"""

from __future__ import annotations

import os
import sys

import pytest

from besedka.stacks.services import site_commands
from tests.faults.remote_commands import borrow


def main(commands: str, *words: str) -> None:
    """Run pytest; ends the process."""
    site_commands.run = borrow(commands)
    status = int(pytest.main(list(words)))
    sys.stdout.flush()
    # Not by the interpreter's end, where pymongo waits up to half a second for each sleeping thread.
    os._exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
