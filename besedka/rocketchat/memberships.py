"""The rooms that somebody is in, as Rocket.Chat tells an administrator of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class _Asked(Protocol):
    def get(self, path: str, **query: str | int) -> dict[str, Any]: ...


def rooms_of(chat: _Asked, version: str, user_id: str) -> Iterator[str]:
    """Ids of the rooms in which the account has a membership row.

    A room's list of members is no answer to that: it is read from `users.__rooms`, which still names a room
    whose membership was deleted (measured on 6.13.0). `includeUserRooms` came with 7.0; 6.x refuses it and
    knows `fields` (measured on 6.13.0; `apps/meteor/app/api/server/v1/users.ts`).
    """
    old = version.partition(".")[0] == "6"
    query = {"fields": '{"userRooms": 1}'} if old else {"includeUserRooms": "true"}
    for row in chat.get("users.info", userId=user_id, **query)["user"].get("rooms") or ():
        yield str(row.get("rid"))
