"""Overlays: small TOML files that change a contract, each with a name and a reason.

An overlay has the tables of the contract it changes, and a table `[overlay]` of its own: `name` and `reason`
say what it is for, `replaces` lists dotted tables that stand in place of the contract's. Other tables are
merged row by row, and lists of tables (`[[users]]`, `[[channels]]`) entry by entry, by their name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from besedka import address
from besedka.errors import ContractError
from besedka.names import is_secret

HEADER = "overlay"
# The first three are read here, the others where the overlay is tried on a stack.
_HEADER_ROWS = ("name", "reason", "replaces", "tests", "options", "services", "environment", "beside")
_NAMES = ("username", "name")

Table = Mapping[str, Any]
# Dotted row of the contract → what an overlay says there.
Rows = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    """The TOML file as tables. Raises ContractError that names the file and the line."""
    try:
        # Windows' editors begin a file with a mark of its encoding.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ContractError(
            f"the contract cannot be read: {error.strerror}",
            where=str(path),
            next_step="restore the file, or name another one",
        ) from error
    except UnicodeDecodeError as error:
        raise ContractError(
            f"the contract is not UTF-8: {error.reason} at byte {error.start}",
            where=str(path),
            next_step="save the file as UTF-8",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ContractError(
            f"the contract is not valid TOML: {error}",
            where=str(path),
            next_step="correct the line named above",
        ) from error


def table(raw: Any, *names: str) -> Mapping[str, Any]:
    """The table at those names, empty where there is none or something else stands there."""
    for name in names:
        raw = raw.get(name) if isinstance(raw, Mapping) else None
    return raw if isinstance(raw, Mapping) else {}


def merged(base: Table, paths: Sequence[Path]) -> dict[str, Any]:
    """`base` with every overlay in it. Raises ContractError where two overlays differ about one row."""
    result, said = dict(base), dict[str, tuple[Any, Path]]()
    for path in paths:
        overlay = read(path)
        header = overlay.pop(HEADER, {})
        replaces = _replaced(header, path, (base, overlay))
        for row, value in _rows(overlay):
            other, elsewhere = said.setdefault(row, (value, path))
            if other != value:
                raise _contradiction(row, (other, elsewhere), (value, path))
        written = [row for row, _ in _rows(overlay)]
        gone = [row for row in replaces if not any(f"{one}.".startswith(f"{row}.") for one in written)]
        _alike(result, overlay, replaces, path)
        result = _without(_merge(result, overlay, replaces), gone)
    return _moved(base, result, frozenset(said))


def _without(tables: Table, rows: Sequence[str], place: str = "") -> dict[str, Any]:
    """Without these dotted rows: what an overlay replaces by nothing is gone."""
    return {
        key: _without(value, rows, f"{place}{key}.") if isinstance(value, Mapping) else value
        for key, value in tables.items()
        if place + key not in rows
    }


def _moved(base: Table, result: dict[str, Any], said: frozenset[str]) -> dict[str, Any]:
    """Where the site has moved, the contract's other rows about it go along, unless an overlay says them."""
    old, new = (str(table(one, "site").get("url")) for one in (base, result))
    if not (address.is_one(old) and address.is_one(new)) or old == new:
        return result

    def told(place: str, value: Any) -> Any:
        if place in said or not isinstance(value, str):
            return value
        if place == "provider.url":
            # With the path before the whole site, which an origin in a setting has not.
            return address.moved(value, old, new)
        named = any(address.same(entry, address.origin(old)) for entry in address.origins(value))
        return address.moved_origins(value, old, new) if named else value

    names = [name for name in ("provider", "settings") if isinstance(result.get(name), Mapping)]
    return result | {
        name: {key: told(f"{name}.{key}", value) for key, value in result[name].items()} for name in names
    }


def _replaced(header: Any, path: Path, tables: Sequence[Table]) -> frozenset[str]:
    """The dotted tables that stand in place of the contract's. Raises ContractError for any other header."""
    named = header.get("replaces", []) if isinstance(header, Mapping) else None
    if not isinstance(named, list) or not all(isinstance(row, str) for row in named):
        raise _refused(f"[{HEADER}] is not as it should be", path, 'a table, and replaces = ["users", …]')
    if strange := [row for row in header if row not in _HEADER_ROWS]:
        raise _refused(f"{HEADER}.{strange[0]}: there is no such row", path, ", ".join(_HEADER_ROWS))
    unknown = [row for row in named if not any(_has(one, row) for one in tables)]
    if unknown:
        raise _refused(f"{HEADER}.replaces: there is no table {unknown[0]!r}", path, ", ".join(tables[0]))
    return frozenset(named)


def _has(tables: Table, row: str) -> bool:
    place: Any = tables
    for part in row.split("."):
        if not isinstance(place, Mapping) or part not in place:
            return False
        place = place[part]
    return True


def _refused(found: str, path: Path, expected: str) -> ContractError:
    next_step = "correct the row named above; nothing was started or changed"
    return ContractError(found, expected=expected, where=str(path), next_step=next_step)


def _contradiction(row: str, first: tuple[Any, Path], second: tuple[Any, Path]) -> ContractError:
    """A password among the values is not shown."""
    values = ["…" if is_secret(row) else repr(value) for value, _ in (first, second)]
    if first[1] == second[1]:
        return _refused(f"one overlay says {row} twice: {values[0]} and {values[1]}", first[1], "one value")
    return ContractError(
        f"two overlays contradict each other about {row}: {values[0]} and {values[1]}",
        expected="one value for each row",
        where=f"{first[1]} and {second[1]}",
        next_step="take the row out of one of them, or leave one overlay out; nothing was started or changed",
    )


def _alike(base: Table, overlay: Table, replaces: frozenset[str], path: Path, place: str = "") -> None:
    """Raise ContractError where the overlay has something else in the place of a table."""
    for key, value in overlay.items():
        here, old = place + key, base.get(key)
        if here in replaces or not isinstance(old, Mapping):
            continue
        if not isinstance(value, Mapping):
            shown = "…" if is_secret(here) else repr(value)
            raise _refused(f"an overlay says {here} = {shown}", path, f"a table [{here}]")
        _alike(old, value, replaces, path, f"{here}.")


def _merge(base: Table, overlay: Table, replaces: frozenset[str], place: str = "") -> dict[str, Any]:
    result = dict(base)
    for key, value in overlay.items():
        here, old = place + key, base.get(key)
        if here in replaces:
            result[key] = value
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            result[key] = _merge(old, value, replaces, f"{here}.")
        elif _is_list_of_tables(value) and _is_list_of_tables(old):
            result[key] = _merge_entries(list(old or ()), value)
        else:
            result[key] = value
    return result


def _merge_entries(base: list[Any], overlay: list[Any]) -> list[Any]:
    """Entries of the same name become one; new ones come last."""
    changed = {_name(entry): entry for entry in overlay}
    known = [_name(entry) for entry in base]
    mine = [dict(entry) | changed.get(name, {}) for entry, name in zip(base, known, strict=True)]
    return mine + [entry for entry in overlay if _name(entry) not in known]


def _rows(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every row that an overlay writes, with its dotted place."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _rows(inner, f"{place}.{key}" if place else key)
    elif _is_list_of_tables(value):
        for entry in value:
            yield from _rows(entry, f"{place}.{_name(entry)}")
    else:
        yield place, value


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _name(entry: Table) -> Any:
    return next((entry[key] for key in _NAMES if key in entry), None)
