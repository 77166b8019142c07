"""`python -m standins.tests.questions`: how many questions any server can be asked, and which only a stand-in.

Printed as JSON: `any server`, a number; `stand-in only`, rows of file, reason and number. What it counts is what
pytest collects with `-m conformance`, each set of parameters a question of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# Without one of these fixtures a test asks the stand-in's own tables and no server.
_SERVERS = {"chat", "changeable", "oauth", "misused", "mongo_url"}
_OWN = {"standins", "standin", "make_standin"}
_TABLES = "reads the stand-in's own tables or calls its own program, no server"


def standin_only(item: pytest.Item) -> str | None:
    """Why a question can be asked of a stand-in alone; None if any server can be asked."""
    asked = set(getattr(item, "fixturenames", ()))
    if asked & _OWN:
        assert isinstance(item, pytest.Function)
        return str(item.module.STANDIN_ONLY)
    return None if asked & _SERVERS else _TABLES


class _Census:
    def __init__(self) -> None:
        self.any_server = 0
        self.alone: Counter[tuple[str, str]] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            why = standin_only(item)
            self.any_server += why is None
            if why:
                self.alone[item.path.relative_to(FOLDER).as_posix(), why] += 1


def main() -> None:
    """Collect, and print."""
    census = _Census()
    with contextlib.redirect_stdout(io.StringIO()):
        arguments = [str(FOLDER), "-m", "conformance", "--collect-only", "-q", "-n", "0"]
        status = pytest.main(arguments, plugins=[census])
    rows = [[file, why, number] for (file, why), number in sorted(census.alone.items())]
    json.dump({"any server": census.any_server, "stand-in only": rows}, sys.stdout)
    sys.exit(status)


if __name__ == "__main__":
    main()
