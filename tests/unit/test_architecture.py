"""The house keeps its plan: arrows go down, no circle, no file and no function too long to read at once.

Only what one module imports from another counts; what an annotation alone needs counts too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT

FILE_LINES, FUNCTION_LINES = 400, 60
# Room → the rooms that it may import, beside its own. Each line may import from the lines above it.
ARROWS = {
    "language": "",
    "look_alikes": "",
    "translation": "language",
    "scrub": "",
    "login_form errors names progress second_ask without_netlink address resolver": "errors language look_alikes scrub translation",
    "hosts": "resolver",
    "client_environment": "hosts",
    "mistakes": "errors names",
    "http overlays": "address client_environment errors names",
    "consistency": "look_alikes names",
    "certificates spoken": "address http",
    "values ways": "address",
    "adapter reverse_proxy": "address errors translation values",
    "address_mistakes setting_mistakes": "address address_mistakes ways",
    "contract database_url browser": "values ways adapter mistakes address address_mistakes setting_mistakes certificates consistency errors hosts names reverse_proxy scrub overlays"
    " without_netlink",
    "rocketchat site site_status site_database pages target": "values ways adapter address contract database_url errors http"
    " login_form second_ask spoken",
    "swapped": "contract site_database",
    "report": "errors language scrub translation",
    "provision": "values address contract database_url errors hosts names progress rocketchat site_database swapped target",
    "stacks": "values adapter address client_environment scrub contract database_url errors hosts http progress provision reverse_proxy rocketchat site_database"
    " site_status target",
    "checks": "ways adapter language translation address contract database_url errors http login_form look_alikes names rocketchat second_ask site site_database site_status spoken"
    " stacks swapped target",
    "restart": "address checks contract database_url errors http progress provision rocketchat site_database"
    " site_status stacks target",
    "load": "client_environment contract errors http language provision rocketchat site translation",
    "commands": "load address checks contract database_url errors http language progress provision report restart scrub translation"
    " stacks target",
    "exit_statuses": "errors",
    "cli": "client_environment commands errors exit_statuses language",
}
# Top folder → the top folders of this project that it may import.
TOPS = {
    "besedka": "",
    "standins": "",
    "packages": "",
    "web": "",
    "faults": "besedka",
    "fixtures": "besedka faults",
}
ALLOWED = {room: set(above.split()) | {room} for rooms, above in ARROWS.items() for room in rooms.split()}


def modules(top: str) -> dict[str, Path]:
    files = (PROJECT_ROOT / top).rglob("*.py")
    inside = (path.relative_to(PROJECT_ROOT) for path in files)
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in inside}


MODULES = {
    name: path for top in TOPS for name, path in modules(top).items() if not name.startswith("standins.tests")
}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a module imports, wherever in it, with all packages on the way."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in named)


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """All modules parsed, which takes two seconds: not while tests are collected."""
    return {name: ast.parse((PROJECT_ROOT / path).read_text("utf-8")) for name, path in MODULES.items()}


@pytest.fixture(scope="module")
def imports(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    return {name: set(imported(tree)) - {name} for name, tree in trees.items()}


def arrows(name: str, targets: set[str]) -> list[str]:
    """Imports of this module that the plan does not have."""
    top, _, rest = name.partition(".")
    tops = {top, *TOPS[top].split()}
    wrong = [one for one in targets if one.partition(".")[0] in {*TOPS, "tests"} - tops]
    if top == "besedka" and rest:
        allowed = ALLOWED.get(rest.partition(".")[0], set())
        below = [one for one in targets if one.startswith("besedka.")]
        wrong += [one for one in below if one.split(".")[1] not in allowed]
        wrong += [one for one in targets if one.partition(".")[0] == "pytest"]
    return [f"{name} imports {one}" for one in wrong]


def circle(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one circle; [] where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def too_long(name: str, tree: ast.Module, lines: int) -> list[str]:
    found = [f"{name}: {lines} lines"] if lines > FILE_LINES else []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            found += [f"{name}.{node.name}: {length} lines"] if length > FUNCTION_LINES else []
    return found


def test_arrows_go_down(imports: dict[str, set[str]]) -> None:
    assert [row for name, targets in imports.items() for row in arrows(name, targets)] == []


def test_no_modules_import_each_other(imports: dict[str, set[str]]) -> None:
    assert circle(imports) == []


def test_everything_can_be_read_at_once(trees: dict[str, ast.Module]) -> None:
    lines = {
        name: len((PROJECT_ROOT / path).read_text("utf-8").splitlines()) for name, path in MODULES.items()
    }
    assert [row for name, tree in trees.items() for row in too_long(name, tree, lines[name])] == []


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("besedka.checks.run", "besedka.restart.engine"),
        ("besedka.rocketchat.rest", "besedka.checks.finding"),
        ("besedka.stacks.model", "faults.fault"),
        ("besedka.checks.run", "pytest"),
        ("besedka.brand_new", "besedka.contract"),
        ("standins.rocketchat.app", "besedka.contract"),
        ("web.manage", "besedka.contract"),
        ("faults.fault", "fixtures.stack"),
    ],
)
def test_an_arrow_that_was_turned_round_is_named(name: str, target: str) -> None:
    assert arrows(name, {target}) == [f"{name} imports {target}"]


def test_a_circle_is_named() -> None:
    assert set(circle({"a": {"b"}, "b": {"a"}})) == {"a", "b"}


def test_what_is_too_long_is_named() -> None:
    body = "\n".join(["def f():", *["    pass"] * FUNCTION_LINES])
    assert too_long("m", ast.parse(body), FILE_LINES + 1) == ["m: 401 lines", "m.f: 61 lines"]


def test_the_page_shows_every_room() -> None:
    page = (PROJECT_ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = [f"{room}{'/' if (PROJECT_ROOT / 'besedka' / room).is_dir() else '.py'}" for room in ALLOWED]
    assert [room for room in rooms if f"{room}`" not in page] == []
