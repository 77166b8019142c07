"""What is called MongoDB: by what the server says and does, not by its program's name."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.stacks.services import genuine

# As a mongod 7.0.14 of MongoDB's archive says it (buildInfo, MongoDB's manual).
_OURS: dict[str, Any] = {
    "version": "7.0.14",
    "versionArray": [7, 0, 14, 0],
    "gitVersion": "ce59cfc6a3c5e5c067dca0d30697edd68d4f5188",
    "storageEngines": ["devnull", "wiredTiger"],
}


def test_what_mongodb_says_of_itself() -> None:
    assert genuine.says_so(_OURS)
    assert genuine.says_so(_OURS | {"version": "7.0.14-rc0"})


@pytest.mark.parametrize(
    "other",
    [
        {"gitVersion": "the stand-in"},
        {"storageEngines": ["memory"]},
        {"version": "8.0.1"},
        {"versionArray": []},
    ],
    ids=str,
)
def test_what_others_say_of_themselves(other: dict[str, Any]) -> None:
    assert not genuine.says_so(_OURS | other)
