"""Rubbish on the port, broken bodies, frames and fields: refused by name, and everybody else is served.

Asked of any server: what is sent is an account's without rights where the server is somebody's.
"""

from __future__ import annotations

import base64
import random
import socket as sockets
import struct
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from .chat import Chat
from .misuse import Misused
from .sockets import socket
from .versions import at

pytestmark = pytest.mark.conformance

_HTTP = b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\n"
_RUBBISH = {
    "bytes": bytes(random.Random(7).randrange(256) for _ in range(5000)),  # noqa: S311 - not for secrets
    "nothing": b"",
    "half a request": b"GET /api/info HT",
    "lying length": _HTTP + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    "bad length": _HTTP + b"Content-Length: -5\r\n\r\n",
    "huge header": b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "bad chunks": _HTTP + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
    "no upgrade": b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("kind", _RUBBISH)
def test_rubbish_on_the_port_leaves_it_serving(misused: Misused, kind: str) -> None:
    """Refused or dropped, and everybody else is served meanwhile."""
    chat = misused.chat
    with ExitStack() as opened:
        for _ in range(20):
            peer = opened.enter_context(sockets.create_connection(_address(chat), timeout=5))
            try:
                peer.sendall(_RUBBISH[kind])
            except (BrokenPipeError, ConnectionResetError):
                continue
        assert chat.admin.get("me").status == 200
    assert chat.admin.get("me").status == 200


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff" * 100, b"NaN", b'"\\ud800"', b"9" * 10_000],
    ids=["brace", "deep list", "deep object", "no text", "NaN", "surrogate", "long number"],
)
@pytest.mark.parametrize("path", ["login", "method.callAnon/login", "chat.postMessage"])
def test_bad_json_is_a_refusal_never_a_500(misused: Misused, path: str, raw: bytes) -> None:
    """A body that does not parse counts as empty since 7.6 (router.ts, parseBodyParams); a page says so before."""
    headers = {"Content-Type": "application/json"}
    answer = misused.caller.request("POST", f"/api/v1/{path}", data=raw, headers=headers)
    assert answer.status in {400, 401}, answer.text
    assert answer.headers["Content-Type"].startswith(at(misused.chat.version, "broken body"))


_FIELDS = {
    "channels.create": ("name", "members", "readOnly", "extraData"),
    "channels.join": ("roomId", "roomName", "joinCode"),
    "channels.invite": ("userId", "username", "userIds", "usernames"),
    "channels.kick": ("userId", "username"),
    "channels.addOwner": ("userId", "username"),
    "channels.setDefault": ("default",),
    "channels.setTopic": ("topic",),
    "channels.setJoinCode": ("joinCode",),
    "groups.create": ("name", "members"),
    "groups.invite": ("roomId", "userId"),
    "rooms.saveRoomSettings": ("rid", "default", "roomTopic"),
    "rooms.delete": ("roomId",),
    "users.create": ("email", "name", "password", "username", "roles"),
    "users.update": ("userId", "data"),
    "users.delete": ("userId", "username"),
    "users.setStatus": ("status", "message"),
    "chat.postMessage": ("roomId", "channel", "text"),
    "chat.sendMessage": ("message",),
    "chat.delete": ("roomId", "msgId"),
    "subscriptions.read": ("rid",),
    "roles.addUserToRole": ("roleId", "username"),
    "permissions.update": ("permissions",),
    "settings.addCustomOAuth": ("name",),
    "login": ("user", "password", "resume", "oauth", "accessToken", "totp", "iframe"),
    "method.call/x": ("message",),
}
_WRONG: tuple[Any, ...] = (
    None,
    True,
    5,
    -1.5,
    "",
    [],
    [5],
    [{}],
    {},
    {"$ne": 1},
    {"a": [1]},
    "\0",
    "\ud800",
    "9" * 400,
)


@pytest.mark.parametrize("path", _FIELDS)
def test_wrong_types_are_refused_by_name(misused: Misused, path: str) -> None:
    """A value of any type in any documented field: no 500, and nothing the server did not expect."""
    caller, before = misused.caller, misused.written()
    rid = misused.chat.room(caller)["_id"]
    for field in _FIELDS[path]:
        for value in _WRONG:
            body = {field: value} | ({} if field in {"roomId", "roomName"} else {"roomId": rid})
            answer = caller.post(path, body if path != "login" else {field: value})
            assert answer.status in {200, 400, 401, 403, 429}, (body, answer.text)
            # A room may well be called by 400 digits: 6.13.0 makes it, and it is in nobody's way then.
            if path.endswith(".create") and answer.status == 200:
                misused.chat.forget_made(answer)
            assert not (path == "users.delete" and answer.status == 200), body
    assert not misused.tracebacks(before)
    assert misused.chat.admin.get("me").status == 200
    misused.chat.clean()


def test_bad_frames_end_at_most_their_own_connection(misused: Misused) -> None:
    """Deep, oversized and binary frames; others go on."""
    chat = misused.chat
    with socket(chat.url) as other:
        other.open()
        for raw in ("[" * 100_000, "x" * 2_500_000, b"\xff\xfe", '{"msg":"connect","version":{}}', "null"):
            with socket(chat.url) as client:
                try:
                    client.send_text(raw)
                    client.receive_frame()
                except ConnectionClosed:
                    continue
        other.send({"msg": "ping"})
        other.named("pong")
    assert chat.admin.get("me").status == 200


def _address(chat: Chat) -> tuple[str, int]:
    parts = urlsplit(chat.url)
    return str(parts.hostname), parts.port or 80


def _upgraded(chat: Chat) -> sockets.socket:
    """A connection on which a WebSocket has just begun, without a library that would mend what follows."""
    peer = sockets.create_connection(_address(chat), timeout=5)
    key = base64.b64encode(random.Random(9).randbytes(16)).decode()  # noqa: S311 - not for secrets
    lines = ["GET /websocket HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]
    peer.sendall("\r\n".join(lines).encode())
    assert peer.recv(4096).startswith(b"HTTP/1.1 101")
    return peer


_MASKED_TEXT = b"\x81\xff"
_FRAMES = {
    # A masked text frame of a megabyte; ten bytes of it come: the peer has vanished.
    "half a frame": _MASKED_TEXT + struct.pack(">Q", 1 << 20) + b"\0" * 14,
    "a frame of a terabyte": _MASKED_TEXT + struct.pack(">Q", 1 << 40) + b"\0" * 14,
    "random bytes": random.Random(8).randbytes(3000),  # noqa: S311
    "no mask": b"\x81\x05hello",
    "a reserved opcode": b"\x83\x80\0\0\0\0",
    "a continuation of nothing": b"\x80\x80\0\0\0\0",
}


@pytest.mark.parametrize("kind", _FRAMES)
def test_broken_websockets_hold_nobody_up(misused: Misused, kind: str) -> None:
    """Broken, half-open and reset: every one but the half-open is ended, and others are served meanwhile."""
    chat = misused.chat
    with ExitStack() as opened, socket(chat.url) as other:
        other.open()
        peers = [opened.enter_context(_upgraded(chat)) for _ in range(30)]
        for peer in peers:
            peer.sendall(_FRAMES[kind])
        other.send({"msg": "ping", "id": kind})
        other.named("pong", id=kind)
        assert chat.admin.get("me").status == 200
        if kind != "half a frame":
            for peer in peers:
                while peer.recv(4096):
                    continue  # a close frame, then the end; a peer that is left open times out
        for peer in peers:
            reset = struct.pack("ii", 1, 0)
            peer.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, reset)
    assert chat.admin.get("me").status == 200
