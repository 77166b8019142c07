"""A system without what is Linux's alone: each such thing is one module, and the rest does without it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT

pytestmark = pytest.mark.api

LINUX_ONLY = (
    "besedka/without_netlink.py",
    "besedka/without_netlink.sh",
    "besedka/stacks/process/death_signal.py",
    "bootstrap/apt.py",
)
NO_APT = '''"""No packages of the system's can be installed."""


def usable() -> bool:
    return False
'''
# What only such a module may name.
_LINUXISMS = re.compile(r"prctl|AF_NETLINK|seccomp_load|\bunshare\b|[\"']/proc/|CDLL\(")
SLICE = ("tests/e2e/test_sign_in.py", "-k", "test_opening_the_chat_signs_the_user_in")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """This project, without them."""
    copy = tmp_path / "plain"
    shutil.copytree(
        PROJECT_ROOT,
        copy,
        ignore=shutil.ignore_patterns(".venv", ".git", ".besedka", "__pycache__", ".*_cache", "node_modules"),
    )
    for name in LINUX_ONLY:
        (copy / name).unlink()
    (copy / "bootstrap" / "apt.py").write_text(NO_APT, "utf-8")
    return copy


def test_the_main_job_does_without(plain: Path) -> None:
    """A slice of it; the whole is `pytest -m e2e` in such a copy."""
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "e2e", "-n", "0", "--stack=embedded", *SLICE],
        cwd=plain,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-2000:]
    assert f"rootdir: {plain}" in finished.stdout
    assert re.search(r"\b[1-9]\d* passed", finished.stdout)
    assert not (plain / "besedka" / "without_netlink.py").exists()


def test_nothing_else_is_linuxs() -> None:
    rooms = ("besedka", "bootstrap", "fixtures", "web", "packages/besedka_chat/src", "standins/rocketchat")
    paths = [path for room in rooms for path in (PROJECT_ROOT / room).rglob("*.py")]
    named = {
        path.relative_to(PROJECT_ROOT).as_posix()
        for path in paths
        if _LINUXISMS.search(path.read_text("utf-8"))
    }
    assert named == {name for name in LINUX_ONLY if name.endswith(".py")} - {"bootstrap/apt.py"}
