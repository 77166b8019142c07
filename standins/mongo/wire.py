"""MongoDB's wire protocol, as `source/message/OP_MSG.md` in the repository mongodb/specifications has it.

OP_QUERY is for a driver's first hello; OP_COMPRESSED is refused, since hello offers no compressor. A checksum
is taken off unverified: the standard library has no CRC-32C, and TCP has its own.
"""

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import InvalidBSON

log = logging.getLogger("mongo")
Document = dict[str, Any]
CODEC: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
HEADER = struct.Struct("<iiii")
MAX_MESSAGE = 48_000_000
OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG = 1, 2004, 2012, 2013
CHECKSUM, MORE_TO_COME, REQUIRED = 1, 2, 0xFFFF


class ProtocolError(Exception):
    """The peer does not speak the protocol; its connection cannot go on."""


def sized(data: bytes, start: int) -> tuple[bytes, int]:
    """The block at `start` that begins with its own length, and the position after it."""
    end = start + int.from_bytes(data[start : start + 4], "little", signed=True)
    if not start + 5 <= end <= len(data):
        raise ProtocolError("a length points outside its message")
    return data[start:end], end


def parse_msg(data: bytes) -> tuple[Document, bool]:
    """The command with its document sequences merged in, and whether it wants no reply."""
    flags = int.from_bytes(data[:4], "little")
    if flags & REQUIRED & ~(CHECKSUM | MORE_TO_COME):
        raise ProtocolError(f"OP_MSG with unknown required flags {flags & REQUIRED:#x}")
    data, position = data[:-4] if flags & CHECKSUM else data, 4
    bodies: list[Document] = []
    sequences: Document = {}
    while position < len(data):
        kind = data[position]
        block, position = sized(data, position + 1)
        if kind == 0:
            bodies.append(bson.decode(block, CODEC))
        elif kind == 1:
            name, _, documents = block[4:].partition(b"\0")
            sequences[name.decode("utf-8", "replace")] = bson.decode_all(documents, CODEC)
        else:
            raise ProtocolError(f"OP_MSG with a section of unknown kind {kind}")
    if len(bodies) != 1 or not bodies[0]:
        raise ProtocolError("OP_MSG without a command, or with two")
    return bodies[0] | sequences, bool(flags & MORE_TO_COME)


def parse_query(data: bytes) -> tuple[Document, bool]:
    """The command of an OP_QUERY, with its database where OP_MSG has it; it always wants a reply."""
    space, _, rest = data[4:].partition(b"\0")
    command = bson.decode(sized(rest, 8)[0], CODEC)
    return command | {"$db": space.partition(b".")[0].decode("utf-8", "replace")}, False


def parse_compressed(_: bytes) -> tuple[Document, bool]:
    raise ProtocolError("OP_COMPRESSED, but hello offered no compressor")


PARSERS = {OP_MSG: parse_msg, OP_QUERY: parse_query, OP_COMPRESSED: parse_compressed}


class Connection(asyncio.Protocol):
    """One client. `answer(command, legacy, peer)` must not raise; requests are answered in order."""

    def __init__(self, answer: Callable[[Document, bool, str], Document]) -> None:
        self._answer = answer
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._peer = "{}:{}".format(*transport.get_extra_info("peername", ("?", 0)))

    def pause_writing(self) -> None:
        """A client that asks and never reads the answers is not read any further."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= HEADER.size and not self._transport.is_closing():
            length, request, _, opcode = HEADER.unpack_from(self._buffer)
            if opcode not in PARSERS or not HEADER.size <= length <= MAX_MESSAGE:
                self._refuse(f"a message of {length} bytes with opcode {opcode}")
            elif len(self._buffer) < length:
                return
            else:
                frame = bytes(self._buffer[HEADER.size : length])
                del self._buffer[:length]
                self._handle(opcode, request, frame)

    def _handle(self, opcode: int, request: int, frame: bytes) -> None:
        try:
            command, silent = PARSERS[opcode](frame)
        except (ProtocolError, InvalidBSON, RecursionError) as error:
            reply = {"ok": 0.0, "errmsg": str(error), "code": 22, "codeName": "InvalidBSON"}
            self._send(opcode, request, reply)
            self._refuse(str(error))
            return
        reply = self._answer(command, opcode == OP_QUERY, self._peer)
        if not silent:
            self._send(opcode, request, reply)

    def _send(self, opcode: int, request: int, reply: Document) -> None:
        legacy = opcode == OP_QUERY
        body = (struct.pack("<iqii", 8, 0, 0, 1) if legacy else bytes(5)) + bson.encode(reply)
        head = HEADER.pack(HEADER.size + len(body), 0, request, OP_REPLY if legacy else OP_MSG)
        self._transport.write(head + body)

    def _refuse(self, reason: str) -> None:
        log.info("connection from %s closed: %s", self._peer, ascii(reason))
        self._transport.close()
