"""Layer `integrity`, locks: accounts that Rocket.Chat shuts out after failed log-ins.

After `app/authentication/server/lib/restrictLoginAttempts.ts` (6.4.8 to 7.7): failures since the last log-in
are counted by name. At the limit every log-in is refused until the last failure is old enough, SSO included.
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


def _locked_until(failures: list[Document], since: Any, limit: int, minutes: float) -> datetime | None:
    """When the account opens again; None where it is not locked."""
    times = [event["ts"] for event in failures if isinstance(event["ts"], datetime)]
    counted = [moment for moment in times if not isinstance(since, datetime) or moment >= since]
    if not counted or len(counted) < limit:
        return None
    return max(counted) + timedelta(minutes=minutes)


@check("integrity.users_locked", codes="failures", needs=["services.same_data"])
def users_locked(examination: Examination) -> Answer:
    """Is no canonical user shut out of the chat after too many failed log-ins?"""
    stored = examination.stored or {}

    def value(name: str) -> Any:
        return stored.get(_BLOCK + name, {}).get("value")

    if not value("Enabled") or not value("By_User"):
        return Skipped(f"Rocket.Chat locks nobody out ({_BLOCK}Enabled, {_BLOCK}By_User)")
    limit, minutes = value("Attempts_Until_Block_by_User"), value("Time_To_Unblock_By_User_In_Minutes")
    if not isinstance(limit, int) or not isinstance(minutes, int | float):
        return Skipped(f"how many failures lock an account, or for how long, is no number ({_BLOCK}…)")
    last = {str(user.get("username")): user.get("lastLogin") for user in examination.chat_users}
    found = []
    for user in examination.contract.users:
        failures = examination.mongo.failed_log_ins(user.username)
        until = _locked_until(failures, last.get(user.username), limit, minutes)
        if until and until > datetime.now(UTC):
            seen = f"{user.username} is locked out until {until:%H:%M} UTC, after {len(failures)} failures"
            found.append(finding(_CODE, seen, "open", "rocketchat_server_events", advice=(_ADVICE,)))
    return answer(found, evidence="nobody is")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (users_locked,)
