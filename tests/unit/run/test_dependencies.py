"""What is imported is declared, in the group that needs it, and locked."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GROUPS = PROJECT["optional-dependencies"]
OURS = {
    "benchmarks",
    "besedka",
    "bootstrap",
    "conftest",
    "docs",
    "faults",
    "fixtures",
    "standins",
    "tests",
    "web",
}
# Python finds the site's packages without the folders above them.
OURS |= {path.parent.name for room in ("web", "packages") for path in (ROOT / room).rglob("*.py")}
# The folder, and the groups whose packages it may import besides those of the base.
ROOMS = (
    # Its page objects drive the suite's browser, and its load is Locust's.
    ("besedka", ("site", "suite", "load")),
    ("bootstrap", ()),
    ("web", ("site",)),
    ("packages/besedka_chat/src", ("site",)),
    ("standins", ("standins", "suite")),
    ("fixtures", ("suite", "site")),
    ("faults", ("suite", "site", "standins")),
    ("tests", ("suite", "site", "standins", "dev")),
)
BASE_COMMANDS = ("doctor", "provision", "stack", "target", "reports")


def names(requirements: Iterable[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", row) for row in requirements)
    return {normal(row.group()) for row in found if row}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: str) -> set[str]:
    """Names in a lock file."""
    return names(row for row in (ROOT / file).read_text().splitlines() if "==" in row)


@cache
def distributions() -> dict[str, list[str]]:
    return {
        key: [normal(name) for name in row]
        for key, row in importlib.metadata.packages_distributions().items()
    }


def imports(tree: Iterable[ast.AST]) -> set[str]:
    """Top names of what these statements import that is neither Python's nor the project's."""
    found: set[str] = set()
    for node in tree:
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - OURS


def imported(folder: Path) -> set[str]:
    """The same of everything below a folder."""
    own = {path.stem for path in folder.rglob("*") if path.is_dir() or path.suffix == ".py"}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
    return set().union(*(imports(ast.walk(tree)) for tree in trees)) - (own - set(distributions()))


@pytest.mark.parametrize(("room", "groups"), ROOMS)
def test_what_a_room_imports_is_declared(room: str, groups: tuple[str, ...]) -> None:
    declared = names(PROJECT["dependencies"]).union(*(names(GROUPS[group]) for group in groups))
    undeclared = {
        top for top in imported(ROOT / room) if not declared.intersection(distributions().get(top, [top]))
    }
    assert not undeclared, f"{room} imports {sorted(undeclared)}, which pyproject.toml does not name"


def test_what_doctor_imports_is_in_the_base() -> None:
    code = "import sys\n" + "".join(f"import besedka.commands.{name}\n" for name in BASE_COMMANDS)
    code += "print(*(module.__file__ for name, module in sys.modules.items() if name.startswith('besedka')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(file) for file in done.stdout.split()]
    tops = set().union(*(imports(ast.parse(file.read_text(encoding="utf-8")).body) for file in files))
    assert {"pydantic", "pymongo", "requests"} <= tops
    base = locked("requirements-base.lock")
    missing = {top for top in tops if not base.intersection(distributions()[top])}
    assert not missing, f"`run.py doctor` would miss {sorted(missing)}"


def test_every_dependency_is_locked() -> None:
    everything = names(PROJECT["dependencies"]).union(*map(names, GROUPS.values()))
    assert everything <= locked("requirements.lock")
    assert names(PROJECT["dependencies"]) <= locked("requirements-base.lock")


def test_both_locks_agree() -> None:
    rows = [
        {row.split()[0] for row in (ROOT / file).read_text().splitlines() if "==" in row}
        for file in ("requirements-base.lock", "requirements.lock")
    ]
    assert rows[0] < rows[1]
