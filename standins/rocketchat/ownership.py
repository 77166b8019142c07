"""What becomes of the rooms whose only owner goes.

After `app/lib/server/functions/getRoomsWithSingleOwner.ts` and `relinquishRoomOwnerships.ts`: the member who
has been there longest takes over. Where nobody else is, a private room is removed and a public one stays.
"""

from dataclasses import dataclass, field

from standins.rocketchat.access import change_subscription, erase_rooms
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError
from standins.rocketchat.server import Server


@dataclass(frozen=True)
class Estate:
    """Ids of rooms to remove, and subscriptions of members who become owners."""

    removed: list[str] = field(default_factory=list)
    heirs: list[Document] = field(default_factory=list)


async def estate_of(server: Server, user: Document) -> Estate:
    """What has to happen to rooms before `user` can go."""
    estate, rows = Estate(), server.subscriptions
    async for mine in rows.find({"u._id": user["_id"]}):
        others = await rows.find({"rid": mine["rid"], "u._id": {"$ne": user["_id"]}}).sort("ts", 1).to_list()
        owns = "owner" in (mine.get("roles") or [])
        if owns and any("owner" in (row.get("roles") or []) for row in others):
            continue
        heir = await _first_active(server, others) if owns else None
        if heir is not None:
            estate.heirs.append(heir)
        elif mine["t"] != "c" and (owns or not others):
            estate.removed.append(mine["rid"])
    return estate


async def _first_active(server: Server, rows: list[Document]) -> Document | None:
    for row in rows:
        if await server.users.find_one({"_id": row["u"]["_id"], "active": True}, {"_id": 1}):
            return row
    return None


async def refuse_last_owner(server: Server, estate: Estate) -> None:
    """Raise `user-last-owner` with the rooms' names, unless there is nothing to relinquish."""
    if not estate.removed and not estate.heirs:
        return
    details = {
        "shouldBeRemoved": await _names(server, estate.removed),
        "shouldChangeOwner": await _names(server, [row["rid"] for row in estate.heirs]),
    }
    raise RocketError("user-last-owner", "", details)


async def _names(server: Server, rids: list[str]) -> list[str]:
    rooms = server.rooms.find({"_id": {"$in": rids}}, {"name": 1, "fname": 1})
    return [str(room.get("fname") or room.get("name")) async for room in rooms]


async def relinquish(server: Server, estate: Estate) -> None:
    """Give the rooms to their heirs and remove the ones that nobody is left in."""
    for row in estate.heirs:
        await change_subscription(server, {"_id": row["_id"]}, {"$addToSet": {"roles": "owner"}})
    await erase_rooms(server, estate.removed)
