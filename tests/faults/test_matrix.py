"""Each fault in a healthy stack: doctor names its cause first, and after its undo finds nothing."""

from __future__ import annotations

import time

import pytest

from benchmarks import machine
from besedka import contract as contracts
from besedka.faults import Fault, catalogue
from besedka.faults.caught import caught_by, unknown
from besedka.faults.matrix import PAGE, Record, stale
from tests.faults.inner_run import names_what_is_wrong
from tests.faults.ward import Ward

pytestmark = pytest.mark.faults

FAULTS = catalogue(contracts.load())


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_suite_sees_it_doctor_names_it_and_the_undo_heals(ward: Ward, fault: Fault) -> None:
    with ward.healed() as patient:
        with fault.put_into(patient):
            begin = time.perf_counter()
            report = patient.examine()
            seconds = time.perf_counter() - begin
            red = ward.failures(patient, caught_by(fault))
        codes = [found.code for found in report.findings]
        assert codes[:1] == [fault.cause]
        assert sorted(codes[1:]) == sorted(fault.also)
        assert report.first_cause is not None
        assert report.first_cause.fix, "the finding does not say how to fix it"
        assert report.leftovers == ()
        assert set(red) == set(caught_by(fault)), "these tests alone went red"
        assert [test for test, text in red.items() if not names_what_is_wrong(text)] == []
    Record(fault.name, codes[0], tuple(red), round(seconds, 2), machine.describe()).keep()


def test_the_page_is_in_step_with_the_catalogue() -> None:
    assert stale(PAGE.read_text("utf-8"), FAULTS) == [], (
        "run: pytest -m faults, then python -m besedka.faults.matrix > docs/fault-matrix.md"
    )


def test_the_table_of_tests_names_faults_that_exist() -> None:
    assert unknown({fault.name for fault in FAULTS}) == set()
