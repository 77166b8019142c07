"""Whether what answers MongoDB's protocol is MongoDB's own server: what it says of itself, and what it does.

A program's name proves nothing, nor does a version that it names: stand-ins name one too. MongoDB says
its commit and its storage (`buildInfo`), and does three things that servers like it
mostly leave out: it compares texts by a collation, plans a query, and takes a transaction back (MongoDB's
manual: Collation, explain, abortTransaction).
"""

from __future__ import annotations

import re
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

Document = dict[str, Any]
_DATABASE = "besedka_probe"
_MILLISECONDS = 5000
_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_mongodb(port: int) -> bool:
    """Ask the server at 127.0.0.1; what is written for it goes again. False too where it does not answer."""
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS={_MILLISECONDS}"
    with MongoClient[Document](url) as client:
        database = client[_DATABASE]
        try:
            if not says_so(client.server_info()):
                return False
            database.things.insert_one({"_id": 1, "text": "Беседка"})
            return _collates(database) and _plans(database) and _takes_back(database)
        except PyMongoError:
            return False
        finally:
            client.drop_database(_DATABASE)


def says_so(build: Document) -> bool:
    """Whether `buildInfo` is one of MongoDB's: a commit, WiredTiger, and a version that is twice the same."""
    numbers = ".".join(str(number) for number in build.get("versionArray", [])[:3])
    return (
        _COMMIT.fullmatch(str(build.get("gitVersion"))) is not None
        and "wiredTiger" in build.get("storageEngines", [])
        and str(build.get("version")).partition("-")[0] == numbers
    )


def _collates(database: Database[Document]) -> bool:
    found = database.things.find_one({"text": "БЕСЕДКА"}, collation={"locale": "ru", "strength": 2})
    return found is not None and database.things.find_one({"text": "БЕСЕДКА"}) is None


def _plans(database: Database[Document]) -> bool:
    explained = database.command("explain", {"find": "things", "filter": {"text": "x"}})
    return "COLLSCAN" in str(explained.get("queryPlanner", {}).get("winningPlan"))


def _takes_back(database: Database[Document]) -> bool:
    with database.client.start_session() as session:
        session.start_transaction()
        database.things.insert_one({"_id": 2}, session=session)
        seen = database.things.find_one({"_id": 2}, session=session)
        session.abort_transaction()
    return seen is not None and database.things.find_one({"_id": 2}) is None
