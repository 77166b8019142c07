"""The sentences that a person reads, collected from the code: f-strings as templates with named places."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3] / "besedka"
# Where findings, advice, errors and progress are worded.
ROOMS = ("checks", "provision", "restart", "stacks", "commands", "rocketchat", "pages", "load")
MODULES = tuple(path.stem for path in ROOT.glob("*.py") if path.stem not in {"exit_statuses", "browser"})
# What calls of these names take is code, or English by intent: help of options, questions of checks.
_CODE_CALLS = {
    "compile",
    "search",
    "sub",
    "match",
    "findall",
    "split",
    "execute",
    "Option",
    "Argument",
    "getenv",
}
_CODE_CALLS |= {
    "check",
    "Check",
    "TypeVar",
    "word",
    "Literal",
    "cast",
    "command",
    "Typer",
    "startswith",
    "endswith",
}
_CODE_WORDS = {"codes", "needs", "after", "question", "metavar", "help", "cls", "style", "rich_markup_mode"}
_CODE = re.compile(
    r"\b(SELECT|UPDATE|WHERE|ORDER BY|NOT IN|DECLARE)\b|=>|\[\w+=|\bconst |^export |\(\\d|</|\bimport \w|\bdef \w+\(|^client_id |^/Library"
)
# What errors of the plugins are made of.
_OF_ERRORS = {"_WITHOUT_EFFECT", "self._config.stash[TROUBLE_KEY]"}
# Constants that are patterns and scripts.
_CODE_NAMES = {"SIGNS", "BAD_HASH_DETAILS", "LAUNCHER", "WINDOWS_LAUNCHER", "EXAMPLES", "_TESTS"}
# They write pages of docs/ in English, or rows of the tables of Locust.
_GENERATORS = {"document.py", "examples.py", "locustfile.py"}


def sentences() -> dict[str, set[str]]:
    """Template → the modules that say it."""
    found: dict[str, set[str]] = {}
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    paths = [path for path in paths if path.name not in _GENERATORS]
    paths += [ROOT / f"{name}.py" for name in MODULES]
    for path in sorted((ROOT.parent / "fixtures").glob("*.py")) + sorted(_tests()):
        for template in _why_skipped(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(template, set()).add(path.relative_to(ROOT.parent).as_posix())
    for path in sorted((ROOT.parent / "fixtures").glob("*.py")):
        for template in _errors(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(template, set()).add(path.relative_to(ROOT.parent).as_posix())
    # `run.py` and its set-up speak before anything is installed.
    paths += (ROOT.parent / "bootstrap").glob("*.py")
    for path in sorted(paths):
        for template in _of(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(template, set()).add(path.relative_to(ROOT.parent).as_posix())
    return found


def _tests() -> Iterator[Path]:
    """Those whose run has a page: of a stack."""
    for folder in ("e2e", "api"):
        yield from (ROOT.parent / "tests" / folder).glob("*.py")


def _why_skipped(tree: ast.Module) -> Iterator[str]:
    """The reasons of skips, and the constants that they are made of."""
    for node in ast.walk(tree):
        said: list[ast.expr] = []
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".skip", ".skipif")):
            said = node.args[:1] + [row.value for row in node.keywords if row.arg == "reason"]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"READ_ONLY", "DOES_NOT_APPLY"}:
            said = [node.value]
        for value in said:
            if isinstance(value, ast.JoinedStr):
                yield _template(value)
            elif isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def _errors(tree: ast.Module) -> Iterator[str]:
    """What errors of the plugins say: they end a run, and stand on its page."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = ast.unparse(node.func)
            said = (
                re.fullmatch(
                    r"(?!Assertion|Value|Key|OS)\w+Error|_wrong|super\(\).__init__|pytest\.fail|pytest\.mark\.xfail",
                    named,
                )
                is not None
            )
        else:
            said = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _OF_ERRORS
        if said:
            yield from _of(ast.Module([ast.Expr(node) if isinstance(node, ast.expr) else node], []))


def _of(tree: ast.Module) -> Iterator[str]:
    passed = _not_said(tree)
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            text = _template(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.replace("{", "{{").replace("}", "}}")
        else:
            continue
        if _is_prose(text):
            yield text


def _not_said(tree: ast.Module) -> set[int]:
    """Docstrings, the inside of f-strings, what is a key, and what goes to calls of code."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        hidden: list[ast.AST] = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [
                row for row in node.body if isinstance(row, ast.Expr) and isinstance(row.value, ast.Constant)
            ]
        elif isinstance(node, ast.JoinedStr):
            # A sentence inside an expression of an f-string is one of its own.
            hidden = [row for row in node.values if isinstance(row, ast.Constant)]
            hidden += [
                row.format_spec
                for row in node.values
                if isinstance(row, ast.FormattedValue) and row.format_spec
            ]
        elif isinstance(node, ast.Dict):
            hidden = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.Subscript):
            hidden = [node.slice]
        elif isinstance(node, ast.Compare):
            hidden = [node.left, *node.comparators]
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            hidden = [row.value for row in node.keywords if row.arg in _CODE_WORDS]
            hidden = [row for row in hidden if not _asks(row)]
            if name in _CODE_CALLS:
                hidden += [*node.args, *(row.value for row in node.keywords if not _asks(row.value))]
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            hidden = [node.annotation] if isinstance(node, ast.AnnAssign) else []
            hidden += [node.value] if node.value and ast.unparse(target) in _CODE_NAMES else []
        for row in hidden:
            passed |= {id(inner) for inner in ast.walk(row)}
    return passed


def _asks(node: ast.expr) -> bool:
    """Whether this is a question with a place: one sentence for many checks, which say the others."""
    return isinstance(node, ast.JoinedStr) and ast.unparse(node).rstrip("'\"").endswith("?")


def _template(node: ast.JoinedStr) -> str:
    parts: list[str] = []
    names: dict[str, str] = {}
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value).replace("{", "{{").replace("}", "}}"))
        elif isinstance(value, ast.FormattedValue):
            name, code = _name(value.value), ast.unparse(value.value)
            number = 1
            while names.get(name, code) != code:
                number += 1
                name = f"{_name(value.value)}{number}"
            names[name] = code
            parts.append(f"{{{name}}}")
    return "".join(parts)


def _name(node: ast.AST) -> str:
    """The name of a place: the last name of what is put there."""
    inner: ast.AST | None = None
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name != "join":
            return name.strip("_").lower()
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner, *_]):
            pass
        case ast.Call(func=ast.Name(), args=[inner, *_]):
            pass
        case ast.Call(func=ast.Attribute(value=ast.Constant()), args=[inner, *_]):
            pass
        case (
            ast.Call(func=inner)
            | ast.Subscript(value=inner)
            | ast.BinOp(left=inner)
            | ast.Starred(value=inner)
        ):
            pass
        case ast.GeneratorExp(generators=[first, *_]) | ast.ListComp(generators=[first, *_]):
            inner = first.iter
        case ast.BoolOp(values=[inner, *_]):
            pass
        case ast.IfExp():
            return "either"
    return _name(inner) if inner is not None else "value"


def _is_prose(text: str) -> bool:
    """At least two words, one of them of small letters, and no SQL, selector or JavaScript."""
    bare = re.sub(r"\{\w+\}", " ", text)
    if _CODE.search(bare):
        return False
    return (
        bool(re.search(r"\b[a-z]{2,}\b", bare))
        and " " in text.strip()
        and bool(re.search(r"(?:[A-Za-z]{2,}|\ba)\W* |[,;:] ", text))
    )
