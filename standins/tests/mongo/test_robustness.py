"""What only a server of our own is put through: kill -9 under writes, a restart, a full disk."""

import signal
import socket
import sqlite3
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
STANDIN_ONLY = "kills the server, fills its disk or counts its connections"


def connect(standin: Standin, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(standin.url, **options)


def ping(standin: Standin) -> None:
    with connect(standin) as client:
        assert client.admin.command("ping")["ok"] == 1


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
