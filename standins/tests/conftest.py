"""Which contract tests are asked of a server that is not a stand-in."""

from __future__ import annotations

import pytest

from besedka.stacks.kind import resolved
from fixtures.options import CONTRACT_KEY
from standins.tests.questions import FOLDER, standin_only
from standins.tests.results import pytest_runtest_makereport, pytest_terminal_summary

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_makereport", "pytest_terminal_summary"]
_MONGO = "asks a MongoDB of its own: --mongod=PATH without --stack"


def _reason(item: pytest.Item) -> str | None:
    """Why a test is not asked of a server that is there: MongoDB is asked by `--mongod`, in a folder of its own."""
    return standin_only(item) or (_MONGO if item.path.is_relative_to(FOLDER / "mongo") else None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what only a stand-in can be asked where the stack is somebody's real one."""
    alone = {item: why for item in items if item.path.is_relative_to(FOLDER) and (why := _reason(item))}
    if not alone:
        return
    version = config.getoption("--rocketchat-version")
    kind, _ = resolved(config.getoption("--stack"), config.stash[CONTRACT_KEY], version)
    if kind == "embedded":
        return
    for item, why in alone.items():
        item.add_marker(pytest.mark.skip(reason=f"not asked on --stack={kind}: {why}"))
