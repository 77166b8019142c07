"""Each fault in a stack of its own: doctor names its cause first, and after its undo finds nothing."""

from __future__ import annotations

import pytest

from besedka import contract as contracts
from besedka.faults import Fault, Patient, catalogue
from besedka.faults.patient import FaultError
from besedka.stack import embedded

pytestmark = pytest.mark.faults

CONTRACT = contracts.load()
FAULTS = catalogue(CONTRACT)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_doctor_names_the_cause_and_the_undo_heals(fault: Fault) -> None:
    with embedded.running(CONTRACT) as running, Patient.of(running, CONTRACT) as patient:
        assert patient.examine().findings == (), "the stack is not healthy before the fault"
        with fault.breaking(patient):
            report = patient.examine()
        codes = [found.code for found in report.findings]
        assert codes[:1] == [fault.cause]
        assert set(codes[1:]) <= {fault.cause, *fault.also}
        assert report.first_cause is not None
        assert report.first_cause.fix, "the finding does not say how to fix it"
        assert patient.wait_until_healed().findings == ()


def test_a_stack_that_is_not_ours_is_refused() -> None:
    never_started = embedded.EmbeddedStack(CONTRACT, embedded.new_run_folder())
    with (
        pytest.raises(FaultError, match="may not be put into this stack"),
        Patient.of(never_started, CONTRACT),
    ):
        pytest.fail("a stack that was never started took a fault")
