"""`lab`: healthy stacks for tests of faults."""

from tests.faults.fault_lab import lab

__all__ = ["lab"]
