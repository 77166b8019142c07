"""Scripts that V8 cannot read are named with its own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.checks import script_syntax
from besedka.checks.script_syntax import unreadable


def test_a_script_that_cannot_be_read_is_named_with_its_line() -> None:
    texts = {"/whole.js": "import './x.js';", "/cut.js": "const a = 1;\nfunction b( {", "/plain": "let a;"}
    said = unreadable(texts, frozenset({"/whole.js", "/cut.js"}))
    assert set(said) == {"/cut.js"}
    assert "SyntaxError" in said["/cut.js"]


def test_a_module_that_is_told_to_be_none_cannot_be_read() -> None:
    assert "outside a module" in unreadable({"/a.js": "import './x.js';"}, frozenset())["/a.js"]


@pytest.mark.parametrize("parser", [None, "/nowhere/node", "/bin/false", "/bin/true"])
def test_without_a_parser_that_works_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, parser: str | None
) -> None:
    monkeypatch.setattr(script_syntax, "_node", lambda: parser)
    assert unreadable({f"/cut-for-{parser}.js": "function ("}, frozenset()) == {}


def test_a_parser_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hanging = tmp_path / "node"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n", "utf-8")
    hanging.chmod(0o755)
    monkeypatch.setattr(script_syntax, "_node", lambda: str(hanging))
    monkeypatch.setattr(script_syntax, "_SECONDS", 0.2)
    assert unreadable({"/cut-and-hangs.js": "function ("}, frozenset()) == {}
