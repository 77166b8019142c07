"""MongoDB's rules of comparing, finding, sorting and changing, which a stand-in gets wrong without a word.

Each answer is MongoDB's own (its manual; null_query_semantics.js among its own tests). A stand-in may refuse
what it does not do (238): it never answers otherwise. `--mongod=PATH` asks a real server the same.
"""

from collections.abc import Callable
from typing import Any

import pytest
from bson import Decimal128, Regex
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

pytestmark = pytest.mark.conformance
UNSUPPORTED = 238
NAN = float("nan")


def ids(found: Any) -> list[int]:
    return [document["_id"] for document in found]


def filled(things: Collection, *values: Any) -> None:
    """A document for each value, in `x`; for None a document without."""
    if values:
        rows = [
            {"_id": number} | ({} if one is Ellipsis else {"x": one}) for number, one in enumerate(values)
        ]
        things.insert_many(rows)


_OBJECT = {"a": 1, "b": 2}
_TURNED = {"b": 2, "a": 1}
_FOUND: dict[str, tuple[list[Any], Any, list[int]]] = {
    "true is not 1": ([True, 1, 1.0], {"x": True}, [0]),
    "1 is 1.0, not true": ([True, 1, 1.0], {"x": 1}, [1, 2]),
    "$in keeps them apart": ([True, 1], {"x": {"$in": [1]}}, [1]),
    "$nin keeps them apart": ([True, 1], {"x": {"$nin": [1]}}, [0]),
    "$ne keeps them apart": ([True, 1], {"x": {"$ne": 1}}, [0]),
    "$gte keeps them apart": ([True, 1, 2], {"x": {"$gte": 1}}, [1, 2]),
    "$all keeps them apart": ([[1, 2], [True, 2]], {"x": {"$all": [1, 2]}}, [0]),
    "the order of keys counts": ([_OBJECT], {"x": _TURNED}, []),
    "in that order it is found": ([_OBJECT], {"x": _OBJECT}, [0]),
    "$in counts it too": ([_OBJECT], {"x": {"$in": [_TURNED]}}, []),
    "null below a path": (
        [..., None, {}, {"y": None}, {"y": 1}, 5, [], [{"y": 1}, {}]], {"x.y": None}, [0, 1, 2, 3, 5, 7],
    ),
    "missing below a path": ([..., [], [{"y": 1}, {}], [{}]], {"x.y": {"$exists": False}}, [0, 1, 3]),
    "null in an array": ([[None], [1]], {"x": None}, [0]),
    "$in with null": ([None, ..., 1], {"x": {"$in": [None]}}, [0, 1]),
    "$not over arrays": ([[1, 5], [1], 7], {"x": {"$not": {"$gt": 3}}}, [1]),
    "$not with a regex": ([["ab", "c"], ["c"], "ab"], {"x": {"$not": Regex("^a")}}, [1]),
    "$ne over arrays": ([[1, 2], [2]], {"x": {"$ne": 1}}, [1]),
    "decimals by value": ([Decimal128("1.5"), 1.5], {"x": Decimal128("1.50")}, [0, 1]),
    "decimals in order": ([Decimal128("1.5"), 3], {"x": {"$gt": 1}}, [0, 1]),
    "NaN is NaN": ([NAN, 1], {"x": NAN}, [0]),
    "NaN is less than nothing": ([NAN, 1], {"x": {"$lt": 5}}, [1]),
    "types are kept apart": ([5, "a"], {"x": {"$lt": "z"}}, [1]),
    "a whole array, or one inside": ([[1, 2], [[1, 2]], [2, 1]], {"x": [1, 2]}, [0, 1]),
    "a regex finds texts": ([5, "5"], {"x": Regex("5")}, [1]),
    "$elemMatch over objects": ([[_OBJECT, {"a": 2}]], {"x": {"$elemMatch": {"a": 1, "b": 2}}}, [0]),
    "$elemMatch over values": ([[1, 9], [5]], {"x": {"$elemMatch": {"$gt": 3, "$lt": 7}}}, [1]),
    "$size": ([[1, 2], 5], {"x": {"$size": 2}}, [0]),
    "$type": ([True, 1], {"x": {"$type": "bool"}}, [0]),
    "$expr with an array": ([1, 3], {"$expr": {"$in": ["$x", [1, 2]]}}, [0]),
    "$expr keeps true from 1": ([True, 1], {"$expr": {"$eq": ["$x", 1]}}, [1]),
}  # fmt: skip


