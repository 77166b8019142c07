"""On a healthy stack none of the tests is red that a fault must turn red; otherwise a fault proves nothing."""

from __future__ import annotations

import pytest

from besedka import contract as contracts
from besedka.checks.registry import LAYERS
from besedka.faults import catalogue
from besedka.faults.caught import NO_STACK, caught_by
from tests.faults.ward import Ward

pytestmark = pytest.mark.faults


def test_no_test_of_the_catalogue_is_red_without_its_fault(ward: Ward) -> None:
    named = {test for fault in catalogue(contracts.load()) for test in caught_by(fault)} - {NO_STACK}
    assert len(named) > len(LAYERS)
    with ward.fresh() as patient:
        assert ward.failures(patient, sorted(named)) == {}
