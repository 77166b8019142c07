"""A proxy before MongoDB that changes what the server says of itself, message by message.

Doctor is given its address; Rocket.Chat keeps the true one. Most changes keep a message's length. So only the
changed bytes of the protocol have to be understood (OP_MSG, MongoDB's wire protocol).
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import bson

Change = Callable[[bytes], bytes]
_LENGTH_BYTES = 4
_POLL_SECONDS = 0.05
_CHUNK = 65536
# OP_REPLY and OP_MSG: where the document begins after the header and the fields of its own.
_BODY_AFTER = {1: 36, 2013: 21}
_OF_A_MEMBER = {"setName", "setVersion", "hosts", "primary", "me", "electionId"}
_NO_CONFIG = "Does not have a valid replica set config"
_VERSION = re.compile(rb"(?<=\x02version\x00.{4})\d+\.\d+", re.DOTALL)


def secondary(message: bytes) -> bytes:
    """`hello` as a secondary answers it."""
    message = message.replace(b"\x08isWritablePrimary\x00\x01", b"\x08isWritablePrimary\x00\x00")
    return message.replace(b"\x08secondary\x00\x00", b"\x08secondary\x00\x01")


def standalone(message: bytes) -> bytes:
    """`hello` as a server answers it that is in no replica set."""
    return message.replace(b"\x02setName\x00", b"\x02notName\x00")


def not_initiated(message: bytes) -> bytes:
    """`hello` as mongod with --replSet answers it until somebody calls rs.initiate()."""
    start = _BODY_AFTER.get(int.from_bytes(message[12:16], "little"))
    if start is None:
        return message
    body = bson.decode(message[start:])
    names = {"isWritablePrimary", "ismaster"} & set(body)
    if not names:
        return message
    kept = {name: value for name, value in body.items() if name not in _OF_A_MEMBER}
    kept |= dict.fromkeys(names, False) | {"secondary": False, "isreplicaset": True, "info": _NO_CONFIG}
    changed = message[_LENGTH_BYTES:start] + bson.encode(kept)
    return (len(changed) + _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "little") + changed


def of_version(number: str) -> Change:
    """`buildInfo` as a server of that major and minor version answers it."""

    def change(message: bytes) -> bytes:
        found = _VERSION.search(message)
        if found is None or len(found.group()) != len(number):
            return message
        return message[: found.start()] + number.encode() + message[found.end() :]

    return change


@contextmanager
def before(mongo_url: str, change: Change) -> Iterator[str]:
    """The connection string of a proxy before that MongoDB, for the length of a `with` block."""
    parts = urlsplit(mongo_url)
    server = _Server(("127.0.0.1", 0), (str(parts.hostname), parts.port or 27017), change)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield mongo_url.replace(parts.netloc, f"127.0.0.1:{server.server_address[1]}", 1)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], upstream: tuple[str, int], change: Change) -> None:
        self.upstream, self.change = upstream, change
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(self.server.upstream) as upstream:
            asking = threading.Thread(target=self._hand_on, args=(upstream,), daemon=True)
            asking.start()
            with suppress(OSError):
                while message := _message(upstream):
                    self.request.sendall(self.server.change(message))
            _end(self.request)
            asking.join()

    def _hand_on(self, upstream: socket.socket) -> None:
        with suppress(OSError):
            while data := self.request.recv(_CHUNK):
                upstream.sendall(data)
        _end(upstream)


def _message(source: socket.socket) -> bytes:
    """One whole message; empty at the end of the connection."""
    head = _read(source, _LENGTH_BYTES)
    return head + _read(source, int.from_bytes(head, "little") - _LENGTH_BYTES) if head else b""


def _read(source: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        data = source.recv(min(count - len(read), _CHUNK))
        if not data:
            return b""
        read += data
    return read


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