@pytest.mark.parametrize("case", _FOUND)
def test_what_a_query_finds(things: Collection, case: str) -> None:
    """By find, and by the $match of an aggregation."""
    values, query, wanted = _FOUND[case]
    filled(things, *values)
    assert ids(things.find(query).sort("_id", 1)) == wanted
    assert ids(things.aggregate([{"$match": query}, {"$sort": {"_id": 1}}])) == wanted


_SORTED: dict[str, tuple[list[Any], int, list[int]]] = {
    "arrays by their least": ([[5, 1], 3, [], ...], 1, [2, 3, 0, 1]),
    "arrays by their greatest": ([[5, 1], 3, [4, 0]], -1, [0, 2, 1]),
    "types in MongoDB's order": (["a", True, None, 5, {}], 1, [2, 3, 0, 4, 1]),
}


@pytest.mark.parametrize("case", _SORTED)
def test_what_a_sort_gives(things: Collection, case: str) -> None:
    values, way, wanted = _SORTED[case]
    filled(things, *values)
    assert ids(things.find().sort("x", way)) == wanted
    assert ids(things.aggregate([{"$sort": {"x": way}}])) == wanted


# What is there, the update, and what is there afterwards: a value of `x`, or MongoDB's code.
_CHANGED: dict[str, tuple[Any, Any, Any]] = {
    "a field below a number": (5, {"$set": {"x.y": 1}}, 28),
    "a field below null": (None, {"$set": {"x.y": 1}}, 28),
    "a name in an array": ([1], {"$set": {"x.y": 1}}, 28),
    "a place past an array's end": ([1], {"$set": {"x.3": 1}}, [1, None, None, 1]),
    "a count below a number": (5, {"$inc": {"x.y": 1}}, 28),
    "one path twice": (5, {"$set": {"x": 1}, "$inc": {"x": 1}}, 40),
    "a path and one below it": ({}, {"$set": {"x": 1, "x.y": 1}}, 40),
    "$pull with a regex": (["ab", "b", "ac"], {"$pull": {"x": Regex("^a")}}, ["b"]),
    "$pull with regexes": (["ab", "b", "ac"], {"$pull": {"x": {"$in": [Regex("^a")]}}}, ["b"]),
    "$pull with a condition": ([1, 5, 7], {"$pull": {"x": {"$gte": 5}}}, [1]),
    "$pull of objects": ([{"a": 1, "b": 2}, {"a": 2}], {"$pull": {"x": {"a": 1}}}, [{"a": 2}]),
    "$pull keeps true from 1": ([True, 1], {"$pull": {"x": 1}}, [True]),
    "$pullAll keeps true from 1": ([True, 1], {"$pullAll": {"x": [1]}}, [True]),
    "a place that the query did not find": ([1, 2], {"$set": {"x.$": 9}}, 2),
    "every place of an array": ([1, 2], {"$inc": {"x.$[]": 1}}, [2, 3]),
    "a product": (2.5, {"$mul": {"x": 2}}, 5.0),
    "a product with a text": ("2", {"$mul": {"x": 2}}, 14),
    "bits": ([], {"$bit": {"x": {"and": 6}}}, 2),
    "$pull from a number": (5, {"$pull": {"x": 5}}, 2),
    "$push on a number": (5, {"$push": {"x": 5}}, 2),
    "$addToSet on a number": (5, {"$addToSet": {"x": 5}}, 2),
    "$addToSet keeps true from 1": ([True], {"$addToSet": {"x": 1}}, [True, 1]),
    "$addToSet of many": ([1], {"$addToSet": {"x": {"$each": [1, 2, 2]}}}, [1, 2]),
    "$addToSet counts the order of keys": ([_OBJECT], {"$addToSet": {"x": _TURNED}}, [_OBJECT, _TURNED]),
    "$unset inside an array": ([1, 2], {"$unset": {"x.0": ""}}, [None, 2]),
    "a pipeline through an array": ([{"a": 1}], [{"$set": {"x.b": 7}}], [{"a": 1, "b": 7}]),
}


