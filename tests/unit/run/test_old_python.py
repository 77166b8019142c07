"""run.py itself is read by whatever Python somebody has, and must say that it is too old."""

import ast
import os
import subprocess
import sys

from .conftest import REPOSITORY

PRETEND = """
import runpy, sys
sys.version_info = (3, 6, 15, "final", 0)
sys.argv = ["run.py", "e2e"]
runpy.run_path("run.py", run_name="__main__")
"""


def test_an_old_grammar_reads_it() -> None:
    ast.parse((REPOSITORY / "run.py").read_text(), feature_version=(3, 6))


def test_it_has_nothing_that_python_2_cannot_read() -> None:
    tree = ast.parse((REPOSITORY / "run.py").read_text())
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]


def test_an_old_python_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRETEND], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 20
    assert "found: Python 3.6.15" in done.stderr
    assert "expected: Python 3.11 or newer" in done.stderr
    assert "python3.11 run.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_is_refused_in_russian() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRETEND.replace('"e2e"]', '"e2e", "--lang", "ru"]')],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 20
    assert "сейчас: Python 3.6.15" in done.stderr
