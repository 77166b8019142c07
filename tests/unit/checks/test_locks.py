"""An account that too many failed log-ins have locked, by what stands in Rocket.Chat's database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from besedka.checks.integrity_locks import _locked_until

NOW = datetime.now(UTC)


def failures(*minutes_ago: float) -> list[dict[str, object]]:
    return [{"ts": NOW - timedelta(minutes=minutes)} for minutes in minutes_ago]


@pytest.mark.parametrize(
    ("minutes_ago", "since", "locked"),
    [
        ((3, 2, 1), None, True),
        ((2, 1), None, False),
        ((9, 8, 7), None, False),
        ((9, 8, 1), None, True),
        ((3, 2, 1), NOW - timedelta(minutes=2.5), False),
        ((3, 2, 1), "a date that became text", True),
    ],
)
def test_failures_since_the_last_log_in_lock_for_a_while(
    minutes_ago: tuple[float, ...], since: object, locked: bool
) -> None:
    until = _locked_until(failures(*minutes_ago), since, limit=3, minutes=5)

    assert (until is not None and until > NOW) is locked
