"""`ward`: healthy stacks for tests of faults."""

from tests.faults.ward import ward

__all__ = ["ward"]
