"""Faults of the workspace as a whole: what it keeps, and the id by which it is told from another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault

_OWN_ID = {"_id": "uniqueID"}
_POLICY = {"enabled": True, "overrideGlobal": True, "filesOnly": False, "excludePinned": False}


@contextmanager
def _kept_by_the_room(one: BreakableStack, **policy: object) -> Iterator[None]:
    """The policy is on and applies to no kind of rooms; one room has its own."""
    retention = {"$set": {"retention": _POLICY | policy}}
    with (
        one.setting("RetentionPolicy_Enabled", True),
        one.changed("rocketchat_room", {"name": names.DEFAULT.name}, retention),
    ):
        yield


FAULTS = (
    Fault(
        "room_forgets_its_messages",
        "integrity.retention.short",
        lambda one: _kept_by_the_room(one, maxAge=1),
    ),
    Fault(
        "files_of_a_room_deleted_after_a_week",
        "integrity.retention.short",
        lambda one: _kept_by_the_room(one, maxAge=7, filesOnly=True),
    ),
    Fault(
        "workspace_without_its_id",
        "integrity.workspace.nameless",
        lambda one: one.removed("rocketchat_settings", _OWN_ID),
    ),
    Fault(
        "workspace_with_an_empty_id",
        "integrity.workspace.nameless",
        lambda one: one.changed("rocketchat_settings", _OWN_ID, {"$set": {"value": ""}}),
    ),
)
