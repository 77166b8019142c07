"""Every command, as a method `do_<name>` whose parameters are the command's own fields.

`value` (of the field with the command's name), `db`, `coll` and `peer` are filled in by `_run`. A field that
a method does not name is refused, but for COMMON: true here by construction, or harmless. What the server
says of itself and the names of its error codes are data, in `about.json`.
"""
# ruff: noqa: A002, N802, N803, B006, PLR0913, PLR0917 - the protocol names them; no default is changed

import datetime
import inspect
import itertools
import json
import logging
import os
import re
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError

from .collection import Collection, Collections
from .disk import Disk
from .language import check_filter, frozen
from .matching import MISSING, applies, reached
from .wire import CODEC, Document

log = logging.getLogger("mongo")
ABOUT = json.loads(Path(__file__).with_name("about.json").read_text(encoding="utf-8"))
STAND_IN = ABOUT["hello"]["standIn"]


def call_itself(series: str) -> None:
    """Give another version, such as `6.0`; nothing else changes."""
    version = f"{series}.0"
    ABOUT["buildInfo"] |= {"version": version, "versionArray": [*map(int, version.split(".")), 0]}
    ABOUT["serverStatus"]["version"] = version
    ABOUT["getParameter"]["featureCompatibilityVersion"]["version"] = series


COMMON = set(
    """$db lsid txnNumber comment maxTimeMS readConcern writeConcern $readPreference $clusterTime apiVersion
    apiStrict apiDeprecationErrors bypassDocumentValidation allowDiskUse noCursorTimeout allowPartialResults
    authorizedDatabases authorizedCollections commitQuorum hint""".split()
)
ALIASES = {
    "isMaster": "hello",
    "ismaster": "hello",
    "buildinfo": "buildInfo",
    "findandmodify": "findAndModify",
}
# What mongomock or bson raise for a malformed request; anything else is a fault of ours.
MALFORMED = (
    BSONError, PyMongoError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, re.error,
)  # fmt: skip
CURSOR_SECONDS = 600
BATCH_BYTES, BATCH_DOCUMENTS = 16 * 1024 * 1024, 101
# Fields of commands that MongoDB knows.
NOT_DONE = {"arrayFilters", "collation", "let", "max", "min", "returnKey", "showRecordId", "tailable"}
INDEX_OPTIONS = {"unique", "sparse", "partialFilterExpression"}


def failure(error: Exception) -> Document:
    """`code`, `errmsg` and details of any exception, as they stand in a reply or among `writeErrors`."""
    if isinstance(error, OperationFailure):
        return {"code": error.code or 2, "errmsg": str(error)} | dict(error.details or {})
    code = 238 if isinstance(error, NotImplementedError) else 2 if isinstance(error, MALFORMED) else 1
    return {"code": code, "errmsg": f"{type(error).__name__}: {error}"}


def refuse_others(unknown: Iterable[str]) -> None:
    if unknown:
        code = 238 if NOT_DONE & {*unknown} else 40415
        raise OperationFailure(f"BSON field '{min(unknown)}' is an unknown field (to the stand-in)", code)


