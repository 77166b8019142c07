"""What starts often imports little. Measured by the modules that are imported: seconds depend on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT
from bootstrap import bytecode
from tests import inner

# Each costs a command or a collection a tenth of a second or more.
HEAVY = frozenset(
    {
        "daphne",
        "django",
        "docker",
        "gevent",
        "locust",
        "playwright",
        "psycopg",
        "pymongo",
        "requests",
        "schemathesis",
    }
)
# pytest's plugins are of Playwright, and the fixtures read both databases.
OF_THE_FIXTURES = {"playwright", "psycopg", "pymongo", "requests"}
_COMMAND = "import sys; from besedka.cli import main; sys.argv[1:] = {words!r}; main()"
# How a process says what it has imported when it ends, whatever ends it.
_TOLD = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "


def heavy(code: str) -> set[str]:
    """The heavy packages that a program has imported when it ends."""
    finished = subprocess.run(
        [sys.executable, "-c", _TOLD + code],
        cwd=PROJECT_ROOT,
        env=inner.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    modules = finished.stderr.split()
    assert "besedka.contract" in modules or "pytest" in modules, finished.stderr
    return HEAVY & set(modules)


@pytest.mark.parametrize(
    ("words", "used"),
    [
        (["status"], set()),
        (["env", "site"], set()),
        (["summary"], set()),
        (["logs"], set()),
        (["announce"], {"requests"}),
    ],
)
def test_a_command_imports_only_what_it_uses(words: list[str], used: set[str]) -> None:
    assert heavy(_COMMAND.format(words=words)) == used


def test_collecting_imports_only_what_the_tests_use() -> None:
    folders = ["tests/e2e", "tests/api", "tests/faults"]
    assert (
        heavy(f"import pytest; pytest.main(['--collect-only', '-qq', '-n0', *{folders}])") <= OF_THE_FIXTURES
    )


def test_an_import_of_the_forbidden_is_seen() -> None:
    assert heavy("import besedka.contract, psycopg") == {"psycopg"}


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ({}, {}),
        ({bytecode.FORBIDDEN: ""}, {}),
        ({bytecode.FORBIDDEN: "1"}, {bytecode.FORBIDDEN: "", bytecode.PREFIX: str(bytecode.FOLDER)}),
        ({bytecode.FORBIDDEN: "1", bytecode.PREFIX: "/x"}, {bytecode.FORBIDDEN: "", bytecode.PREFIX: "/x"}),
    ],
)
def test_bytecode_is_kept_in_our_folder_where_it_is_forbidden(
    before: dict[str, str], told: dict[str, str]
) -> None:
    assert bytecode.elsewhere(before) == told


def test_bytecode_is_kept_by_each_process_of_a_run(tmp_path: Path) -> None:
    """A second Python that is told the same finds there what the first has compiled."""
    (tmp_path / "compiled_once.py").write_text("", "utf-8")
    kept = tmp_path / "kept"
    told = {bytecode.FORBIDDEN: "1", bytecode.PREFIX: str(kept), "PYTHONPATH": f"{PROJECT_ROOT}:{tmp_path}"}
    code = (
        "from bootstrap import bytecode; bytecode.keep(); import compiled_once as one; print(one.__cached__)"
    )

    cached = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | told, capture_output=True, text=True, check=True
    ).stdout.strip()

    assert Path(cached).is_file()
    assert Path(cached).is_relative_to(kept)
