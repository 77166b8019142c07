"""The checks of a contract: complete, in order, told by name, and a matter of that contract alone."""

from __future__ import annotations

import pytest

from besedka.checks.catalogue import UnknownCheckError, checks_for, ordered, with_grounds
from besedka.checks.check import LAYERS, Check
from besedka.checks.finding import Ok
from besedka.contract import Contract


def made_up(name: str, *needs: str) -> Check:
    return Check(name=name, question="Well?", ask=lambda _: Ok(), needs=needs)


def test_every_layer_has_checks(contract: Contract) -> None:
    assert {check.layer for check in checks_for(contract)} == set(LAYERS)


def test_every_check_asks_a_question(contract: Contract) -> None:
    assert [check.name for check in checks_for(contract) if not check.question.endswith("?")] == []


def test_there_is_one_check_for_each_row_of_the_provider_and_each_setting(contract: Contract) -> None:
    names = {check.name for check in checks_for(contract)}
    assert {f"setting.{setting_id}" for setting_id in contract.settings} <= names
    assert {"provider.secret", "provider.url", "provider.merge_users_distinct_services"} <= names


def test_one_contract_does_not_change_the_checks_of_another(contract: Contract) -> None:
    factors = {key for key in contract.settings if key.startswith("Accounts_TwoFactor")}
    fewer = {key: value for key, value in contract.settings.items() if key not in factors}
    without = checks_for(contract.model_copy(update={"settings": fewer}))
    after = {check.name: set(check.after) for check in checks_for(contract)}
    assert factors
    assert {f"setting.{key}" for key in factors} <= after["sso.login"]
    assert not {f"setting.{key}" for key in factors} & {check.name for check in without}


def test_the_ground_of_a_check_comes_before_it(contract: Contract) -> None:
    seen: set[str] = set()
    for check in with_grounds(checks_for(contract), ["sso.rooms"]):
        assert {*check.needs, *check.after} <= seen, check.name
        seen.add(check.name)
    assert "sso.rooms" in seen


def test_a_layer_or_a_prefix_names_its_checks(contract: Contract) -> None:
    everything = checks_for(contract)
    assert "rooms.members" in {check.name for check in with_grounds(everything, ["rooms"])}
    assert "integrity.ids" not in {check.name for check in with_grounds(everything, ["setting"])}


def test_an_unknown_name_is_refused_with_the_way_to_the_list(contract: Contract) -> None:
    with pytest.raises(UnknownCheckError, match=r"no check named 'provider\.sekret'") as error:
        with_grounds(checks_for(contract), ["provider.sekret"])
    assert "--list" in error.value.next_step
    assert error.value.exit_status == 31


@pytest.mark.parametrize(
    ("checks", "complaint"),
    [
        ([made_up("site.x"), made_up("site.x")], "'site.x' is declared twice"),
        ([made_up("nowhere.x")], "layer 'nowhere', which does not exist"),
        ([made_up("site.x", "site.missing")], "'site.x' stands on 'site.missing'"),
    ],
)
def test_checks_that_cannot_be_asked_are_refused(checks: list[Check], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ordered(checks)
