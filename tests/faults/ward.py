"""A fresh stack for each fault, and runs of the suite on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from besedka import contract as contracts
from besedka.contract import Contract
from besedka.faults import Patient
from besedka.faults.fresh import FreshStacks
from besedka.stack.forked import Zygotes
from tests.faults.inner_run import PRELOAD, InnerRuns


class Ward:
    """Admits one patient after another, each on a stack that nobody has touched."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._stacks = FreshStacks(contract)
        folder = self._stacks.folder
        self._zygotes = Zygotes(str(folder), PRELOAD, folder / "logs" / "zygote.log")
        self._runs = InnerRuns(self._zygotes, folder)

    @contextmanager
    def fresh(self) -> Iterator[Patient]:
        """A patient of its own; the stack ends with the `with` block."""
        with (
            self._stacks.fresh() as running,
            Patient.of(running, self._contract) as patient,
        ):
            yield patient

    @contextmanager
    def healed(self) -> Iterator[Patient]:
        """A patient of its own, on which doctor must find nothing at the end."""
        with self.fresh() as patient:
            yield patient
            report = patient.wait_until_healed()
            assert [found.code for found in report.findings] == [], "doctor still finds this after the undo"

    def failures(self, patient: Patient, nodeids: Iterable[str]) -> dict[str, str]:
        """See `InnerRuns.failures`."""
        return self._runs.failures(patient.stack, nodeids)

    def close(self) -> None:
        """End what was started for all patients."""
        self._zygotes.close()
        self._runs.close()
        self._stacks.close()


@pytest.fixture(scope="session")
def ward() -> Iterator[Ward]:
    """One for all faults of a worker."""
    made = Ward(contracts.load())
    try:
        yield made
    finally:
        made.close()
