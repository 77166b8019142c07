"""A checkout of run.py alone, in a folder of its own. There is nothing to install, and the browser is a
script.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
FAKE_BROWSER = "#!/bin/sh\necho Chromium 1.2.3\n"

MakeProgram = Callable[..., Path]


@pytest.fixture
def make_program() -> MakeProgram:
    """Writes an executable shell script."""

    def make(path: Path, text: str = FAKE_BROWSER) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    return make


class Checkout:
    """run.py in a folder, and the environment to call it in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copy(REPOSITORY / "run.py", root)
        shutil.copytree(
            REPOSITORY / "bootstrap", root / "bootstrap", ignore=shutil.ignore_patterns("__pycache__")
        )
        (root / "besedka").mkdir()
        for name in ("__init__.py", "language.py", "translation.py"):
            shutil.copy(REPOSITORY / "besedka" / name, root / "besedka")
        shutil.copytree(REPOSITORY / "besedka" / "texts", root / "besedka" / "texts")
        self.lock = root / "requirements.lock"
        self.lock.write_text("# nothing to install\n")
        (root / "requirements-base.lock").write_text("# as little\n")
        browser = root / "browser"
        browser.write_text(FAKE_BROWSER)
        browser.chmod(0o755)
        self.env = os.environ | {
            "BESEDKA_BROWSER": str(browser),
            "PYTHONDONTWRITEBYTECODE": "1",
            # There is nothing to fetch, and nothing is fetched.
            "PIP_NO_INDEX": "1",
        }
        self.before = self.files()

    def files(self) -> set[str]:
        return {path.name for path in self.root.iterdir()}

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "run.py", *arguments],
            cwd=self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        with self.start(*arguments, **env) as process:
            out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a project"
    root.mkdir()
    return Checkout(root)
