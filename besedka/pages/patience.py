"""How long page objects wait for Rocket.Chat's client: one place for all waits.

The client's first load takes 12 to 14 s on a quiet machine of two cores. It takes over 30 s on one loaded
five times over (measured on 6.13.0); our stand-in's takes one. So nothing is taken from how a stand-in
behaves. Until a load has been measured, one may take all that the contract allows; then a multiple of the
slowest. A wait ends at once where the page has decided; these limits are met only where nothing ever comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import expect

_FACTOR = 4
_FLOOR_SECONDS = 30.0
_STEPS_IN_A_LOAD = 3


@dataclass
class Patience:
    """`limit` is the contract's `[chat] patience`, `slowest` the longest load so far, both in seconds."""

    limit: float = 120.0
    slowest: float | None = None

    def allow(self, seconds: float) -> None:
        """Take the contract's limit."""
        self.limit = seconds
        expect.set_options(timeout=self.step)

    def note(self, seconds: float) -> None:
        """A load of the client took so long, until the message box."""
        self.slowest = max(self.slowest or 0.0, seconds)
        expect.set_options(timeout=self.step)

    @property
    def load(self) -> float:
        """Milliseconds for a load of the client."""
        if self.slowest is None:
            return self.limit * 1000
        return min(self.limit, max(_FLOOR_SECONDS, _FACTOR * self.slowest)) * 1000

    @property
    def step(self) -> float:
        """Milliseconds for one act in a client that is loaded."""
        return self.load / _STEPS_IN_A_LOAD


PATIENCE = Patience()
