"""Rate limits of the REST API: calls per window, per route, method and address.

Numbers and headers after Rocket.Chat's `app/api/server/api.ts` (DDPRateLimiter of the REST routes).
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from standins.rocketchat.documents import millis

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Verdict:
    """What one counted call is told; `wait_seconds` is 0 when it may go on."""

    headers: dict[str, str]
    wait_seconds: int


@dataclass
class Limiter:
    """Windows that begin with the first call and are counted in the server's own time."""

    windows: dict[Key, tuple[datetime, int]] = field(default_factory=dict)

    def count(self, key: Key, now: datetime, calls: int, milliseconds: int) -> Verdict:
        """Count one call of `key` (route, method, address)."""
        start, used = self.windows.get(key, (now, 0))
        length = timedelta(milliseconds=milliseconds)
        if now >= start + length:
            start, used = now, 0
        used += 1
        if len(self.windows) > 10_000:
            self.windows = {k: w for k, w in self.windows.items() if now < w[0] + length}
        self.windows[key] = (start, used)
        reset = start + length
        headers = {
            "X-RateLimit-Limit": str(calls),
            "X-RateLimit-Remaining": str(max(0, calls - used)),
            "X-RateLimit-Reset": str(millis(reset)),
        }
        over = used > calls
        return Verdict(headers, max(1, math.ceil((reset - now).total_seconds())) if over else 0)
