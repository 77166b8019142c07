"""What the project asks of MongoDB, through pymongo; holds for the stand-in and for a real server alike."""

import asyncio
import datetime
from concurrent.futures import ThreadPoolExecutor

import bson
import pymongo
import pytest
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, CursorNotFound, DuplicateKeyError, OperationFailure, WriteError

pytestmark = pytest.mark.conformance


def test_every_bson_type_comes_back_as_it_went(things: Collection) -> None:
    when = datetime.datetime(
        2025, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone(datetime.timedelta(hours=3))
    )
    sent = {
        "_id": bson.ObjectId(), "int": 1, "long": bson.Int64(1), "big": 2**40, "float": 1.5, "text": "Беседа",
        "none": None, "yes": True, "bytes": b"\0\xff", "binary": bson.Binary(b"x" * 16, 4), "list": [1, [2], {"three": 3}],
        "decimal": bson.Decimal128("1.10"), "regex": bson.Regex("^a", "i"), "empty": {},
        "stamp": bson.Timestamp(5, 6),
    }  # fmt: skip
    things.insert_one(sent | {"when": when})
    found = things.find_one({"_id": sent["_id"]})
    assert found is not None
    assert found.pop("when") == when.astimezone(datetime.UTC).replace(tzinfo=None)
    assert found == sent
    assert type(found["long"]) is bson.Int64
    assert type(found["int"]) is int


def test_dates_are_compared_as_moments(things: Collection) -> None:
    noon = datetime.datetime(2025, 6, 1, 12, tzinfo=datetime.UTC)
    things.insert_one({"ts": noon})
    later = noon.astimezone(datetime.timezone(datetime.timedelta(hours=5))) + datetime.timedelta(seconds=1)
    assert things.count_documents({"ts": {"$lt": later}}) == 1
    assert things.count_documents({"ts": {"$gte": later}}) == 0


def test_find_filters_sorts_skips_limits_and_projects(things: Collection) -> None:
    things.insert_many([{"_id": n, "n": n % 3, "deep": {"er": n}, "tags": [n, "all"]} for n in range(10)])
    rows = things.find({"n": {"$in": [0, 1]}}, {"deep.er": 1}).sort([("n", -1), ("_id", 1)]).skip(1).limit(3)
    assert list(rows) == [{"_id": n, "deep": {"er": n}} for n in (4, 7, 0)]
    assert things.count_documents({"deep.er": {"$gte": 8}, "tags": "all"}) == 2
    assert things.count_documents({"$or": [{"_id": 1}, {"tags": 2}], "n": {"$ne": 7}}) == 2
    assert things.find_one({"_id": 3}, {"_id": 0, "tags": 0}) == {"n": 0, "deep": {"er": 3}}
    assert sorted(things.distinct("tags", {"n": 0}), key=str) == [0, 3, 6, 9, "all"]
    assert things.estimated_document_count() == 10


def test_a_cursor_goes_over_several_batches(things: Collection) -> None:
    things.insert_many([{"_id": n} for n in range(1000)])
    assert [row["_id"] for row in things.find().batch_size(7)] == list(range(1000))
    assert len(list(things.find().limit(250))) == 250
    assert len(list(things.aggregate([{"$match": {"_id": {"$gte": 100}}}], batchSize=11))) == 900


