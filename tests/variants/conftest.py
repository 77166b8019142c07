"""`variants`: a stack for each overlay, and runs of tests on it."""

from tests.variants.forked_stack import variants

__all__ = ["variants"]
