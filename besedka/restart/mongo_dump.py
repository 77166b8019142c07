"""Rocket.Chat's database to files and back: one file of BSON documents per collection, as mongodump's are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bson
import bson.json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from besedka import database_url
from besedka.restart.errors import DumpDamagedError, DumpFailedError
from besedka.restart.inventory import Inventory
from besedka.rocketchat.database import DEFAULT_DATABASE

TIMEOUT_MILLISECONDS = 5000
BATCH = 500
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_NO_SUCH_COMMAND = 59


@contextmanager
def opened(mongo_url: str) -> Iterator[Database[RawBSONDocument]]:
    """The database, giving documents as the bytes that are stored; DumpFailedError for what goes wrong."""
    database_url.refuse_unreadable(mongo_url=mongo_url)
    try:
        with MongoClient[RawBSONDocument](
            mongo_url,
            directConnection=True,
            document_class=RawBSONDocument,
            serverSelectionTimeoutMS=TIMEOUT_MILLISECONDS,
        ) as client:
            yield client.get_default_database(DEFAULT_DATABASE)
    except PyMongoError as error:
        raise DumpFailedError(
            f"MongoDB did not do it: {type(error).__name__}: {database_url.driver_reason(error, mongo_url)}",
            expected="a MongoDB that answers as primary",
            where=database_url.shown(mongo_url),
            next_step="see the log of mongo; a further run goes on from here",
        ) from error


def count(mongo_url: str, inventory: Inventory) -> None:
    """Add what is in the database to the inventory."""
    with opened(mongo_url) as database:
        for name in _collections(database):
            for document in database.get_collection(name, _RAW).find():
                inventory.add_document(name, bytes(document.raw))


def size(mongo_url: str) -> int:
    """Bytes of all documents, uncompressed; 0 where the server cannot say (the stand-in)."""
    with opened(mongo_url) as database:
        try:
            return int(database.command("dbStats")["dataSize"])
        except OperationFailure as error:
            if error.code == _NO_SUCH_COMMAND:
                return 0
            raise


def write(mongo_url: str, folder: Path, inventory: Inventory) -> list[dict[str, Any]]:
    """Dump every collection below `folder`, counting into `inventory`; returns the manifest's rows."""
    folder.mkdir(parents=True)
    rows = []
    with opened(mongo_url) as database:
        for name, options in _collections(database).items():
            path = folder / f"{quote(name, safe='')}.bson"
            documents = 0
            with path.open("wb") as file:
                for document in database.get_collection(name, _RAW).find():
                    file.write(document.raw)
                    inventory.add_document(name, bytes(document.raw))
                    documents += 1
            indexes = [dict(index) for index in database[name].list_indexes()]
            meta = bson.json_util.dumps({"options": options, "indexes": indexes})
            rows.append({"name": name, "file": path.name, "documents": documents, "meta": meta})
    return rows


def read(mongo_url: str, folder: Path, rows: list[dict[str, Any]]) -> None:
    """Make the database what the dump says. Collections that the dump does not have are removed.

    May be repeated after an interruption: each collection is begun anew.
    """
    with opened(mongo_url) as database:
        for name in _collections(database).keys() - {row["name"] for row in rows}:
            database.drop_collection(name)
        for row in rows:
            meta = bson.json_util.loads(row["meta"])
            database.drop_collection(row["name"])
            database.create_collection(row["name"], **meta["options"])
            collection = database.get_collection(row["name"], _RAW)
            batch: list[RawBSONDocument] = []
            for document in _documents(folder / row["file"]):
                batch.append(document)
                if len(batch) == BATCH:
                    collection.insert_many(batch)
                    batch = []
            if batch:
                collection.insert_many(batch)
            wanted = [index for index in meta["indexes"] if index["name"] != "_id_"]
            if wanted:
                plain = [{key: value for key, value in index.items() if key != "v"} for index in wanted]
                database.command({"createIndexes": row["name"], "indexes": plain})


def _documents(path: Path) -> Iterator[RawBSONDocument]:
    with path.open("rb") as file:
        while head := file.read(4):
            length = int.from_bytes(head, "little")
            body = head + file.read(max(0, length - 4))
            if len(body) != length:
                raise DumpDamagedError(
                    "a document is cut off",
                    expected=f"{length} bytes, found {len(body)}",
                    where=str(path),
                    next_step="use another dump; the restore may be repeated with it",
                )
            yield RawBSONDocument(body, _RAW)


def _collections(database: Database[RawBSONDocument]) -> dict[str, dict[str, Any]]:
    """Name → options of every collection; a view is refused, because no copy could be made."""
    found: dict[str, dict[str, Any]] = {}
    for row in database.list_collections():
        name = str(row["name"])
        if name.startswith("system."):
            continue
        if row.get("type", "collection") != "collection":
            raise DumpFailedError(
                f"{name} is a {row['type']}, and a dump holds only collections",
                expected="collections, as Rocket.Chat makes them",
                where="MongoDB",
                next_step=f"remove {name}, or dump with mongodump",
            )
        found[name] = bson.decode(bson.encode(row.get("options") or {}))
    return found