def test_a_cursor_shows_what_was_there_when_it_was_opened(things: Collection) -> None:
    things.insert_many([{"_id": n} for n in range(6)])
    rows = things.find().batch_size(2)
    first = next(rows)
    address = rows.address
    rows_id = rows.cursor_id
    assert first["_id"] == 0
    assert address
    assert rows_id
    rows.close()
    with pytest.raises(CursorNotFound) as refused:
        things.database.command("getMore", bson.Int64(rows_id), collection="things")
    assert refused.value.code == 43


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"$set": {"a.b": 2, "c": 1}}, {"a": {"b": 2}, "list": [1, 2, 2], "n": 5, "c": 1}),
        ({"$unset": {"a.b": ""}}, {"a": {}, "list": [1, 2, 2], "n": 5}),
        ({"$inc": {"n": -2, "new": 1}}, {"a": {"b": 1}, "list": [1, 2, 2], "n": 3, "new": 1}),
        ({"$addToSet": {"list": {"$each": [2, 3]}}}, {"a": {"b": 1}, "list": [1, 2, 2, 3], "n": 5}),
        ({"$addToSet": {"a.l": "x"}}, {"a": {"b": 1, "l": ["x"]}, "list": [1, 2, 2], "n": 5}),
        ({"$pull": {"list": 2}}, {"a": {"b": 1}, "list": [1], "n": 5}),
        ({"$pull": {"list": {"$in": [1]}}}, {"a": {"b": 1}, "list": [2, 2], "n": 5}),
        ({"$push": {"list": {"$each": [9], "$slice": -2}}}, {"a": {"b": 1}, "list": [2, 9], "n": 5}),
        ({"$pop": {"list": -1}}, {"a": {"b": 1}, "list": [2, 2], "n": 5}),
        ({"$max": {"n": 7}, "$rename": {"a": "z"}}, {"z": {"b": 1}, "list": [1, 2, 2], "n": 7}),
        ({"$set": {"list.1": 8}}, {"a": {"b": 1}, "list": [1, 8, 2], "n": 5}),
    ],
    ids=str,
)
def test_update_operators(things: Collection, update: dict, expected: dict) -> None:
    things.insert_one({"_id": 1, "a": {"b": 1}, "list": [1, 2, 2], "n": 5})
    result = things.update_one({"_id": 1}, update)
    assert (result.matched_count, result.modified_count) == (1, 1)
    assert things.find_one() == {"_id": 1} | expected


def test_an_array_element_is_updated_in_its_place(things: Collection) -> None:
    things.insert_one({"_id": 1, "emails": [{"address": "a"}, {"address": "b"}]})
    things.update_one({"_id": 1, "emails.address": "b"}, {"$set": {"emails.$.verified": True}})
    row = things.find_one()
    assert row == {"_id": 1, "emails": [{"address": "a"}, {"address": "b", "verified": True}]}


def test_updating_many_counts_matches_and_changes(things: Collection) -> None:
    things.insert_many([{"n": n} for n in range(4)])
    result = things.update_many({"n": {"$gte": 1}}, {"$set": {"n": 2}})
    assert (result.matched_count, result.modified_count) == (3, 2)


def test_a_long_stays_a_long_when_increased(things: Collection) -> None:
    things.insert_one({"_id": 1, "n": bson.Int64(1)})
    things.update_one({"_id": 1}, {"$inc": {"n": 1}})
    row = things.find_one()
    assert row is not None
    assert type(row["n"]) is bson.Int64


def test_upsert_takes_equalities_and_insert_only_fields(things: Collection) -> None:
    update = {"$set": {"b.c": 1}, "$setOnInsert": {"made": True}}
    first = things.update_one({"a": 1, "n": {"$gt": 3}}, update, upsert=True)
    assert first.upserted_id is not None
    again = things.update_one({"a": 1}, {"$set": {"x": 1}, "$setOnInsert": {"made": False}}, upsert=True)
    assert again.upserted_id is None
    assert things.find_one({}, {"_id": 0}) == {"a": 1, "b": {"c": 1}, "made": True, "x": 1}
    assert things.replace_one({"_id": "key"}, {"v": 1}, upsert=True).upserted_id == "key"


def test_replacing_keeps_the_identity(things: Collection) -> None:
    things.insert_one({"_id": 1, "old": 1})
    things.replace_one({"old": 1}, {"new": 1})
    assert list(things.find()) == [{"_id": 1, "new": 1}]
    with pytest.raises(WriteError) as refused:
        things.update_one({}, {"$set": {"_id": 2}})
    assert refused.value.code == 66


def test_find_and_modify(things: Collection) -> None:
    things.insert_many([{"_id": n, "n": n} for n in range(3)])
    after = ReturnDocument.AFTER
    row = things.find_one_and_update({}, {"$inc": {"n": 10}}, sort=[("n", -1)], return_document=after)
    assert row == {"_id": 2, "n": 12}
    assert things.find_one_and_delete({"_id": 0}) == {"_id": 0, "n": 0}
    assert things.find_one_and_update({"_id": 9}, {"$set": {"n": 1}}) is None
    row = things.find_one_and_replace({"_id": 9}, {"n": 1}, upsert=True, return_document=after)
    assert row == {"_id": 9, "n": 1}


