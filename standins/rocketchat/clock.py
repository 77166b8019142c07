"""The server's time: real, or moved forward by a test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Timer:
    """A callback due at a moment of the server's clock; `cancel()` before then and it never runs."""

    def __init__(self, due: datetime, callback: Callable[[], object]) -> None:
        self.due = due
        self.callback = callback
        self.handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        if self.handle is not None:
            self.handle.cancel()


class Clock:
    """`now()` is an aware UTC datetime of whole milliseconds, which is what Mongo keeps."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self.timers: set[Timer] = set()

    def now(self) -> datetime:
        moment = datetime.now(UTC) + self.offset
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def advance(self, seconds: float) -> None:
        """Move the clock forward; timers that became due run on the loop's next turn."""
        self.offset += timedelta(seconds=seconds)
        for timer in list(self.timers):
            timer.cancel()
            self._arm(timer)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        timer = Timer(self.now() + timedelta(seconds=seconds), callback)
        self.timers.add(timer)
        self._arm(timer)
        return timer

    def _arm(self, timer: Timer) -> None:
        def run() -> None:
            self.timers.discard(timer)
            timer.callback()

        delay = max(0.0, (timer.due - self.now()).total_seconds())
        timer.handle = asyncio.get_running_loop().call_later(delay, run)
