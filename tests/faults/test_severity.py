"""How bad a fault is, by acting: people sign in, read and write under it, and what stops is what is declared."""

from __future__ import annotations

from contextlib import suppress

import pytest

from besedka import contract as contracts
from faults import Fault, catalogue
from faults.breakable_stack import FaultError
from faults.people_at_work import PeopleAtWork
from faults.stopped import stopped_by, unknown
from tests.faults.fault_lab import FaultLab

pytestmark = pytest.mark.faults

FAULTS = catalogue(contracts.load())
TRIED = [fault for fault in FAULTS if stopped_by(fault) is not None]


@pytest.mark.fixes
@pytest.mark.parametrize("fault", TRIED, ids=[fault.name for fault in TRIED])
def test_what_stops_is_what_is_declared(lab: FaultLab, fault: Fault) -> None:
    reasons = None
    # What people did stands in the way of some undos: the stack ends here.
    with suppress(FaultError), lab.fresh() as breakable:
        people = PeopleAtWork.on(breakable)
        with fault.put_into(breakable):
            reasons = people.stopped()
    assert reasons is not None, "the fault could not be put in"
    assert sorted(reasons) == sorted(stopped_by(fault) or ()), reasons


def test_on_a_healthy_stack_everybody_works(lab: FaultLab) -> None:
    with lab.fresh() as breakable:
        assert PeopleAtWork.on(breakable).stopped() == {}


def test_somebody_who_cannot_write_is_noticed(lab: FaultLab) -> None:
    with lab.fresh() as breakable:
        people = PeopleAtWork.on(breakable)
        room = breakable.contract.default_channel.name
        with breakable.changed("rocketchat_room", {"name": room}, {"$set": {"ro": True}}):
            assert list(people.stopped()) == ["messages", "first"]


def test_the_table_of_what_stops_names_faults_that_exist() -> None:
    assert unknown({fault.name for fault in FAULTS}) == set()