def test_delete_one_and_many(things: Collection) -> None:
    things.insert_many([{"n": 1}, {"n": 1}, {"n": 1}, {"n": 2}])
    assert things.delete_one({"n": 1}).deleted_count == 1
    assert things.delete_many({"n": 1}).deleted_count == 2
    assert things.count_documents({}) == 1


def test_a_failed_update_leaves_the_document_alone(things: Collection) -> None:
    things.insert_one({"_id": 1, "text": "x"})
    with pytest.raises(WriteError):
        things.update_one({"_id": 1}, {"$set": {"other": 1}, "$inc": {"text": 1}})
    assert things.find_one() == {"_id": 1, "text": "x"}


def test_bulk_inserts_stop_at_an_error_only_if_ordered(things: Collection) -> None:
    rows = [{"_id": 1}, {"_id": 1}, {"_id": 2}]
    with pytest.raises(BulkWriteError) as refused:
        things.insert_many(rows, ordered=True)
    assert things.count_documents({}) == 1
    assert [e["index"] for e in refused.value.details["writeErrors"]] == [1]
    things.drop()
    with pytest.raises(BulkWriteError):
        things.insert_many(rows, ordered=False)
    assert things.count_documents({}) == 2


def test_a_duplicate_identity_is_11000(things: Collection) -> None:
    things.insert_one({"_id": "x"})
    with pytest.raises(DuplicateKeyError, match="E11000 duplicate key error") as refused:
        things.insert_one({"_id": "x"})
    assert refused.value.details is not None
    assert refused.value.details["keyPattern"] == {"_id": 1}
    assert refused.value.details["keyValue"] == {"_id": "x"}


def test_a_unique_index_sees_into_arrays_and_guards_updates(things: Collection) -> None:
    things.create_index("emails.address", unique=True, sparse=True)
    things.insert_many([{"_id": 1, "emails": [{"address": "a"}, {"address": "b"}]}, {"_id": 2}, {"_id": 3}])
    with pytest.raises(DuplicateKeyError) as refused:
        things.insert_one({"emails": [{"address": "b"}]})
    assert refused.value.code == 11000
    with pytest.raises(DuplicateKeyError):
        things.update_one({"_id": 2}, {"$set": {"emails": [{"address": "a"}]}})
    assert things.find_one({"_id": 2}) == {"_id": 2}
    things.update_one({"_id": 1}, {"$set": {"emails": [{"address": "b"}]}})
    things.update_one({"_id": 2}, {"$set": {"emails": [{"address": "a"}]}})
    assert [row["_id"] for row in things.find({"emails.address": "a"})] == [2]


def test_compound_and_partial_unique_indexes(things: Collection) -> None:
    things.create_index([("rid", 1), ("u._id", 1)], unique=True)
    things.create_index("code", unique=True, partialFilterExpression={"live": True})
    things.insert_many([{"rid": 1, "u": {"_id": n}, "code": 1, "live": False} for n in range(3)])
    with pytest.raises(DuplicateKeyError):
        things.insert_one({"rid": 1, "u": {"_id": 2}})
    things.update_one({"u._id": 0}, {"$set": {"live": True}})
    with pytest.raises(DuplicateKeyError):
        things.update_one({"u._id": 1}, {"$set": {"live": True}})
    assert things.count_documents({"rid": 1}) == 3
    assert things.count_documents({"rid": 1, "u._id": {"$in": [1, 2, 7]}}) == 2


def test_indexes_are_listed_kept_and_dropped(things: Collection) -> None:
    assert things.create_index([("a", 1), ("b", -1)], name="ab", unique=True) == "ab"
    things.create_index([("a", 1), ("b", -1)], name="ab", unique=True)
    known = things.index_information()
    assert list(known) == ["_id_", "ab"]
    assert known["ab"]["key"] == [("a", 1), ("b", -1)]
    assert known["ab"]["unique"] is True
    things.drop_index("ab")
    assert list(things.index_information()) == ["_id_"]
    with pytest.raises(OperationFailure) as refused:
        things.drop_index("ab")
    assert refused.value.code == 27


