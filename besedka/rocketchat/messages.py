"""Messages of a room as the web client first loads them."""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection

# client/lib/RoomHistoryManager (`app/ui-utils`, 6.13.0) asks for so many.
_SHOWN = 50


def newest(table: Collection[dict[str, Any]], room_id: Any) -> list[dict[str, Any]]:
    """The messages of the room that are shown at first, the newest first; hidden ones are never shown."""
    query = {"rid": room_id, "_hidden": {"$ne": True}}
    return list(table.find(query).sort("ts", -1).limit(_SHOWN))
