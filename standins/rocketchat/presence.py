"""Who is online: a user is while a socket of theirs is signed in (`ee/packages/presence`)."""

from collections import Counter

from standins.rocketchat.documents import Document
from standins.rocketchat.server import Server

STATUSES = ("offline", "online", "away", "busy")
_open_sockets: Counter[str] = Counter()


async def went_online(server: Server, uid: str) -> None:
    """A socket signed in; the first one brings the user's chosen status back."""
    _open_sockets[uid] += 1
    if _open_sockets[uid] == 1:
        user = await server.users.find_one({"_id": uid}, {"statusDefault": 1})
        chosen = (user or {}).get("statusDefault") or "online"
        await _write(server, uid, {"status": chosen, "statusConnection": "online"})


async def went_offline(server: Server, uid: str) -> None:
    """A socket of the user's closed or signed out."""
    _open_sockets[uid] -= 1
    if _open_sockets[uid] <= 0:
        del _open_sockets[uid]
        await _write(server, uid, {"status": "offline", "statusConnection": "offline"})


async def choose_status(server: Server, uid: str, status: str, text: str | None = None) -> None:
    """The user picked a status: one of STATUSES, and perhaps a text."""
    fields: Document = {"status": status, "statusDefault": status}
    await _write(server, uid, fields | ({} if text is None else {"statusText": text}))


async def _write(server: Server, uid: str, fields: Document) -> None:
    user = await server.users.find_one_and_update({"_id": uid}, {"$set": fields}, return_document=True)
    if user is not None:
        code = STATUSES.index(user["status"]) if user.get("status") in STATUSES else 0
        change = [user.get("username"), code, user.get("statusText") or ""]
        server.hub.publish("stream-user-presence", uid, change)
        server.hub.publish("stream-notify-logged", "user-status", [uid, *change])
