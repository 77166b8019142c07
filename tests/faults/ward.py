"""A stack for one fault after another, as long as doctor finds it healthy after each undo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from besedka import contract as contracts
from besedka.contract import Contract
from besedka.faults import Patient, proxied


class Ward:
    """Holds one patient and replaces it by a new stack when it was not left healthy.

    A fresh stack takes three seconds of processor time, a fault half a second. That the last undo left the
    stack as it was is proven by a clean examination, not assumed: without one, the next fault gets a new
    stack.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._held = ExitStack()
        self._patient: Patient | None = None
        self.stacks = 0

    @contextmanager
    def healthy(self) -> Iterator[Patient]:
        """A healthy patient; one that is not healthy at the end, or whose test failed, is given up."""
        patient = self._patient or self._admitted()
        self._patient = None
        yield patient
        report = patient.wait_until_healed()
        assert report.findings == (), "doctor still finds something after the undo"
        self._patient = patient

    def close(self) -> None:
        """Stop the stack that is held."""
        self._patient = None
        self._held.close()

    def _admitted(self) -> Patient:
        self._held.close()
        running = self._held.enter_context(proxied.running(self._contract))
        self.stacks += 1
        patient = self._held.enter_context(Patient.of(running, self._contract))
        assert patient.examine().findings == (), "the stack is not healthy before the fault"
        return patient


@pytest.fixture(scope="session")
def ward() -> Iterator[Ward]:
    """One for all faults of a worker."""
    made = Ward(contracts.load())
    try:
        yield made
    finally:
        made.close()