@pytest.mark.parametrize("case", _CHANGED)
def test_what_an_update_leaves(things: Collection, case: str) -> None:
    """The right document, or MongoDB's own code and the document as it was."""
    before, update, wanted = _CHANGED[case]
    things.insert_one({"_id": 0, "x": before})
    code = 0
    try:
        things.update_one({"_id": 0}, update)
    except OperationFailure as error:
        code = error.code or 0
    right = (wanted, before) if isinstance(wanted, int) else (0, wanted)
    found = (things.find_one({"_id": 0}) or {})["x"]
    # True and 1 are equal to Python, and differ as text.
    assert (code, str(found)) in {(right[0], str(right[1])), (UNSUPPORTED, str(before))}


_REFUSED: dict[str, tuple[Callable[[Collection], Any], int]] = {
    "one index under two names": (
        lambda things: (things.create_index("a", name="one"), things.create_index("a", name="two")), 85,
    ),
    "one name for two indexes": (
        lambda things: (things.create_index("a", name="one"), things.create_index("a", name="one", unique=True)), 86,
    ),
    "arrays side by side in an index": (
        lambda things: (things.create_index([("a", 1), ("b", 1)]), things.insert_one({"a": [1], "b": [2]})), 171,
    ),
    "an aggregation without a cursor": (
        lambda things: things.database.command({"aggregate": things.name, "pipeline": []}), 9,
    ),
    "a hint of no index": (lambda things: list(things.find().hint("nope")), 2),
    "$limit of nothing": (lambda things: list(things.aggregate([{"$limit": 0}])), 15958),
    "a projection that includes and excludes": (lambda things: things.find_one({}, {"a": 1, "b": 0}), 31254),
}  # fmt: skip


@pytest.mark.parametrize("case", _REFUSED)
def test_what_is_refused(things: Collection, case: str) -> None:
    """With MongoDB's code, which is what programs look at."""
    question, code = _REFUSED[case]
    things.insert_one({"_id": 0})
    with pytest.raises(OperationFailure) as refused:
        question(things)
    assert refused.value.code == code


_MONGODBS: dict[str, Callable[[Collection], Any]] = {
    "$sortByCount": lambda things: list(things.aggregate([{"$sortByCount": "$x"}])),
    "$unset": lambda things: list(things.aggregate([{"$unset": "x"}])),
    "$unset in an update": lambda things: things.update_one({}, [{"$unset": "x"}]),
    "$unionWith": lambda things: list(things.aggregate([{"$unionWith": things.name}])),
    "$mod": lambda things: list(things.find({"x": {"$mod": [2, 0]}})),
    "$bitsAllSet": lambda things: list(things.find({"x": {"$bitsAllSet": 1}})),
    "a collation": lambda things: list(things.find().collation({"locale": "en", "strength": 2})),
    "array filters": lambda things: things.update_one(
        {}, {"$set": {"y.$[one]": 9}}, array_filters=[{"one": 1}]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _MONGODBS)
def test_what_mongodb_has_is_done_or_refused_as_not_done(things: Collection, case: str) -> None:
    """Never called unknown: a program would take MongoDB for an older one."""
    things.insert_one({"_id": 0, "x": 1, "y": [1]})
    code = 0
    try:
        _MONGODBS[case](things)
    except OperationFailure as error:
        code = error.code or 1
    assert code in {0, UNSUPPORTED}


def test_lookups_go_through_arrays(things: Collection) -> None:
    """An array on either side joins by its members."""
    others = things.database["others"]
    others.drop()
    others.insert_many([{"_id": 1, "k": [1, 2]}, {"_id": 2, "k": 9}, {"_id": 3}])
    things.insert_one({"_id": 0, "a": [1, 2], "b": [{"k": 1}, {"k": 3}], "c": 2})
    for local, foreign, wanted in (("a", "_id", [1, 2]), ("b.k", "_id", [1, 3]), ("c", "k", [1])):
        stage = {"from": "others", "localField": local, "foreignField": foreign, "as": "found"}
        (joined,) = things.aggregate([{"$lookup": stage}])
        assert sorted(ids(joined["found"])) == wanted, local
    others.drop()


def test_groups_and_distinct_values_keep_true_from_1(things: Collection) -> None:
    filled(things, True, 1, 1.0)
    assert len(list(things.aggregate([{"$group": {"_id": "$x"}}]))) == 2
    assert len(things.distinct("x")) == 2


def test_an_upsert_takes_the_equalities_of_its_query(things: Collection) -> None:
    things.update_one({"$and": [{"a": 5}], "b": {"$gt": 3}, "c": {"$eq": 7}}, {"$set": {"z": 1}}, upsert=True)
    assert things.find_one({}, {"_id": 0}) == {"a": 5, "c": 7, "z": 1}
