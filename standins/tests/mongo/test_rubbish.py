"""Rubbish on the port and wrong types in commands: refused by name, and everybody else is served.

`--mongod=PATH` asks a real server the same; MongoDB's own codes are in src/mongo/base/error_codes.yml.
"""

import random
import socket
import struct
from typing import Any

import bson
import pymongo
import pytest
from pymongo.uri_parser import parse_uri

pytestmark = pytest.mark.conformance
DATABASE = "besedka_contract"


def ping(url: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        assert client.admin.command("ping")["ok"] == 1


def message(body: bytes, opcode: int = 2013, length: int | None = None) -> bytes:
    return struct.pack("<iiii", 16 + len(body) if length is None else length, 7, 0, opcode) + body


def ask(url: str, data: bytes) -> bytes:
    """Everything the server says to this before it closes, once we say no more."""
    with socket.create_connection(parse_uri(url)["nodelist"][0], timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received
        return received


HELLO = bson.encode({"hello": 1, "$db": "admin"})
BAD = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "oversized": message(b"", length=48_000_001),
    "negative": message(b"", length=-5),
    "tiny": message(b"", length=3),
    "unknown opcode": message(HELLO, opcode=1234),
    "compressed": message(struct.pack("<iiB", 2013, 10, 2) + b"x" * 10, opcode=2012),
    "no flags": message(b""),
    "unknown flags": message(struct.pack("<I", 4) + b"\0" + HELLO),
    "no body": message(bytes(4)),
    "two bodies": message(bytes(4) + (b"\0" + HELLO) * 2),
    "unknown section": message(bytes(4) + b"\x09" + HELLO),
    "truncated bson": message(bytes(4) + b"\0" + HELLO[:-3]),
    "bson with a bad length": message(bytes(4) + b"\0" + b"\xff\xff\xff\x7f" + HELLO[4:]),
    "bson of rubbish": message(bytes(4) + b"\0" + struct.pack("<i", 40) + b"\x07" * 36),
    "deep bson": message(bytes(4) + b"\0" + HELLO[:-1]),
    "sequence without a name": message(bytes(4) + b"\1" + struct.pack("<i", 6) + b"ab"),
    "empty command": message(bytes(4) + b"\0" + bson.encode({})),
    "cut-off query": message(struct.pack("<i", 0) + b"admin.$cmd", opcode=2004),
    "half a header": b"\x10\0\0",
    "half a message": message(HELLO, length=5000),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_rubbish_ends_its_own_connection_only(mongo_url: str, data: bytes) -> None:
    answer = ask(mongo_url, data)
    assert answer == b"" or b"errmsg" in answer or b"over HTTP on the native driver port" in answer
    ping(mongo_url)


def test_random_bytes_and_mutilated_messages(mongo_url: str) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable rubbish is wanted
    good = message(
        bytes(4) + b"\0" + bson.encode({"find": "x", "filter": {"a": [1, {"b": 2}]}, "$db": DATABASE})
    )
    for _ in range(150):
        ask(mongo_url, dice.randbytes(dice.randrange(1, 200)))
        bad = bytearray(good)
        bad[dice.randrange(16, len(bad))] = dice.randrange(256)
        ask(mongo_url, bytes(bad))
    ping(mongo_url)


def test_a_checksum_is_accepted(mongo_url: str) -> None:
    answer = ask(mongo_url, message(struct.pack("<I", 1) + b"\0" + HELLO + b"abcd"))
    assert bson.decode(answer[21:])["ok"] == 1


def test_the_legacy_hello_is_answered_and_no_other_legacy_command(mongo_url: str) -> None:
    head = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1)
    assert (
        bson.decode(ask(mongo_url, message(head + bson.encode({"isMaster": 1}), 2004))[36:])["ismaster"]
        is True
    )
    assert bson.decode(ask(mongo_url, message(head + bson.encode({"ping": 1}), 2004))[36:])["code"] == 352


WRONG = [
    {"find": 1}, {"find": "a$b"}, {"find": "x", "filter": 5}, {"find": "x", "skip": -1}, {"find": "x", "sort": 3},
    {"insert": "x"}, {"insert": "x", "documents": []}, {"insert": "x", "documents": [7]}, {"getMore": "x"},
    {"update": "x", "updates": [{"q": {}, "u": 5}]}, {"update": "x", "updates": [{"u": {}}]}, {"aggregate": "x"},
    {"update": "x", "updates": [{"q": {}, "u": {"$set": {"a.$[b]": 1}}, "arrayFilters": [{"b": 1}]}]},
    {"aggregate": "x", "pipeline": [5]}, {"createIndexes": "x", "indexes": [{}]}, {"aggregate": 1, "pipeline": []},
    {"delete": "x", "deletes": [5]}, {"listDatabases": 1, "filter": "x"}, {"killCursors": "x", "cursors": 5},
    {"find": "x", "filter": {"a": {"$in": 5}}}, {"find": "x", "filter": {"a": {"$regex": "("}}},
    {"find": "x", "projection": {"a": {"$besedka": 1}}}, {"find": "x", "$db": 5}, {"find": "x", "$db": "a.b"},
    {"insert": "x", "documents": [{"_id": [1]}]}, {"insert": "x", "documents": [{"$a": 1}]},
    {"findAndModify": "x", "query": {}}, {"commitTransaction": 1}, {"find": "x", "autocommit": False},
]  # fmt: skip


@pytest.mark.parametrize("command", WRONG, ids=str)
def test_wrong_types_are_an_error_of_that_command(mongo_url: str, command: dict) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client[DATABASE].x.update_one({}, {"$set": {"a": "text"}}, upsert=True)
    answer = ask(
        mongo_url, message(bytes(4) + b"\0" + bson.encode({**command, "$db": command.get("$db", DATABASE)}))
    )
    reply = bson.decode(answer[21:])
    assert reply["ok"] == 0 or reply["writeErrors"]
    assert reply.get("code", reply.get("writeErrors", [{}])[0].get("code")) != 1, "an internal error"
    ping(mongo_url)
