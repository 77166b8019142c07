"""What of MongoDB's query language is understood; the rest is refused by name before a document is seen.

mongomock finds an unknown operator only when a document reaches it: over nothing it gives nothing.
"""

from typing import Any

import bson
from bson import Int64
from mongomock import aggregate
from mongomock import collection as mock
from pymongo.errors import OperationFailure

from .matching import OPERATORS, applies, key
from .updating import refuse_conflicts

# Matching, stages and updates that replace mongomock's (importing them puts them in their place).
LOGIC = {"$not", "$options", "$and", "$or", "$nor", "$expr", "$comment"}
CONDITIONS = LOGIC | {"$regex"} | OPERATORS
OWN_UPDATES = {"$rename", "$setOnInsert", "$currentDate", "$addToSet", "$pull", "$pullAll", "$push"}
# $out would write past the disk.
STAGES = {name for name, handler in aggregate._PIPELINE_HANDLERS.items() if handler} - {"$out"}
# What MongoDB has and the stand-in has not: refused as such (238), not called unknown to MongoDB.
_ELSEWHERE = set(
    """$where $text $mod $jsonSchema $geoWithin $geoIntersects $near $nearSphere $bitsAllSet $bitsAllClear
    $bitsAnySet $bitsAnyClear $rand $sampleRate $bit $out $merge $unionWith $sortByCount $setWindowFields
    $bucketAuto $changeStream $changeStreamSplitLargeEvent $collStats $currentOp $densify $documents $fill
    $geoNear $graphLookup $indexStats $listLocalSessions $listSessions $planCacheStats $redact $search
    $searchMeta $vectorSearch $unset $replaceWith $bucket $facet $function $accumulator""".split()
)
FILTERS = CONDITIONS.union(*(value for name, value in vars(aggregate).items() if name.endswith("_operators")))


def increase(doc: Any, field: str, value: Any) -> None:
    """$inc as MongoDB has it: a long stays a long; what is no number is refused, not concatenated."""
    place = field if isinstance(doc, dict) else int(field)
    before = doc.get(field, 0) if isinstance(doc, dict) else doc[place]
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in (before, value)):
        text = f"Cannot apply $inc to a value of non-numeric type: {field}: {before!r}, {value!r}"
        raise OperationFailure(text, 14)
    long = Int64 in (type(before), type(value)) and isinstance(before + value, int)
    doc[place] = Int64(before + value) if long else before + value


def multiply(doc: Any, field: str, value: Any) -> None:
    """$mul: what is missing is zero times as much."""
    place = field if isinstance(doc, dict) else int(field)
    before = doc.get(field, 0) if isinstance(doc, dict) else doc[place]
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in (before, value)):
        text = f"Cannot apply $mul to a value of non-numeric type: {field}: {before!r}, {value!r}"
        raise OperationFailure(text, 14)
    long = Int64 in (type(before), type(value)) and isinstance(before * value, int)
    doc[place] = Int64(before * value) if long else before * value


mock._updaters |= {"$inc": increase, "$mul": multiply}


def refused(name: str, text: str, code: int) -> OperationFailure:
    """MongoDB's refusal of a name that it does not know; 238 for one that the stand-in alone does not."""
    if name in _ELSEWHERE:
        return OperationFailure(f"the MongoDB stand-in does not do {name}", 238)
    return OperationFailure(text, code)


def frozen(value: Any) -> Any:
    """A hashable equivalent, equal exactly where MongoDB compares equal: 1 is 1.0, but not true."""
    try:
        return key(value)
    except OperationFailure:
        return ("bson", bson.encode({"": value}))


def check(value: Any, known: set[str], code: int = 2) -> None:
    """Raise for the first operator inside that is not among the known ones."""
    for part in value if isinstance(value, list) else ():
        check(part, known, code)
    for name, part in value.items() if isinstance(value, dict) else ():
        if name.startswith("$") and name not in known:
            raise refused(name, f"unknown operator: {name} (the MongoDB stand-in knows no such)", code)
        if name != "$literal":
            check(part, known, code)


def check_filter(query: Any) -> None:
    """Operators by name; operands as mongomock sees them, but an expression may rightly lack its fields."""
    check(query, FILTERS)
    plain = {k: v for k, v in query.items() if k != "$expr"} if isinstance(query, dict) else query
    applies(plain, {})


def is_replacement(update: Any) -> bool:
    return isinstance(update, dict) and not any(key.startswith("$") for key in update)


def check_update(update: Any, multi: bool = False) -> None:
    """Raise unless this is a replacement of one document, or modifiers, or a pipeline, and understood."""
    if isinstance(update, list):
        check_pipeline(update)
    elif not isinstance(update, dict) or (multi and is_replacement(update)):
        raise OperationFailure("multi update is not supported for replacement-style update", 9)
    elif not is_replacement(update):
        for name, fields in update.items():
            if name not in OWN_UPDATES | mock._updaters.keys() or not isinstance(fields, dict):
                raise refused(name, f"Unknown modifier: {name}. Expected a valid update modifier", 9)
            if any("$[" in path for path in fields):
                raise OperationFailure("the MongoDB stand-in does not support $[] in an update path", 238)
            check(fields if name == "$pull" else None, CONDITIONS)
        refuse_conflicts(update)


def check_pipeline(pipeline: Any) -> None:
    for stage in pipeline:
        if not isinstance(stage, dict) or len(stage) != 1:
            raise OperationFailure("A pipeline stage specification object must contain one field.", 40323)
        if unknown := stage.keys() - STAGES:
            raise refused(min(unknown), f"Unrecognized pipeline stage name: '{min(unknown)}'", 40324)
        check(stage, STAGES | FILTERS, 168)
        if "$match" in stage:
            check_filter(stage["$match"])
