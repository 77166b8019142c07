"""Markers stand where `-m` looks for them."""

from __future__ import annotations

import re

import pytest

from besedka.contract import PROJECT_ROOT
from fixtures.selection import FOLDER_OF_MARKER


@pytest.mark.parametrize("marker", FOLDER_OF_MARKER)
def test_a_marker_is_used_in_its_folder_only(marker: str) -> None:
    used = re.compile(rf"pytest\.mark\.{marker}\b")
    files = {
        path.relative_to(PROJECT_ROOT).as_posix()
        for folder in ("tests", "standins/tests")
        for path in (PROJECT_ROOT / folder).rglob("*.py")
        if used.search(path.read_text(encoding="utf-8"))
    }

    assert files, f"no test is marked {marker}"
    assert {name for name in files if not name.startswith(FOLDER_OF_MARKER[marker] + "/")} == set()
