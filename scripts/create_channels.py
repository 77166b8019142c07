#!/usr/bin/env python3
"""Make only the contract's channels and memberships; then doctor's verdict.

    python scripts/create_channels.py [--chat-url … --site-url … --mongo-url …]

Options and exit statuses: python3 run.py provision --help. Runs by any Python: run.py finds or makes .venv.
"""

import os
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).resolve().parent.parent / "run.py"
COMMAND = [sys.executable, str(RUN), "provision", "--apply", "--rooms-only", *sys.argv[1:]]

if __name__ == "__main__":
    # Windows has no exec that keeps the console, so there the command is waited for.
    if os.name == "nt":
        sys.exit(subprocess.call(COMMAND))  # noqa: S603 - our own run.py
    os.execv(sys.executable, COMMAND)  # noqa: S606 - our own run.py
