"""Collections in memory, written through: mongomock's matching and update rules, with what it lacks for us.

An update works on a copy and is saved whole or not at all; unique indexes see into arrays and name index and
value; equality on `_id` or on the first fields of an index does not scan.
"""

import itertools
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import bson
from bson import ObjectId, Regex
from mongomock import aggregate
from mongomock import collection as mock
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

from .disk import Disk
from .language import check_filter, check_pipeline, check_update, frozen, is_replacement
from .matching import MISSING, applies, reached, sort_key
from .stages import refuse_fields_in_arrays
from .updating import apply_own, refuse_dead_ends, refuse_positional
from .wire import CODEC, Document

# A database's name, and a collection's on the next line.
NAMESPACE = re.compile(r'[^/\\. "$\0\n]+\n[^.$\0][^$\0]*')
MAX_DOCUMENT = 16 * 1024 * 1024
IMMUTABLE = "Performing an update on the path '_id' would modify the immutable field '_id'"


def equals(condition: Any) -> list[Any] | None:
    """A field meets this condition by one of these values; None where it asks for more."""
    values = [condition]
    if isinstance(condition, dict):
        values = condition.get("$in", [condition.get("$eq")]) if len(condition) == 1 else [None]
    scalar = not any(value is None or isinstance(value, (dict, list, Regex)) for value in values)
    return [frozen(value) for value in values] if scalar else None


def _is_many(values: list[Any]) -> bool:
    return len(values) > 1 or any(isinstance(value, list) for value in values)


def index_entries(doc: Document, index: Document) -> set[tuple[Any, ...]]:
    """What the document puts into the index: every combination of values, and its beginnings."""
    if not applies(index.get("partialFilterExpression", {}), doc):
        return set()
    found = [list(reached(doc, field.split("."))) or [MISSING] for field, _ in index["key"]]
    if index.get("sparse") and all(value is MISSING for values in found for value in values):
        return set()
    arrays = [field for (field, _), values in zip(index["key"], found, strict=True) if _is_many(values)]
    if len(arrays) > 1:
        raise WriteError(f"cannot index parallel arrays [{arrays[1]}] [{arrays[0]}]", 171)
    flat = (
        [v for value in values for v in (value if isinstance(value, list) else [value])] for values in found
    )
    columns = ([frozen(v) for v in values or [None]] for values in flat)
    return {entry[:size] for entry in itertools.product(*columns) for size in range(1, len(entry) + 1)}


