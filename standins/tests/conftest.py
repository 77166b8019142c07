"""Which contract tests are asked of a server that is not a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.stacks.kind import resolved
from fixtures.options import CONTRACT_KEY
from standins.tests.results import pytest_runtest_makereport, pytest_terminal_summary

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_makereport", "pytest_terminal_summary"]
_HERE = Path(__file__).parent


def _reason(item: pytest.Item) -> str | None:
    """Why a test can be asked of a stand-in alone, None if it can be asked of any server."""
    if item.path.is_relative_to(_HERE / "mongo"):
        return "is about MongoDB's stand-in"
    if "standins" in getattr(item, "fixturenames", ()):
        assert isinstance(item, pytest.Function)
        return str(item.module.STANDIN_ONLY)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what only a stand-in can be asked where the stack is somebody's real one."""
    alone = {item: why for item in items if item.path.is_relative_to(_HERE) and (why := _reason(item))}
    if not alone:
        return
    version = config.getoption("--rocketchat-version")
    kind, _ = resolved(config.getoption("--stack"), config.stash[CONTRACT_KEY], version)
    if kind == "embedded":
        return
    for item, why in alone.items():
        item.add_marker(pytest.mark.skip(reason=f"asks a stand-in, not --stack={kind}: {why}"))
