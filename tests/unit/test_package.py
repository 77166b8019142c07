"""The package besedka-chat: its own tests run here on the installed line (nox in its folder: on both)."""

from __future__ import annotations

import subprocess
import sys

from besedka.contract import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "packages" / "besedka_chat"


def test_its_own_tests_pass() -> None:
    # In a process of its own: Django has one set of settings a process.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "--rootdir",
        str(PACKAGE),
        str(PACKAGE / "tests"),
    ]
    ended = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
    assert " passed" in ended.stdout
