"""Files: taken by `rooms.upload`, kept in Mongo, given to those who may read the room.

After `app/api/server/v1/rooms.ts`, `app/file-upload/server`; answers were read from a running 6.5.3.
"""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from standins.rocketchat.access import can_access, find_room
from standins.rocketchat.api import sign_in
from standins.rocketchat.documents import Document, random_id
from standins.rocketchat.errors import RocketError, forbidden
from standins.rocketchat.messages import check_can_send, post
from standins.rocketchat.parameters import listing
from standins.rocketchat.registry import Call, route
from standins.rocketchat.server import Server

_COLLECTION, _CONTENT = "rocketchat_uploads", "rocketchat_uploads.chunks"
_KINDS = ("image", "audio", "video")


@route("rooms.upload/:rid", "POST")
async def upload(call: Call) -> Document:
    """A file of a multipart body, and the message that shows it."""
    room = await call.server.rooms.find_one({"_id": call.query["rid"]})
    if room is None or not await can_access(call.server, call.user, room):
        raise forbidden()
    sent = call.body.get("file")
    if not isinstance(sent, dict) or "content" not in sent:
        raise RocketError("invalid-field")
    most = int(call.server.settings.get("FileUpload_MaxFileSize") or -1)
    if not call.server.settings.get("FileUpload_Enabled"):
        raise RocketError("error-file-upload-disabled", "File upload is disabled")
    if -1 < most < len(sent["content"]):
        raise RocketError("error-file-too-large", "File is too large")
    await check_can_send(call.server, call.me, room)
    file = await _keep(call, room, sent)
    text = {name: str(call.body.get(name) or "") for name in ("msg", "description", "tmid")}
    brief = {"_id": file["_id"], "name": file["name"], "type": file["type"]}
    fields: Document = {
        "file": brief,
        "files": [brief],
        "attachments": [_attachment(file, text["description"])],
    }
    fields |= {"tmid": text["tmid"]} if text["tmid"] else {}
    return {"message": await post(call.server, room, call.me, text["msg"], fields | {"groupable": False})}


async def _keep(call: Call, room: Document, sent: Document) -> Document:
    now, file_id = call.server.now(), random_id()
    path = f"/file-upload/{file_id}/{quote(sent['filename'])}"
    file = {"_id": file_id, "name": sent["filename"], "type": sent["type"], "size": len(sent["content"])}
    file |= {
        "rid": room["_id"],
        "userId": call.uid,
        "store": "GridFS:Uploads",
        "complete": True,
        "progress": 1,
    }
    file |= {"uploading": False, "uploadedAt": now, "_updatedAt": now, "path": path}
    file["url"] = call.server.config.root_url + path
    file["typeGroup"] = sent["type"].partition("/")[0]
    await call.server.db[_COLLECTION].insert_one(file)
    await call.server.db[_CONTENT].insert_one({"files_id": file_id, "n": 0, "data": sent["content"]})
    return file


def _attachment(file: Document, description: str) -> Document:
    """How a message shows a file (`app/file-upload/server/methods/sendFileMessage.ts`)."""
    link, kind = f"/file-upload/{file['_id']}/{quote(file['name'])}", file["typeGroup"]
    shown: Document = {"title": file["name"], "type": "file", "description": description}
    shown |= {"title_link": link, "title_link_download": True}
    if kind in _KINDS:
        return shown | {f"{kind}_url": link, f"{kind}_type": file["type"], f"{kind}_size": file["size"]}
    return shown | {"format": PurePosixPath(file["name"]).suffix.lstrip(".").upper(), "size": file["size"]}


async def browser(request: Request) -> Call:
    """Who asks for a page or a picture: signed in by header, cookie or address."""
    server: Server = request.app.state.server
    call = Call(server, headers=dict(request.headers))
    for given in (request.cookies, request.query_params):
        if "rc_uid" in given:
            call.headers |= {"x-user-id": given["rc_uid"], "x-auth-token": given.get("rc_token", "")}
    await sign_in(server, call)
    return call


async def file(request: Request) -> Response:
    """GET /file-upload/<id>/<name>: 403 to who is signed in neither by header, cookie nor address."""
    server: Server = request.app.state.server
    call = await browser(request)
    found = await server.db[_COLLECTION].find_one({"_id": request.path_params["id"]})
    if found is None:
        return Response(status_code=404)
    room = await find_room(server, found["rid"])
    protected = server.settings.get("FileUpload_ProtectFiles")
    if protected and (room is None or call.user is None or not await can_access(server, call.user, room)):
        return Response(status_code=403)
    kept = await server.db[_CONTENT].find_one({"files_id": found["_id"]})
    shown = "inline" if found["typeGroup"] in _KINDS else "attachment"
    headers = {"Content-Disposition": f"{shown}; filename*=UTF-8''{quote(found['name'])}"}
    headers |= {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "max-age=31536000"}
    content: Any = kept["data"] if kept else b""
    return Response(bytes(content), media_type=found["type"], headers=headers)


def _list(path: str) -> None:
    @route(path, "GET")
    async def files(call: Call) -> Document:
        """The files of a room, newest first, with who sent them."""
        room = await _named(call)
        collection = call.server.db[_COLLECTION]
        page = await listing(call, collection, {"rid": room["_id"]}, "files", [("uploadedAt", -1)])
        ids = {"$in": [row["userId"] for row in page["files"]]}
        names = call.server.users.find({"_id": ids}, {"username": 1, "name": 1})
        people = {person["_id"]: person async for person in names}
        return page | {"files": [row | {"user": people.get(row["userId"])} for row in page["files"]]}


async def _named(call: Call) -> Document:
    """The room that `roomId`, `roomName` or, for a direct one, the other's `username` names."""
    key = call.query.get("roomId") or call.query.get("roomName")
    room = await find_room(call.server, key) if key else None
    if room is None and (other := call.query.get("username")):
        query = {"t": "d", "usernames": {"$all": [other, call.me["username"]]}}
        room = await call.server.rooms.find_one(query)
    if room is None or not await can_access(call.server, call.user, room):
        raise RocketError("error-room-not-found", "The required room does not match any")
    return room


for _family in ("channels", "groups", "im"):
    _list(f"{_family}.files")
