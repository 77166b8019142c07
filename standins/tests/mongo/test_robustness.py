"""What only a server of our own is put through: kill -9 under writes, a restart, rubbish on the port."""

import random
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pymongo
import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError

from standins.mongo.commands import Node
from standins.mongo.disk import Disk

from .conftest import ROOT, Standin

pytestmark = pytest.mark.conformance


def connect(standin: Standin, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(standin.url, **options)


def ping(standin: Standin) -> None:
    with connect(standin) as client:
        assert client.admin.command("ping")["ok"] == 1


def message(body: bytes, opcode: int = 2013, length: int | None = None) -> bytes:
    return struct.pack("<iiii", 16 + len(body) if length is None else length, 7, 0, opcode) + body


def ask(standin: Standin, data: bytes) -> bytes:
    """Everything the server says to this before it closes, once we say no more."""
    with socket.create_connection(("127.0.0.1", standin.port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received
        return received


def test_it_says_what_it_is(standin: Standin) -> None:
    assert any("MongoDB stand-in (not MongoDB)" in line for line in standin.log)
    with connect(standin) as client:
        assert "stand-in" in client.admin.command("hello")["standIn"]
        assert client.server_info()["modules"] == ["stand-in"]
        assert "stand-in" in client.server_info()["gitVersion"]


def test_a_restart_keeps_documents_types_order_and_indexes(make_standin: Callable[[], Standin]) -> None:
    server = make_standin()
    rows = [{"_id": n, "x": bson.Int64(n), "u": f"u{n}"} for n in (3, 1, 2)]
    with connect(server) as client:
        client.t.things.create_index([("u", 1), ("x", -1)], unique=True, sparse=True, name="ux")
        client.t.things.insert_many(rows)
        client.t.things.update_one({"_id": 1}, {"$set": {"y": 1}})
        client.t.create_collection("empty")
        client.t.gone.insert_one({})
        client.t.gone.drop()
        before = client.t.things.index_information()
    assert server.stop() == 0
    server.start()
    with connect(server) as client:
        found = list(client.t.things.find())
        assert [row["_id"] for row in found] == [3, 1, 2]
        assert found[1]["y"] == 1
        assert all(type(row["x"]) is bson.Int64 for row in found)
        assert client.t.things.index_information() == before
        assert sorted(client.t.list_collection_names()) == ["empty", "things"]
        with pytest.raises(DuplicateKeyError):
            client.t.things.insert_one({"u": "u1", "x": 1})


def test_killed_under_writes_it_has_every_acknowledged_write(make_standin: Callable[[], Standin]) -> None:
    server = make_standin()
    acknowledged: list[list[int]] = [[] for _ in range(3)]
    enough = threading.Event()

    def write(mine: list[int], start: int) -> None:
        with connect(server, retryWrites=False) as client:
            for number in range(start, start + 100_000):
                try:
                    client.t.things.insert_one({"_id": number, "text": "x" * 200})
                    client.t.counts.update_one({"_id": start}, {"$inc": {"n": 1}}, upsert=True)
                except AutoReconnect:
                    return
                mine.append(number)
                if len(mine) == 150:
                    enough.set()

    writers = [
        threading.Thread(target=write, args=(mine, n * 100_000)) for n, mine in enumerate(acknowledged)
    ]
    for writer in writers:
        writer.start()
    assert enough.wait(20)
    server.kill()
    for writer in writers:
        writer.join()
    server.start()
    with connect(server) as client:
        there = {row["_id"] for row in client.t.things.find({}, {"_id": 1})}
        counts = {row["_id"]: row["n"] for row in client.t.counts.find()}
    assert there >= {number for mine in acknowledged for number in mine}
    for n, mine in enumerate(acknowledged):
        # One more may have been written without its answer getting through.
        assert len(mine) <= counts.get(n * 100_000, 0) <= len(mine) + 1


def test_a_driver_that_retries_over_a_kill_has_each_write_once(make_standin: Callable[[], Standin]) -> None:
    server = make_standin()
    done: list[int] = []
    some, stop = threading.Event(), threading.Event()

    def write() -> None:
        with connect(server, retryWrites=True) as client:
            while not stop.is_set():
                client.t.counts.update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)
                done.append(1)
                if len(done) in (100, 400):
                    some.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert some.wait(20)
    server.kill()
    some.clear()
    server.start()
    assert some.wait(20)
    stop.set()
    writer.join()
    with connect(server) as client:
        assert client.t.counts.find_one() == {"_id": 1, "n": len(done)}


def test_a_write_that_does_not_reach_the_disk_is_refused_and_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path)
    node = Node(disk, None)
    insert: dict[str, Any] = {"insert": "x", "$db": "t"}
    assert node.answer(insert | {"documents": [{"_id": 1}]})["n"] == 1
    with monkeypatch.context() as patch:
        full = sqlite3.OperationalError("database or disk is full")
        patch.setattr(disk, "commit", lambda: (_ for _ in ()).throw(full))
        refused = node.answer(insert | {"documents": [{"_id": 2}]})
    assert (refused["ok"], refused["code"]) == (0, 14031)
    found = node.answer({"find": "x", "$db": "t"})["cursor"]["firstBatch"]
    assert [dict(row) for row in found] == [{"_id": 1}]
    disk.close()


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
def test_rubbish_ends_its_own_connection_only(standin: Standin, data: bytes) -> None:
    answer = ask(standin, data)
    assert answer == b"" or b"errmsg" in answer
    ping(standin)


def test_random_bytes_and_mutilated_messages(standin: Standin) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable rubbish is wanted
    good = message(bytes(4) + b"\0" + bson.encode({"find": "x", "filter": {"a": [1, {"b": 2}]}, "$db": "t"}))
    for _ in range(150):
        ask(standin, dice.randbytes(dice.randrange(1, 200)))
        bad = bytearray(good)
        bad[dice.randrange(16, len(bad))] = dice.randrange(256)
        ask(standin, bytes(bad))
    ping(standin)


def test_a_checksum_is_accepted(standin: Standin) -> None:
    answer = ask(standin, message(struct.pack("<I", 1) + b"\0" + HELLO + b"abcd"))
    assert bson.decode(answer[21:])["ok"] == 1


def test_the_legacy_hello_is_answered_and_no_other_legacy_command(standin: Standin) -> None:
    head = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1)
    assert (
        bson.decode(ask(standin, message(head + bson.encode({"isMaster": 1}), 2004))[36:])["ismaster"] is True
    )
    assert bson.decode(ask(standin, message(head + bson.encode({"ping": 1}), 2004))[36:])["code"] == 352


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
def test_wrong_types_are_an_error_of_that_command(standin: Standin, command: dict) -> None:
    with connect(standin) as client:
        client.t.x.update_one({}, {"$set": {"a": "text"}}, upsert=True)
    answer = ask(
        standin, message(bytes(4) + b"\0" + bson.encode({**command, "$db": command.get("$db", "t")}))
    )
    reply = bson.decode(answer[21:])
    assert reply["ok"] == 0 or reply["writeErrors"]
    assert reply.get("code", reply.get("writeErrors", [{}])[0].get("code")) != 1, "an internal error"
    ping(standin)


def test_many_idle_connections_leave_it_serving(standin: Standin) -> None:
    """Ten thousand connects, five hundred at a time."""
    for _ in range(20):
        idle = [socket.create_connection(("127.0.0.1", standin.port), timeout=5) for _ in range(500)]
        ping(standin)
        for each in idle:
            each.close()


def test_a_busy_port_a_busy_folder_and_a_bad_folder_end_with_one_line(
    standin: Standin, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    bad = [(48, standin.port, tmp_path), (100, 0, standin.data), (100, 0, tmp_path / "file")]
    for status, port, data in bad:
        command = [sys.executable, "-m", "standins.mongo", "--port", str(port), "--data", str(data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == status
        assert "cannot" in done.stdout.splitlines()[-1]
        assert (len(done.stdout.splitlines()), done.stderr) == (2, "")


def test_an_interrupt_ends_it_cleanly(make_standin: Callable[[], Standin]) -> None:
    server = make_standin()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) == 0
