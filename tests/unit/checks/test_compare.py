"""A setting held three ways: expected, stored, effective."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from besedka.checks.compare import MISSING, three_ways
from besedka.checks.examination import Examination
from besedka.checks.finding import Severity

FRAME = "Iframe_Restrict_Access"
Make = Callable[..., Examination]


def verdict(
    make: Make, expected: Any, stored: Any, effective: Any, setting_id: str = FRAME, **more: Any
) -> list[str]:
    rows = {} if stored is MISSING else {setting_id: {"value": stored, "packageValue": True, **more}}
    values = {} if effective is MISSING else {setting_id: effective}
    found = three_ways(make(stored=rows, effective=values), "setting.x", setting_id, expected)
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("expected", "stored", "effective", "codes"),
    [
        (False, False, False, []),
        (False, True, True, ["setting.x.wrong"]),
        (False, False, True, ["setting.x.not_effective"]),
        (False, True, False, ["setting.x.not_stored"]),
        (False, MISSING, MISSING, ["setting.x.missing"]),
        (False, False, MISSING, ["setting.x.missing"]),
        ("completed", False, False, ["setting.x.type"]),
        (False, "false", "false", ["setting.x.type"]),
        # In Python False == 0; to Rocket.Chat they are two values.
        (False, 0, 0, ["setting.x.type"]),
        (1000, 1000, 1000, []),
    ],
)
def test_three_values_have_one_verdict(
    examine_with: Make, expected: Any, stored: Any, effective: Any, codes: list[str]
) -> None:
    assert verdict(examine_with, expected, stored, effective) == codes


def test_without_mongo_the_effective_value_decides(examine_with: Make) -> None:
    examination = examine_with(stored=None, effective={FRAME: True})
    assert [one.code for one in three_ways(examination, "s", FRAME, False)] == ["s.wrong"]


def test_a_hidden_setting_is_compared_by_what_is_stored(examine_with: Make) -> None:
    hidden = "Accounts_SystemBlockedUsernameList"
    assert verdict(examine_with, "a,b", "a,b", MISSING, hidden, hidden=True) == []
    assert verdict(examine_with, "a,b", "a", MISSING, hidden, hidden=True) == ["setting.x.wrong"]


def test_a_licence_is_named_as_the_reason(examine_with: Make) -> None:
    switch = "Accounts_OAuth_Custom-Besedka"
    examination = examine_with(
        version="9.0", stored={switch: {"value": True, "packageValue": False}}, effective={switch: False}
    )
    (found,) = three_ways(examination, "provider.enabled", switch, True)
    assert found.code == "provider.enabled.not_effective"
    assert "oauth-enterprise" in found.advice[0]


def test_a_row_of_settings_that_needs_a_licence_is_one_risk(examine_with: Make) -> None:
    claim = "Accounts_OAuth_Custom-Besedka-merge_roles"
    examination = examine_with(
        stored={claim: {"value": True, "packageValue": False}}, effective={claim: False}
    )

    (found,) = three_ways(examination, f"setting.{claim}", claim, True)

    assert (found.code, found.severity) == (f"setting.{claim}.not_effective", Severity.RISK)
    assert "oauth-enterprise" in found.advice[0]
    assert not found.commands


def test_a_licence_that_lacks_is_asked_where_nothing_is_stored(examine_with: Make) -> None:
    claim = "Accounts_OAuth_Custom-Besedka-merge_roles"
    examination = examine_with(
        stored={claim: {"value": False, "packageValue": False}}, effective={claim: False}
    )
    examination.__dict__["admin"] = SimpleNamespace(get=lambda _: {"license": {"activeModules": []}})

    (found,) = three_ways(examination, f"setting.{claim}", claim, True)

    assert found.code == f"setting.{claim}.not_effective"
    assert "whatever is stored" in found.seen


def test_a_setting_is_placed_in_the_admin_pages_in_both_languages(examine_with: Make) -> None:
    examination = examine_with(stored={FRAME: {"value": True}}, effective={FRAME: True})
    (found,) = three_ways(examination, "s", FRAME, False)
    assert found.where.setting == FRAME
    assert "Restrict access inside any Iframe" in found.where.path_en
    assert "Ограничить доступ внутри любого iframe" in found.where.path_ru
    assert found.commands


def test_secrets_are_told_apart_without_being_shown(examine_with: Make) -> None:
    secret_id = "Accounts_OAuth_Custom-Besedka-secret"
    examination = examine_with(stored={secret_id: {"value": "one"}}, effective={secret_id: "one"})
    (found,) = three_ways(examination, "s", secret_id, "another")
    text = f"{found}"
    assert "'one'" not in text
    assert "another" not in text
    assert "3 characters" in found.seen
    assert "7 characters" in found.expected


def test_letters_that_only_look_right_are_named(examine_with: Make) -> None:
    seen = "Bes\u0435dka"
    examination = examine_with(stored={"x": {"value": seen}}, effective={"x": seen})

    (found,) = three_ways(examination, "setting.x", "x", "Besedka")

    assert found.seen.endswith("character 4 is CYRILLIC SMALL LETTER IE (U+0435), which looks like e")


def test_of_a_secret_no_character_is_told(examine_with: Make) -> None:
    seen = "Bes\u0435dka"
    examination = examine_with(stored={"x-secret": {"value": seen}}, effective={"x-secret": seen})

    (found,) = three_ways(examination, "setting.x", "x-secret", "Besedka")

    assert "only look right" in found.seen
    assert "character 4" not in found.seen
