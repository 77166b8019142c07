"""Updates by MongoDB's rules where mongomock has others: what may be written where, and $addToSet and $pull.

mongomock writes over a number to make room for a field below it, and takes two writes of one field. It
leaves what `$pull` with a regex should remove.
"""

from collections.abc import Iterable
from typing import Any

from pymongo.errors import WriteError

from .matching import MISSING, Document, applies, bad, key, met

_OF_ARRAYS = {
    "$push": "$push",
    "$addToSet": "$addToSet",
    "$pull": "$pull",
    "$pullAll": "$pull",
    "$pop": "$pop",
}
_OWN = {"$addToSet", "$pull", "$pullAll", "$unset"}
_LOOK_ONLY = {"$unset", "$pull", "$pullAll", "$pop"}


def refuse_conflicts(update: Document) -> None:
    """Two modifiers on one path, or on a path and one below it: MongoDB's 40."""
    paths = [path for fields in update.values() for path in fields]
    paths += [str(new) for new in update.get("$rename", {}).values()]
    for index, path in enumerate(paths):
        for other in paths[index + 1 :]:
            shorter = min(path, other, key=len)
            if path == other or (f"{path}.").startswith(f"{other}.") or (f"{other}.").startswith(f"{path}."):
                raise WriteError(f"Updating the path '{other}' would create a conflict at '{shorter}'", 40)


def _at(document: Any, parts: Iterable[str]) -> Any:
    for part in parts:
        if isinstance(document, dict):
            document = document.get(part, MISSING)
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return MISSING
    return document


def refuse_dead_ends(document: Document, update: Document) -> None:
    """A field below what is no object, and array modifiers on what is no array: MongoDB's 28 and 2."""
    for name, fields in update.items():
        for path in fields:
            parts = path.split(".")
            if "$" in path:
                continue
            for size in range(1, len(parts)) if name not in _LOOK_ONLY else ():
                above = _at(document, parts[:size])
                if above is MISSING:
                    break
                if isinstance(above, dict) or (isinstance(above, list) and parts[size].isdecimal()):
                    continue
                place = f"element {{{parts[size - 1]}: {above!r}}}"
                raise WriteError(f"Cannot create field '{parts[size]}' in {place}", 28)
            there = _at(document, parts)
            if name in _OF_ARRAYS and there is not MISSING and not isinstance(there, list):
                text = f"Cannot apply {_OF_ARRAYS[name]} to a non-array value: the field '{path}'"
                raise WriteError(text, 14 if name == "$pop" else 2)


def _asked(query: Any) -> set[str]:
    """The fields that a query asks about."""
    parts = query.items() if isinstance(query, dict) else ()
    below = [_asked(one) for name, value in parts if name in {"$and", "$or"} for one in value]
    return {name for name, _ in parts if not name.startswith("$")}.union(*below)


def refuse_positional(update: Document, query: Document) -> None:
    """`$` in a path is what the query found in that array: MongoDB's 2 where it asked nothing of it."""
    asked = _asked(query)
    for path in (path for fields in update.values() for path in fields):
        array, dollar, _ = f"{path}.".partition(".$.")
        if dollar and not any(f"{name}.".startswith(f"{array}.") for name in asked):
            raise WriteError("The positional operator did not find the match needed from the query.", 2)


def _removed(item: Any, condition: Any) -> bool:
    if isinstance(condition, dict) and not (condition and next(iter(condition)).startswith("$")):
        return isinstance(item, dict) and applies(condition, item)
    return met([item], condition)


def _place(document: Any, path: str) -> tuple[Any, str]:
    """The object that holds the path's last name, made where it is missing."""
    *above, last = path.split(".")
    for part in above:
        document = document[int(part)] if isinstance(document, list) else document.setdefault(part, {})
    return document, last


def apply_own(document: Document, update: Document) -> Document:
    """Carry out $addToSet, $pull, $pullAll, and $unset in arrays; what is left is for mongomock."""
    rest = {name: fields for name, fields in update.items() if name not in _OWN}
    for path, value in update.get("$addToSet", {}).items():
        if "$" in path:
            rest.setdefault("$addToSet", {})[path] = value
            continue
        holder, last = _place(document, path)
        there = [*_at(holder, [last])] if _at(holder, [last]) is not MISSING else []
        several = isinstance(value, dict) and "$each" in value
        if several and (set(value) != {"$each"} or not isinstance(value["$each"], list)):
            raise bad("The argument to $each in $addToSet must be an array and the only one")
        for one in value["$each"] if several else [value]:
            if key(one) not in {key(item) for item in there}:
                there.append(one)
        holder[int(last) if isinstance(holder, list) else last] = there
    for path, value in update.get("$unset", {}).items():
        *above, last = path.split(".")
        holder = _at(document, above)
        if not isinstance(holder, list) or "$" in path:
            rest.setdefault("$unset", {})[path] = value
        elif last.isdecimal() and int(last) < len(holder):
            holder[int(last)] = None  # the others keep their places
    for name in ("$pull", "$pullAll"):
        for path, condition in update.get(name, {}).items():
            if "$" in path:
                rest.setdefault(name, {})[path] = condition
            elif isinstance(there := _at(document, path.split(".")), list):
                listed = {key(one) for one in condition} if name == "$pullAll" else set()
                there[:] = [
                    item
                    for item in there
                    if not (key(item) in listed if name == "$pullAll" else _removed(item, condition))
                ]
    return rest
