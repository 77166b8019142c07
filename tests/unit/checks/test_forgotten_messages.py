"""Rocket.Chat's retention policy: messages of the contract's rooms that go by their age."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from besedka.checks.examination import Examination
from tests.unit.checks.documents import codes, severities

ON = {"RetentionPolicy_Enabled": True, "RetentionPolicy_FilesOnly": False}
OLD = ON | {"RetentionPolicy_AppliesToChannels": True, "RetentionPolicy_MaxAge_Channels": 3}
# 7.7.1 keeps both, and goes by milliseconds.
NEW = OLD | {"RetentionPolicy_TTL_Channels": 86_400_000}


@pytest.mark.parametrize(
    ("effective", "found"),
    [
        ({}, []),
        (ON, []),
        (OLD, ["rooms.writing.forgets"]),
        (NEW, ["rooms.writing.forgets"]),
        (OLD | {"RetentionPolicy_Enabled": False}, []),
        (OLD | {"RetentionPolicy_FilesOnly": True}, []),
    ],
)
def test_messages_that_are_deleted_by_age_are_a_risk(
    effective: dict[str, Any], found: list[str], holding: Callable[..., Examination]
) -> None:
    examination = holding(effective=effective)
    rooms: Any = SimpleNamespace(rooms=defaultdict(lambda: SimpleNamespace(encrypted=False)))
    examination.roster = rooms
    assert codes("rooms.writing", examination) == found
    assert set(severities("rooms.writing", examination)) == ({"risk"} if found else set())


def test_who_wants_it_in_the_contract_is_left_alone(holding: Callable[..., Examination]) -> None:
    examination = holding(effective=OLD)
    rooms: Any = SimpleNamespace(rooms=defaultdict(lambda: SimpleNamespace(encrypted=False)))
    examination.roster = rooms
    wanted = {"RetentionPolicy_Enabled": True}
    examination.contract = examination.contract.model_copy(update={"settings": wanted})
    assert codes("rooms.writing", examination) == []
