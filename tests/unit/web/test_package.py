"""The site's chat is a package of its own; its tests run here on the installed line (nox: on both)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import besedka_chat
from django.apps import apps

PACKAGE = Path(__file__).resolve().parents[3] / "packages" / "besedka_chat"


def test_the_site_runs_the_package_of_this_repository() -> None:
    assert Path(besedka_chat.__file__).is_relative_to(PACKAGE)
    assert apps.get_app_config("besedka_chat").models_module is None, "a site that adopts it migrates nothing"


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