class Collection(mock.Collection):
    """`docs` and their BSON in `raw`, both by frozen `_id`; `hashes`: index name, entry, frozen `_id`s."""

    def __init__(self, database: Any, name: str, disk: Disk) -> None:
        super().__init__(database, name, None)
        self.space, self.disk = f"{database.name}.{name}", disk
        self._reset()

    def _reset(self) -> None:
        self.exists = False
        self.docs: dict[Any, Document] = {}
        self.raw: dict[Any, bytes] = {}
        self.indexes: dict[str, Document] = {}
        self.hashes: dict[str, dict[tuple[Any, ...], dict[Any, None]]] = {}

    def describe(self) -> None:
        """Record that the collection exists, and its indexes."""
        self.exists = True
        self.disk.save("collection", self.space, "", bson.encode(self.indexes))

    def drop(self, session: None = None) -> None:
        self._reset()
        self.disk.clear(self.space)

    def key_of(self, doc: Document) -> Any:
        return frozen(doc["_id"])

    def copy_of(self, key: Any) -> Document:
        return bson.decode(self.raw[key], CODEC)

    def _iter_documents(self, filter: Document) -> Iterator[Document]:  # noqa: A002 - mongomock's name
        check_filter(filter)
        keys: Any = equals(filter.get("_id"))
        for name, index in self.indexes.items() if keys is None else ():
            columns = [equals(filter.get(field)) for field, _ in index["key"]]
            wanted = [*itertools.takewhile(lambda column: column is not None, columns)]
            if wanted and "partialFilterExpression" not in index:
                keys = [k for entry in itertools.product(*wanted) for k in self.hashes[name].get(entry, ())]  # type: ignore[arg-type]
                break
        keys = [*self.docs] if keys is None else dict.fromkeys(keys)
        docs = (self.docs[key] for key in keys if key in self.docs)
        return (doc for doc in docs if applies(filter, doc))

    def search(self, query: Document, sort: Document, skip: int = 0, limit: int = 0) -> list[Document]:
        """The stored documents themselves, in order: not to be changed by the caller."""
        if skip < 0 or limit < 0:
            raise OperationFailure(f"'skip' and 'limit' must be >= 0, actual values {skip}, {limit}", 51024)
        found = list(self._iter_documents(query))
        for path, direction in reversed(sort.items()):
            if direction not in (1, -1) or path.startswith("$"):
                raise OperationFailure(f"the MongoDB stand-in does not sort by {path}: {direction}", 238)
            found.sort(key=lambda doc: sort_key(path, doc, direction), reverse=direction < 0)
        return found[int(skip) : int(skip + limit) if limit else None]

    def project(self, doc: Document, fields: Document) -> Document:
        if any("$" in path for path in fields):
            raise OperationFailure("the MongoDB stand-in does not support the positional projection", 238)
        wanted = {bool(v) for path, v in fields.items() if path != "_id" and not isinstance(v, dict)}
        if len(wanted) > 1:
            raise OperationFailure("Cannot do exclusion in inclusion projection", 31254)
        return self._copy_only_fields(doc, dict(fields), dict) if fields else doc

    def put(self, doc: Document, new: bool) -> bool:
        """Keep a copy of the document; False if nothing changed. DuplicateKeyError leaves all as it was."""
        raw, key = bson.encode(doc), frozen(doc["_id"])
        if len(raw) > MAX_DOCUMENT:
            raise WriteError(f"BSONObj size: {len(raw)} is invalid. Size must be at most 16777216", 10334)
        if new and key in self.docs:
            raise self._duplicate("_id_", [("_id", 1)], (key,))
        if self.raw.get(key) == raw:
            return False
        fresh = bson.decode(raw, CODEC)
        entries = {
            name: self._entries(name, index, fresh, key, self.hashes[name])
            for name, index in self.indexes.items()
        }
        if not self.exists:
            self.describe()
        self._unhash(key)
        self.docs[key], self.raw[key] = fresh, raw
        for name, found in entries.items():
            for entry in found:
                self.hashes[name].setdefault(entry, {})[key] = None
        self.disk.save("document", self.space, fresh["_id"], raw)
        return True

    def discard(self, doc: Document) -> None:
        key = frozen(doc["_id"])
        self._unhash(key)
        del self.docs[key], self.raw[key]
        self.disk.forget("document", self.space, doc["_id"])

    def add_index(self, name: str, index: Document) -> None:
        """Build an index over what is here. DuplicateKeyError if it is unique and the documents are not."""
        hashes: dict[tuple[Any, ...], dict[Any, None]] = {}
        for key, doc in self.docs.items():
            for entry in self._entries(name, index, doc, key, hashes):
                hashes.setdefault(entry, {})[key] = None
        self.indexes[name], self.hashes[name] = index, hashes

    def _unhash(self, key: Any) -> None:
        for name, index in self.indexes.items() if key in self.docs else ():
            for entry in index_entries(self.docs[key], index):
                del self.hashes[name][entry][key]
                if not self.hashes[name][entry]:
                    del self.hashes[name][entry]

    def _entries(self, name: str, index: Document, doc: Document, key: Any, hashes: Any) -> set[Any]:
        """The document's entries, once no other document has one of a unique index."""
        entries = index_entries(doc, index)
        for entry in entries if index.get("unique") else ():
            if len(entry) == len(index["key"]) and hashes.get(entry, {}).keys() - {key}:
                raise self._duplicate(name, index["key"], entry)
        return entries

    def _duplicate(self, name: str, key: list[Any], entry: tuple[Any, ...]) -> DuplicateKeyError:
        values = [v[-1] if len(v) > 1 and not isinstance(v[-1], tuple) else None for v in entry]
        found = {field: value for (field, _), value in zip(key, values, strict=True)}
        shown = ", ".join(f"{field}: {value!r}" for field, value in found.items()).replace("'", '"')
        text = f"E11000 duplicate key error collection: {self.space} index: {name} dup key: {{ {shown} }}"
        return DuplicateKeyError(text, 11000, {"errmsg": text, "keyPattern": dict(key), "keyValue": found})

    def add(self, data: Document) -> Any:
        """Insert a document, with an `_id` if it has none; returns that."""
        doc = {"_id": ObjectId()} | data
        if isinstance(doc["_id"], (list, Regex)):
            raise WriteError("The '_id' value cannot be of type array or regex", 53)
        if dollar := [key for key in doc if key.startswith("$")]:
            raise WriteError(f"The dollar ($) prefixed field '{dollar[0]}' is not valid for storage.", 52)
        self.put(doc, new=True)
        return doc["_id"]

    def change(self, query: Document, update: Any, multi: Any, upsert: Any) -> tuple[int, int, list[Any]]:
        """Update or replace: how many matched, how many changed, and the `_id` upserted, if one was."""
        check_update(update, multi)
        found = [frozen(doc["_id"]) for doc in self.search(query, {}, limit=0 if multi else 1)]
        if found or not upsert:
            fresh = [self._updated(self.copy_of(key), query, update) for key in found]
            return len(found), sum(self.put(doc, new=False) for doc in fresh), []
        known = {k: v for part in query.get("$and", []) for k, v in part.items()} | query
        seed, _ = self._discard_operators(self._expand_dots(known))
        seed = {key: value for key, value in seed.items() if not isinstance(value, Regex)}
        identity = update.get("_id", ObjectId()) if is_replacement(update) else ObjectId()
        new = self._updated({"_id": identity} | seed, query, update, new=True, fixed="_id" in seed)
        return 0, 0, [self.add(new)]

    def _updated(
        self, doc: Document, query: Document, update: Any, new: bool = False, fixed: bool = True
    ) -> Document:
        identity = doc["_id"]
        try:
            if is_replacement(update):
                doc = {"_id": identity} | update
            elif isinstance(update, list):
                for stage in update:
                    refuse_fields_in_arrays([doc], stage)
                self._apply_update_pipeline(doc, update, None)
            else:
                refuse_dead_ends(doc, update)
                refuse_positional(update, query)
                if rest := apply_own(doc, update):
                    self._apply_update_document(doc, query | {"_id": identity}, rest, new)
        except (TypeError, AttributeError, LookupError) as error:
            text = f"Cannot apply the update to the document with _id {identity!r}: {error}"
            raise WriteError(text, 14) from error
        if fixed and frozen(doc.get("_id")) != frozen(identity):
            raise WriteError(IMMUTABLE, 66)
        return doc

    def check_hint(self, hint: Any) -> None:
        """An index that the caller names, or describes, has to be there."""
        keys = [index["key"] for index in self.indexes.values()] + [[["_id", 1]]]
        described = [list(pair) for pair in hint.items()] if isinstance(hint, dict) else None
        if hint not in ("_id_", *self.indexes) and described not in keys and described != [["$natural", 1]]:
            raise OperationFailure("hint provided does not correspond to an existing index", 2)

    def run(self, pipeline: list[Document]) -> list[Document]:
        """Aggregate. Stages get copies; a leading $match uses the indexes."""
        check_pipeline(pipeline)
        first = pipeline[0].get("$match", {}) if pipeline else {}
        docs = [self.copy_of(frozen(doc["_id"])) for doc in self._iter_documents(first)]
        for stage in pipeline[1:] if first else pipeline:
            # Over nothing, MongoDB counts and groups to no document at all; mongomock gives one.
            refuse_fields_in_arrays(docs, stage)
            if docs or not stage.keys() & {"$group", "$count"}:
                docs = list(aggregate.process_pipeline(docs, self.database, [stage], None))
        return docs


