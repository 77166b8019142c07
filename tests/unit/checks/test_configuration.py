"""Every value of the contract is told, beside what a stack that answers nothing can show of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from besedka.checks import configuration
from besedka.checks.report import contract_values
from besedka.contract import Contract
from besedka.rocketchat import provider
from besedka.target import Target
from tests.unit.checks.test_doctor_command import nowhere  # noqa: F401 - a fixture


def test_of_a_stack_that_answers_nothing_the_reason_is_told(contract: Contract, nowhere: list[str]) -> None:  # noqa: F811
    site, chat = (option.partition("=")[2] for option in nowhere)

    told = configuration.held(replace(Target.of(contract), site_url=site, chat_url=chat), contract)

    assert [row["name"] for row in told["values"]] == list(contract_values(contract))
    assert "REST" in told["unread"]
    assert {row["effective"] for row in told["values"]} == {configuration.UNREAD}


def test_no_secret_is_told(contract: Contract, nowhere: list[str]) -> None:  # noqa: F811
    site, chat = (option.partition("=")[2] for option in nowhere)
    told = str(configuration.held(replace(Target.of(contract), site_url=site, chat_url=chat), contract))

    assert [secret for secret in contract.secrets if secret in told] == []


@pytest.mark.parametrize(("stored", "agrees"), [(True, True), (False, False), ("true", False)])
def test_a_value_agrees_only_in_its_own_type(contract: Contract, stored: object, agrees: bool) -> None:
    name = next(name for name, value in contract.settings.items() if value is True)
    wanted = contract.settings | provider.settings(contract)
    rows = {setting: {"value": value} for setting, value in wanted.items()} | {name: {"value": stored}}
    effective = {setting: row["value"] for setting, row in rows.items()}

    found = {row["name"]: row for row in configuration.of_settings(contract, rows, effective)}

    assert found[f"settings.{name}"]["agrees"] is agrees
    assert sum(not row["agrees"] for row in found.values()) == int(not agrees)
