"""Who may do what: permission rows with their roles, kept in memory and in `rocketchat_permissions`.

Defaults after Rocket.Chat's `app/authorization/server/constant/permissions.ts`, but omnichannel and teams.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

    from standins.rocketchat.server import Server

_DATA = Path(__file__).with_name("permissions.json")
# Roles held in a room, on its subscription, not on the user.
ROOM_ROLES = ("owner", "moderator", "leader")


class Permissions:
    """The effective permission rows: `{permission: roles}`."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]]) -> None:
        self._collection = db["rocketchat_permissions"]
        self._roles = db["rocketchat_roles"]
        self.rows: dict[str, dict[str, Any]] = {}

    async def load(self, now: datetime) -> None:
        """Boot: insert default roles and permissions that are missing; rows that exist are kept."""
        data = json.loads(_DATA.read_text(encoding="utf-8"))
        known = {role["_id"] async for role in self._roles.find({}, {"_id": 1})}
        fresh = [
            {"_id": name, "name": name, "description": text, "mandatory2fa": False, "protected": True}
            | {"scope": "Subscriptions" if name in ROOM_ROLES else "Users", "_updatedAt": now}
            for name, text in data["roles"].items()
            if name not in known
        ]
        if fresh:
            await self._roles.insert_many(fresh)
        self.rows = {row["_id"]: row async for row in self._collection.find()}
        missing = [
            {"_id": name, "roles": group["roles"], "_updatedAt": now}
            for group in data["permissions"]
            for name in group["names"]
            if name not in self.rows
        ]
        if missing:
            await self._collection.insert_many(missing)
            self.rows |= {row["_id"]: row for row in missing}

    def roles(self, permission: str) -> list[str]:
        row = self.rows.get(permission)
        return row["roles"] if row else []

    async def set_roles(self, permission: str, roles: list[str], now: datetime) -> dict[str, Any]:
        """Replace the roles of one permission and return its row; the caller announces the change."""
        row = {"_id": permission, "roles": roles, "_updatedAt": now}
        await self._collection.replace_one({"_id": permission}, row, upsert=True)
        self.rows[permission] = row
        return row


async def has_permission(
    server: Server, user: dict[str, Any] | None, permission: str, room_id: str | None = None
) -> bool:
    """Whether the user's roles, or those of their subscription in the room, hold the permission.

    Nobody signed in is the role `anonymous`.
    """
    allowed = server.permissions.roles(permission)
    held = ["anonymous"] if user is None else user.get("roles") or []
    if any(role in allowed for role in held):
        return True
    if user is None or room_id is None or not any(role in allowed for role in ROOM_ROLES):
        return False
    subscription = await server.db["rocketchat_subscription"].find_one({"rid": room_id, "u._id": user["_id"]})
    return any(role in allowed for role in (subscription or {}).get("roles") or [])
