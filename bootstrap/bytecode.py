"""Where Python keeps what it has compiled, on a machine that forbids it beside the sources.

Images for containers often set PYTHONDONTWRITEBYTECODE. A run of the tests starts over a hundred processes.
Each would then compile and rewrite some 500 files again.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".besedka" / "bytecode"
FORBIDDEN, PREFIX = "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"


def elsewhere(env: Mapping[str, str]) -> dict[str, str]:
    """The variables by which a program keeps its bytecode in our folder; none where nothing is forbidden."""
    return {FORBIDDEN: "", PREFIX: env.get(PREFIX) or str(FOLDER)} if env.get(FORBIDDEN) else {}


def keep() -> None:
    """Do the same in this process, and in all that it starts."""
    if told := elsewhere(os.environ):
        os.environ.update(told)
        sys.dont_write_bytecode, sys.pycache_prefix = False, told[PREFIX]