class Node:
    """The server behind every connection; `address` is what `hello` tells drivers to connect to."""

    def __init__(self, disk: Disk, replica_set: str | None) -> None:
        self.disk, self.replica_set, self.address, self.started = disk, replica_set, "", time.time()
        self.collections = Collections(disk)
        self.cursors: dict[int, tuple[str, list[bytes], float]] = {}

    def answer(self, doc: Document, legacy: bool = False, peer: str = "") -> Document:
        """Run one command and commit it to disk; never raises."""
        name = next(iter(doc))
        try:
            try:
                reply = self._run(ALIASES.get(name, name), doc[name], doc, legacy, peer)
            except sqlite3.Error:
                raise
            except Exception as error:  # a fault in one command must not take the server from the others
                reply = failure(error)
            self.disk.commit()
        except sqlite3.Error as error:
            # Memory is ahead of the disk and nobody was told: go back to what was acknowledged.
            self.disk.rollback()
            self.collections = Collections(self.disk)
            reply = {"code": 14031, "errmsg": f"the write did not reach the disk and is undone: {error}"}
        if "code" not in reply:
            return reply | {"ok": 1.0}
        log.info("command %s failed: %d %s", ascii(name), reply["code"], ascii(reply["errmsg"])[:300])
        names, code = ABOUT["codes"], reply["code"]
        return {"ok": 0.0, "codeName": names.get(str(code), f"Location{code}")} | reply

    def _run(self, name: str, value: Any, doc: Document, legacy: bool, peer: str) -> Document:
        if legacy and name != "hello":
            raise OperationFailure(f"Unsupported OP_QUERY command: {name}. Is the driver too old?", 352)
        if "autocommit" in doc:
            raise OperationFailure("the MongoDB stand-in does not support transactions", 20)
        handler: Callable[..., Document] | None = getattr(self, f"do_{name}", None)
        if handler is None:
            raise OperationFailure(f"no such command: '{name}'", 59)
        known, database = inspect.signature(handler).parameters, doc["$db"]
        given = {key: part for key, part in itertools.islice(doc.items(), 1, None) if key not in COMMON}
        refuse_others([] if "ignored" in known else given.keys() - known)
        given |= {"value": value, "peer": peer, "db": database}
        given |= {"coll": self.collections.named(database, value)} if "coll" in known else {}
        if "coll" in given and doc.get("hint"):
            given["coll"].check_hint(doc["hint"])
        given = {key: part for key, part in given.items() if key in known}
        session, number = doc.get("lsid"), doc.get("txnNumber")
        if number is None:
            return handler(**given)
        # A driver repeats a numbered write whose answer it did not see: it gets the answer again.
        done = bson.decode(self.disk.row("reply", session) or bson.encode({}), CODEC)
        if done.get("number") != number:
            done = {"number": number, "reply": handler(**given)}
            self.disk.save("reply", "", session, bson.encode(done))
        reply: Document = done["reply"]
        return reply

    def do_hello(self, ignored: Any = None) -> Document:
        me = self.address
        member = {"setName": self.replica_set, "setVersion": 1, "hosts": [me], "primary": me, "me": me}
        now = {"localTime": datetime.datetime.now(datetime.UTC)}
        return {**ABOUT["hello"], **now, **(member if self.replica_set else {})}

    def do_ping(self) -> Document:
        return {}

    def do_buildInfo(self) -> Document:
        return dict(ABOUT["buildInfo"])

    def do_serverStatus(self, ignored: Any = None) -> Document:
        now = {"host": self.address, "pid": os.getpid(), "uptime": time.time() - self.started}
        return {**ABOUT["serverStatus"], **now}

    def do_connectionStatus(self, showPrivileges: bool = False) -> Document:
        return dict(ABOUT["connectionStatus"])

    def do_getParameter(self, featureCompatibilityVersion: Any) -> Document:
        told = self.disk.row("fact", "compatible")
        return (
            {"featureCompatibilityVersion": {"version": told.decode()}}
            if told
            else dict(ABOUT["getParameter"])
        )

    def do_setFeatureCompatibilityVersion(self, value: str, confirm: bool = False) -> Document:
        """The server's own series or the one before; 7.0 and later want `confirm` (MongoDB's manual)."""
        own = int(ABOUT["buildInfo"]["versionArray"][0])
        if value not in {f"{own}.0", f"{own - 1}.0"}:
            raise OperationFailure(f"Invalid feature compatibility version value '{value}'", 2)
        if own >= 7 and not confirm:
            raise OperationFailure("Please re-run this command with 'confirm: true' to acknowledge", 7369100)
        self.disk.save("fact", "", "compatible", value.encode())
        return {}

    def do_endSessions(self, value: list[Document]) -> Document:
        for session in value:
            self.disk.forget("reply", "", session)
        return {}

    def do_whatsmyuri(self, peer: str) -> Document:
        return {"you": peer}

    def _member(self) -> Document:
        if not self.replica_set:
            raise OperationFailure("not running with --replSet (of the stand-in: --replica-set)", 76)
        place = {"_id": 0, "name": self.address, "host": self.address, "self": True}
        return place | {"state": 1, "stateStr": "PRIMARY", "health": 1.0, "votes": 1, "priority": 1.0}

    def do_replSetInitiate(self, value: Any) -> Document:
        """A set of one is writable from its start on, so the first call only records that it came."""
        if self._member() and self.disk.row("fact", "initiated"):
            raise OperationFailure("already initialized", 23)
        self.disk.save("fact", "", "initiated", b"yes")
        return {}

    def do_replSetGetStatus(self) -> Document:
        return {"members": [self._member()], "set": self.replica_set, "myState": 1}

    def do_replSetGetConfig(self) -> Document:
        return {"config": {"members": [self._member()], "_id": self.replica_set, "version": 1}}

    def do_listDatabases(self, filter: Document = {}, nameOnly: bool = False) -> Document:
        check_filter(filter)
        sizes: Counter[str] = Counter()
        for space, coll in self.collections.existing().items():
            sizes[space.partition(".")[0]] += sum(map(len, coll.raw.values()))
        found = [
            {"name": name, "sizeOnDisk": bson.Int64(size), "empty": False} for name, size in sizes.items()
        ]
        found = [each for each in found if applies(filter, each)]
        return {"databases": found, "totalSize": bson.Int64(sum(sizes.values()))}

    def do_listCollections(
        self, db: str, filter: Document = {}, nameOnly: bool = False, cursor: Document = {}
    ) -> Document:
        check_filter(filter)
        whole = {} if nameOnly else {"options": {}, "info": {"readOnly": False}}
        names = [space.removeprefix(f"{db}.") for space in self.collections.existing(db)]
        found = [{"name": name, "type": "collection"} | whole for name in names]
        found = [entry for entry in found if applies(filter, entry)]
        return self._cursor(f"{db}.$cmd.listCollections", found, **cursor)

    def do_create(self, coll: Collection) -> Document:
        if coll.exists:
            raise OperationFailure(f"Collection {coll.space} already exists.", 48)
        coll.describe()
        return {}

    def do_drop(self, coll: Collection) -> Document:
        coll.drop()
        return {}

    def do_dropDatabase(self, db: str) -> Document:
        for collection in self.collections.existing(db).values():
            collection.drop()
        return {"dropped": db}

    def do_createIndexes(self, coll: Collection, indexes: list[Document]) -> Document:
        before = len(coll.indexes) + 1
        for spec in indexes:
            name, unknown = spec["name"], spec.keys() - INDEX_OPTIONS - {"key", "name", "background", "v"}
            if unknown or set(spec["key"].values()) - {1, -1}:
                raise OperationFailure(f"the stand-in has no index with {[*unknown] or spec['key']}", 67)
            check_filter(spec.get("partialFilterExpression", {}))
            options = {key: spec[key] for key in sorted(INDEX_OPTIONS) if spec.get(key)}
            index: Document = {"key": [list(pair) for pair in spec["key"].items()]} | options
            if coll.indexes.get(name, index) != index:
                raise OperationFailure(f"Index {name} already exists with different options", 86)
            twin = next((known for known, old in coll.indexes.items() if old["key"] == index["key"]), name)
            if twin != name:
                raise OperationFailure(f"Index already exists with a different name: {twin}", 85)
            if name not in ("_id_", *coll.indexes):
                coll.add_index(name, index)
                coll.describe()
        return {"numIndexesBefore": before, "numIndexesAfter": len(coll.indexes) + 1}

    def do_listIndexes(self, coll: Collection, cursor: Document = {}) -> Document:
        if not coll.exists:
            raise OperationFailure(f"ns does not exist: {coll.space}", 26)
        known: Document = {"_id_": {"key": [["_id", 1]]}} | coll.indexes
        found = [{"v": 2, **index, "key": dict(index["key"]), "name": name} for name, index in known.items()]
        return self._cursor(coll.space, found, **cursor)

    def do_dropIndexes(self, coll: Collection, index: Any) -> Document:
        before = len(coll.indexes) + 1
        if isinstance(index, dict):
            index = [n for n, known in coll.indexes.items() if dict(known["key"]) == index] or str(index)
        for name in [*coll.indexes] if index == "*" else [index] if isinstance(index, str) else index:
            if coll.indexes.pop(name, None) is None:
                raise OperationFailure(f"index not found with name [{name}]", 27)
            del coll.hashes[name]
            coll.describe()
        return {"nIndexesWas": before}

    def _batch(self, identity: int, left: list[bytes], size: float, space: str) -> tuple[list[Any], Document]:
        """The next documents, and the cursor that keeps the rest for ten minutes more."""
        weights = itertools.accumulate(map(len, left))
        count = int(min(size, max(1, sum(weight <= BATCH_BYTES for weight in weights))))
        now, rest = time.monotonic(), left[count:]
        self.cursors = {k: cursor for k, cursor in self.cursors.items() if cursor[2] > now and k != identity}
        if rest:
            self.cursors[identity] = space, rest, now + CURSOR_SECONDS
        docs = [RawBSONDocument(body) for body in left[:count]]
        return docs, {"id": bson.Int64(identity if rest else 0), "ns": space}

    def _cursor(self, space: str, docs: Iterable[Document], batchSize: float = BATCH_DOCUMENTS) -> Document:
        identity = secrets.randbits(62) + 1
        batch, cursor = self._batch(identity, [bson.encode(doc) for doc in docs], batchSize, space)
        return {"cursor": {"firstBatch": batch} | cursor}

    def do_find(
        self, coll: Collection, filter: Document = {}, projection: Document = {}, sort: Document = {},
        skip: int = 0, limit: int = 0, batchSize: int = BATCH_DOCUMENTS, singleBatch: bool = False,
    ) -> Document:  # fmt: skip
        found = coll.search(filter, sort, skip, limit)[: int(batchSize) if singleBatch else None]
        return self._cursor(coll.space, (coll.project(doc, projection) for doc in found), batchSize)

    def do_aggregate(
        self, coll: Collection, pipeline: list[Document], cursor: Document | None = None
    ) -> Document:
        if cursor is None:
            text = "The 'cursor' option is required, except for aggregate with the explain argument"
            raise OperationFailure(text, 9)
        return self._cursor(coll.space, coll.run(pipeline), **cursor)

    def do_getMore(self, value: int, collection: str, batchSize: float = 0) -> Document:
        if value not in self.cursors or self.cursors[value][2] < time.monotonic():
            raise OperationFailure(f"cursor id {value} not found", 43)
        space, left, _ = self.cursors[value]
        batch, cursor = self._batch(value, left, batchSize or float("inf"), space)
        return {"cursor": {"nextBatch": batch} | cursor}

    def do_killCursors(self, cursors: list[int]) -> Document:
        killed = [each for each in cursors if self.cursors.pop(each, None)]
        unknown = [each for each in cursors if each not in killed]
        return {"cursorsKilled": killed, "cursorsNotFound": unknown, "cursorsAlive": [], "cursorsUnknown": []}

    def do_count(self, coll: Collection, query: Document = {}, limit: int = 0, skip: int = 0) -> Document:
        return {"n": len(coll.search(query, {}, skip, limit))}

    def do_distinct(self, coll: Collection, key: str, query: Document = {}) -> Document:
        found = [v for doc in coll.search(query, {}) for v in reached(doc, key.split("."))]
        flat = [each for value in found for each in (value if isinstance(value, list) else [value])]
        return {"values": list({frozen(each): each for each in flat if each is not MISSING}.values())}

    def _each(self, todo: Any, fields: str, ordered: bool, run: Callable[[int, Any], None]) -> Document:
        """Run the statements of a write; the errors of those that failed, the rest left out if ordered."""
        if not 1 <= len(todo) <= 100_000:
            raise OperationFailure(f"Write batch sizes must be between 1 and 100000. Got {len(todo)}.", 16)
        errors: list[Document] = []
        for index, one in enumerate(todo):
            try:
                refuse_others(fields and one.keys() - fields.split())
                run(index, one)
            except sqlite3.Error:
                raise
            except Exception as error:  # reported with its index, like any failed statement
                errors.append({"index": index} | failure(error))
                if ordered:
                    break
        return {"writeErrors": errors} if errors else {}

    def do_insert(self, coll: Collection, documents: list[Document], ordered: bool = True) -> Document:
        before = len(coll.docs)
        errors = self._each(documents, "", ordered, lambda _, doc: coll.add(doc))
        return {"n": len(coll.docs) - before} | errors

    def do_update(self, coll: Collection, updates: list[Document], ordered: bool = True) -> Document:
        reply: Document = {"n": 0, "nModified": 0}

        def run(index: int, one: Document) -> None:
            matched, changed, new = coll.change(one["q"], one["u"], one.get("multi"), one.get("upsert"))
            reply["n"] += matched + len(new)
            reply["nModified"] += changed
            if new:
                reply.setdefault("upserted", []).append({"index": index, "_id": new[0]})

        return reply | self._each(updates, "q u multi upsert hint", ordered, run)

    def do_delete(self, coll: Collection, deletes: list[Document], ordered: bool = True) -> Document:
        before = len(coll.docs)

        def run(_: int, one: Document) -> None:
            for doc in coll.search(one["q"], {}, limit=one["limit"]):
                coll.discard(doc)

        return self._each(deletes, "q limit hint", ordered, run) | {"n": before - len(coll.docs)}

    def do_findAndModify(
        self, coll: Collection, query: Document = {}, sort: Document = {}, remove: bool = False,
        update: Any = None, new: bool = False, fields: Document = {}, upsert: bool = False,
    ) -> Document:  # fmt: skip
        if bool(remove) == (update is not None):
            raise OperationFailure("Either an update or remove=true must be specified", 9)
        found = coll.search(query, sort, limit=1)
        value = coll.project(found[0], fields) if found else None
        if remove:
            for doc in found:
                coll.discard(doc)
            return {"lastErrorObject": {"n": len(found)}, "value": value}
        # With the identity, the one that comes first in the order asked for is changed.
        exact = query | {"_id": found[0]["_id"]} if found else query
        _, _, upserted = coll.change(exact, update, multi=False, upsert=upsert)
        last = {"n": len(found) + len(upserted), "updatedExisting": bool(found)}
        if new and (found or upserted):
            value = coll.project(coll.docs[frozen(upserted[0] if upserted else found[0]["_id"])], fields)
        return {"lastErrorObject": last | ({"upserted": upserted[0]} if upserted else {}), "value": value}