class Collections(dict[str, Collection]):
    """Every collection by `database.name`, made when it is first named; at the start, what the disk holds."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        for space, body in disk.rows("document"):
            doc, collection = bson.decode(body, CODEC), self[space]
            key = frozen(doc["_id"])
            collection.docs[key], collection.raw[key] = doc, body
        for space, body in disk.rows("collection"):
            self[space].exists = True
            for name, index in bson.decode(body, CODEC).items():
                self[space].add_index(name, index)

    def __missing__(self, space: str) -> Collection:
        database, _, name = space.partition(".")
        # What mongomock asks of a database, for $lookup.
        others = SimpleNamespace(name=database, get_collection=lambda other: self.named(database, other))
        return self.setdefault(space, Collection(others, name, self.disk))

    def named(self, database: Any, name: Any) -> Collection:
        """The collection, unless that cannot be its name."""
        if not (isinstance(name, str) and isinstance(database, str)):
            raise OperationFailure(f"Invalid namespace specified: {database!r}.{name!r}", 73)
        if not NAMESPACE.fullmatch(f"{database}\n{name}"):
            raise OperationFailure(f"Invalid namespace specified: {database}.{name}", 73)
        return self[f"{database}.{name}"]

    def existing(self, database: str = "") -> dict[str, Collection]:
        """By `database.name`, sorted: those of one database, or all."""
        beginning = f"{database}." if database else ""
        return {s: self[s] for s in sorted(self) if s.startswith(beginning) and self[s].exists}
