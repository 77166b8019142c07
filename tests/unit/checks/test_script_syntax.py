"""Scripts that V8 cannot read are named with its own words."""

from __future__ import annotations

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


def test_without_a_parser_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_syntax, "_node", lambda: None)
    assert unreadable({"/cut-too.js": "function ("}, frozenset()) == {}
