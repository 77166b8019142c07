"""Every check has a fault, every fault a check; asked of the catalogue alone, without a stack."""

from __future__ import annotations

import pytest

from besedka import contract as contracts
from besedka.checks import registry
from faults import Fault, catalogue
from faults.coverage import UNREACHABLE, problems

pytestmark = pytest.mark.faults

FAULTS = catalogue(contracts.load())


def _nothing(patient: object) -> None:
    raise AssertionError(f"never entered, but was given {patient}")


def _fault(cause: str, *also: str) -> Fault:
    return Fault("made_up", cause, _nothing, also)  # type: ignore[arg-type]


def test_every_check_has_a_fault_or_a_reason() -> None:
    assert problems(FAULTS) == []
    assert all(len(reason) > 20 for reason in UNREACHABLE.values())


def test_every_fault_breaks_a_layer() -> None:
    assert {fault.layer for fault in FAULTS} == set(registry.LAYERS)


def test_the_catalogue_is_as_long_as_it_promises() -> None:
    assert len(FAULTS) >= 80


def test_a_check_without_a_fault_is_named() -> None:
    without = [fault for fault in FAULTS if fault.check != "sso.user"]
    assert problems(without) == ["sso.user: no fault makes this check fail"]


def test_a_new_check_without_a_fault_is_named() -> None:
    names = [known.name for known in registry.all_checks()]
    assert problems(FAULTS, checks=[*names, "sso.new"]) == ["sso.new: no fault makes this check fail"]


def test_an_excuse_for_a_check_that_has_a_fault_is_named() -> None:
    excuses = {"sso.user": "somebody thought so"}
    assert problems(FAULTS, excuses) == ["sso.user: said to be unreachable, but a fault reaches it"]


def test_an_excuse_for_a_check_that_does_not_exist_is_named() -> None:
    assert problems(FAULTS, {"sso.gone": "x"}) == ["sso.gone: said to be unreachable, but no such check"]


def test_a_fault_of_a_code_that_does_not_exist_is_named() -> None:
    wrong = _fault("sso.user.sleepy", "sso.user.refused")
    assert problems([*FAULTS, wrong]) == ["made_up: sso.user.sleepy is no code of any check"]


def test_a_fault_of_no_check_has_no_layer() -> None:
    with pytest.raises(ValueError, match="which is no check"):
        _ = _fault("sso.nothing.at_all").layer
