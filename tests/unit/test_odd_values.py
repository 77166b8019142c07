"""Whatever stands in whichever row, a contract is taken or refused in words; it never crashes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from besedka import contract
from besedka.contract import CONTRACT_FILE
from besedka.errors import ContractError
from besedka.overlays import read

RAW = read(CONTRACT_FILE)
# A kind for each value that TOML has, and texts that parsers trip over.
ODD = (5, True, "", "http://[", "{{/(/::x}}", [], [{}], {"a": 1}, None)


def rows(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each row; of a list of tables the first table is enough."""
    if place:
        yield place
    entries = value.items() if isinstance(value, dict) else enumerate(value[:1] if _is_list(value) else ())
    for key, inner in entries:
        yield from rows(inner, (*place, key))


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def toml(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def written(tables: dict[str, Any], path: Path) -> Path:
    path.write_text("\n".join(f"{name} = {toml(table)}" for name, table in tables.items()), "utf-8")
    return path


def changed(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The contract with another value in that row; without the row for None."""
    raw = copy.deepcopy(RAW)
    table = raw
    for key in place[:-1]:
        table = table[key]
    if value is None:
        del table[place[-1]]
    else:
        table[place[-1]] = value
    return raw


def said(path: Path | None, overlays: Sequence[Path]) -> str:
    """What the contract is refused by; empty where it is taken."""
    try:
        contract.load(path, overlays)
    except ContractError as error:
        return error.found
    return ""


@pytest.mark.parametrize("table", RAW)
def test_each_row_of_a_table_holds_any_value_or_is_refused_by_name(table: str, tmp_path: Path) -> None:
    file = tmp_path / "besedka.toml"
    for place in rows(RAW[table], (table,)):
        for value in ODD:
            if value is None and isinstance(place[-1], int):
                continue  # somebody fewer is no mistake of that row
            refused = said(written(changed(place, value), file), ())
            assert not refused or any(name in refused for name in RAW), f"{place} = {value!r}: {refused}"


@pytest.mark.parametrize("table", RAW)
def test_one_odd_row_of_an_overlay_is_one_wrong_row(table: str, tmp_path: Path) -> None:
    file = tmp_path / "overlay.toml"
    for place in rows(RAW[table], (table,)):
        if any(isinstance(key, int) for key in place):
            continue
        for value in ODD[:-1]:
            overlay: Any = value
            for key in reversed(place):
                overlay = {key: overlay}
            several = said(None, [written(overlay, file)]).partition(" wrong ")[0]
            # A table that lacks all its rows names each of them.
            assert several == "1" or value == [{}] or not several.isdigit(), f"{place} = {value!r}"


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ("[setings]\na = 1", "settings"),
        ("[[user]]\nusername = 'x'", "users"),
        ("[site]\nlogin_pth = '/x/'", "login_path"),
        ("[site.adapter]\nsession_cokie = 'x'", "session_cookie"),
        ("[site.adapter.columns]\nfullname = 'x'", "full_name"),
        ("[site.features]\nintegrated_pages = false", "integrated_page"),
        ("[[channels]]\nname = 'general'\nreadonly = true", "read_only"),
    ],
)
def test_a_key_that_is_nearly_right_is_named(row: str, meant: str, tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_text(row, "utf-8")

    with pytest.raises(ContractError, match=f"unknown key; is '{meant}' meant"):
        contract.load(overlays=[tmp_path / "overlay.toml"])


@pytest.mark.parametrize("row", ["users.1 (owner).password", "provider.client_secret", "chat.admin.password"])
def test_no_value_of_a_secret_row_is_shown(row: str, tmp_path: Path) -> None:
    place = {"users.1 (owner).password": ("users", 0, "password")}.get(row, tuple(row.split(".")))

    with pytest.raises(ContractError) as raised:
        contract.load(written(changed(place, 4711), tmp_path / "besedka.toml"), overlays=())

    assert row in raised.value.found
    assert "4711" not in raised.value.found
