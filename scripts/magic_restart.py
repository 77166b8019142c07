#!/usr/bin/env python3
"""Restart the stack of docker-compose.local.yml without losing anything; then doctor's verdict.

    python scripts/magic_restart.py [--only rocketchat] [--restore FOLDER]

Options and exit statuses: python3 run.py restart --help. Runs by any Python: run.py finds or makes .venv.
"""

import os
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).resolve().parent.parent / "run.py"
COMMAND = [sys.executable, str(RUN), "restart", *sys.argv[1:]]

if __name__ == "__main__":
    # Windows has no exec that keeps the console, so there the command is waited for.
    if os.name == "nt":
        sys.exit(subprocess.call(COMMAND))  # noqa: S603 - our own run.py
    os.execv(sys.executable, COMMAND)  # noqa: S606 - our own run.py
