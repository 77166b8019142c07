"""Layer `integrity`, locks: accounts that Rocket.Chat shuts out after failed log-ins.

After `app/authentication/server/lib/restrictLoginAttempts.ts` (6.5.3): the failures of the last minutes since
the last success are counted by the name that was typed. At the limit a password signs nobody in under that
name. SSO, which types no name, still does (seen on a running 6.5.3).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Skipped, answer, finding
from besedka.contract import Contract
from besedka.rocketchat.database import Document

_BLOCK = "Block_Multiple_Failed_Logins_"
_CODE = "integrity.users_locked.failures"
_ADVICE = (
    "Wait: it opens by itself. Find who or what tries that name: an old script, a phone with an old one. The "
    f"limit is {_BLOCK}Attempts_Until_Block_by_User."
)


def _locked_until(
    failures: list[Document], successes: list[Document], limit: int, minutes: float
) -> datetime | None:
    """When the name opens again; None where it is not locked."""
    since = max([datetime.now(UTC) - timedelta(minutes=minutes), *_times(successes)])
    counted = sorted(moment for moment in _times(failures) if moment >= since)
    return counted[-limit] + timedelta(minutes=minutes) if len(counted) >= limit else None


def _times(events: list[Document]) -> list[datetime]:
    return [event["ts"] for event in events if isinstance(event["ts"], datetime)]


@check("integrity.users_locked", codes="failures", needs=["services.same_data"])
def users_locked(examination: Examination) -> Answer:
    """Is no canonical user's password, which SSO does not need, refused after too many failed log-ins?"""
    stored = examination.stored or {}

    def value(name: str) -> Any:
        return stored.get(_BLOCK + name, {}).get("value")

    if not value("Enabled") or not value("By_User"):
        return Skipped(f"Rocket.Chat locks nobody out ({_BLOCK}Enabled, {_BLOCK}By_User)")
    limit, minutes = value("Attempts_Until_Block_by_User"), value("Time_To_Unblock_By_User_In_Minutes")
    if not isinstance(limit, int) or limit < 1 or not isinstance(minutes, int | float):
        return Skipped(f"how many failures lock an account, or for how long, is no number ({_BLOCK}…)")
    found = []
    for user in examination.contract.users:
        failures, successes = (examination.mongo.log_ins(user.username, failed=one) for one in (True, False))
        until = _locked_until(failures, successes, limit, minutes)
        if until:
            count = len(failures)
            seen = f"{user.username}'s password is not taken until {until:%H:%M} UTC, after {count} failures"
            found.append(finding(_CODE, seen, "open", "rocketchat_server_events", advice=(_ADVICE,)))
    return answer(found, evidence="nobody is")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (users_locked,)
