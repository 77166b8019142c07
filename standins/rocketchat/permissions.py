"""Who may do what: permission rows with their roles, kept in memory and in `rocketchat_permissions`.

Defaults after Rocket.Chat's `app/authorization/server/constant/permissions.ts`, but omnichannel and teams.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

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

    async def stored(self) -> dict[str, dict[str, Any]]:
        """The rows of MongoDB, which Rocket.Chat shows (`app/authorization/server/streamer/permissions`).

        What a script writes there is obeyed here after the next start; when there, is unknown.
        """
        return {row["_id"]: row async for row in self._collection.find()}

    def roles(self, permission: str) -> list[str]:
        row = self.rows.get(permission)
        return row["roles"] if row else []

    async def set_roles(self, permission: str, roles: list[str], now: datetime) -> dict[str, Any]:
        """Replace the roles of one permission and return its row; the caller announces the change."""
        row = {"_id": permission, "roles": roles, "_updatedAt": now}
        await self._collection.replace_one({"_id": permission}, row, upsert=True)
        self.rows[permission] = row
        return row
