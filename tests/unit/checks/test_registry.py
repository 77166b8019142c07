"""The list of checks: complete, in order, and told by name."""

from __future__ import annotations

import pytest

from besedka.checks import registry
from besedka.checks.finding import Ok
from besedka.checks.registry import LAYERS, Check, UnknownCheckError, all_checks, with_grounds
from besedka.contract import Contract


def test_every_layer_has_checks(contract: Contract) -> None:
    assert {check.layer for check in all_checks()} == set(LAYERS)


def test_every_check_asks_a_question(contract: Contract) -> None:
    assert [check.name for check in all_checks() if not check.question.endswith("?")] == []


def test_there_is_one_check_for_each_row_of_the_provider_and_each_setting(contract: Contract) -> None:
    names = set(registry.names())
    assert {f"setting.{setting_id}" for setting_id in contract.settings} <= names
    assert {"provider.secret", "provider.url", "provider.merge_users_distinct_services"} <= names


def test_the_ground_of_a_check_comes_before_it(contract: Contract) -> None:
    seen: set[str] = set()
    for check in with_grounds(["sso.rooms"]):
        assert {*check.needs, *check.after} <= seen, check.name
        seen.add(check.name)


def test_a_layer_or_a_prefix_names_its_checks(contract: Contract) -> None:
    assert "rooms.members" in {check.name for check in with_grounds(["rooms"])}
    assert "integrity.ids" not in {check.name for check in with_grounds(["setting"])}


def test_an_unknown_name_is_refused_with_the_way_to_the_list(contract: Contract) -> None:
    with pytest.raises(UnknownCheckError, match=r"no check named 'provider\.sekret'") as error:
        with_grounds(["provider.sekret"])
    assert "--list" in error.value.next_step
    assert error.value.exit_status == 31


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        (Check("services.mongo", "services", "Twice?", lambda _: Ok()), "declared twice"),
        (Check("new", "nowhere", "Where?", lambda _: Ok()), "does not exist"),
    ],
)
def test_a_check_that_cannot_be_asked_is_not_declared(contract: Contract, new: Check, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        registry.register(new)


def test_a_check_on_missing_ground_is_refused(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = {"site.x": Check("site.x", "site", "On what?", lambda _: Ok(), needs=("site.missing",))}
    monkeypatch.setattr(registry, "_CHECKS", checks)
    with pytest.raises(ValueError, match=r"'site\.x' stands on 'site\.missing'"):
        all_checks()
