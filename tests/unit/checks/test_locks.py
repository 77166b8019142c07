"""An account that too many failed log-ins have locked, by what stands in Rocket.Chat's database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from besedka.checks.integrity_locks import _locked_until


def events(*minutes_ago: float) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    return [{"ts": now - timedelta(minutes=minutes)} for minutes in minutes_ago]


@pytest.mark.parametrize(
    ("failures", "successes", "locked"),
    [
        ((3, 2, 1), (), True),
        ((2, 1), (), False),
        ((9, 8, 7), (), False),
        ((9, 8, 1), (), False),
        ((3, 2, 1), (2.5,), False),
        ((3, 2, 1), (4,), True),
    ],
)
def test_failures_of_the_last_minutes_since_a_success_lock(
    failures: tuple[float, ...], successes: tuple[float, ...], locked: bool
) -> None:
    until = _locked_until(events(*failures), events(*successes), limit=3, minutes=5)

    assert (until is not None and until > datetime.now(UTC)) is locked


def test_a_date_that_became_text_counts_for_nothing() -> None:
    rows = [{"ts": "21 June"}, *events(2, 1)]

    assert _locked_until(rows, [{"ts": "yesterday"}], limit=3, minutes=5) is None