def test_a_unique_index_is_not_built_over_duplicates(things: Collection) -> None:
    things.insert_many([{"a": 1}, {"a": 1}])
    with pytest.raises(OperationFailure) as refused:
        things.create_index("a", unique=True)
    assert refused.value.code == 11000
    assert list(things.index_information()) == ["_id_"]


def test_aggregation(things: Collection) -> None:
    things.insert_many([{"_id": n, "kind": "ab"[n % 2], "n": n} for n in range(6)])
    grouped = things.aggregate(
        [
            {"$match": {"n": {"$gt": 0}}},
            {"$group": {"_id": "$kind", "total": {"$sum": "$n"}, "many": {"$sum": 1}}},
            {"$sort": {"total": -1}},
            {"$project": {"_id": 0, "kind": "$_id", "total": 1, "many": 1}},
        ]
    )
    assert list(grouped) == [{"kind": "b", "total": 9, "many": 3}, {"kind": "a", "total": 6, "many": 2}]
    assert list(things.aggregate([{"$match": {"kind": "a"}}, {"$count": "n"}])) == [{"n": 3}]
    assert list(things.aggregate([{"$match": {"kind": "z"}}, {"$count": "n"}])) == []
    assert list(things.aggregate([{"$match": {"kind": "z"}}, {"$group": {"_id": None}}])) == []


def test_lookup_joins_two_collections(things: Collection) -> None:
    others = things.database["others"]
    others.drop()
    others.insert_many([{"_id": 1, "name": "one"}, {"_id": 2, "name": "two"}])
    things.insert_one({"_id": "x", "other": 2})
    join = {"from": "others", "localField": "other", "foreignField": "_id", "as": "joined"}
    rows = list(things.aggregate([{"$lookup": join}, {"$unwind": "$joined"}]))
    assert rows == [{"_id": "x", "other": 2, "joined": {"_id": 2, "name": "two"}}]


@pytest.mark.parametrize("rows", [0, 1], ids=["over nothing", "over a document"])
def test_what_is_not_understood_is_an_error_also_over_nothing(things: Collection, rows: int) -> None:
    things.insert_many([{"_id": n, "a": 1} for n in range(rows)] or [{"_id": "gone"}])
    things.delete_one({"_id": "gone"})
    for ask in (
        lambda: list(things.find({"no": 1, "a": {"$besedka": 1}})),
        lambda: list(things.find({"$besedka": []})),
        lambda: things.update_one({"no": 1}, {"$besedka": {"a": 1}}),
        lambda: things.delete_many({"a": {"$besedka": 1}}),
        lambda: list(things.aggregate([{"$besedka": 1}])),
        lambda: list(things.aggregate([{"$project": {"x": {"$besedka": 1}}}])),
    ):
        with pytest.raises(OperationFailure, match=r"\$besedka"):
            ask()
    assert things.count_documents({}) == rows


def test_unacknowledged_writes_arrive(things: Collection) -> None:
    silent = things.with_options(write_concern=pymongo.WriteConcern(w=0))
    assert not silent.insert_one({"_id": 1}).acknowledged
    assert not silent.update_one({"_id": 1}, {"$set": {"n": 1}}).acknowledged
    # One pooled connection carries both, in order.
    assert things.find_one() == {"_id": 1, "n": 1}


def test_the_asynchronous_client_works_too(mongo_url: str, things: Collection) -> None:
    async def use() -> list[int]:
        client: pymongo.AsyncMongoClient = pymongo.AsyncMongoClient(mongo_url)
        async with client:
            collection = client["besedka_contract"]["things"]
            await collection.insert_many([{"_id": n} for n in range(250)])
            await asyncio.gather(*(collection.update_one({"_id": 1}, {"$inc": {"n": 1}}) for _ in range(20)))
            return [row["_id"] async for row in collection.find().batch_size(50)]

    # In a thread of its own: after a browser test this thread runs Playwright's loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        assert thread.submit(lambda: asyncio.run(use())).result() == list(range(250))
    row = things.find_one({"_id": 1})
    assert row is not None
    assert row["n"] == 20
