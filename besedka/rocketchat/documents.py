"""Values in Rocket.Chat's documents that are not what they should be: garbled text, dates that are none."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from bson.datetime_ms import DatetimeMS

# A password's hash, or who somebody is to OAuth, LDAP, SAML or CAS.
_WAYS_IN = ("bcrypt", "argon2", "id", "nameID", "external_id")
# Accounts that Rocket.Chat itself makes of people elsewhere: on another server of the federation, in a file
# that was imported, in Atlassian's Crowd (packages/core-typings/src/IUser.ts; app/crowd/server/crowd.ts).
_ELSEWHERE = ("federated", "importIds", "crowd")
_GARBLINGS = ("cp1251", "latin-1", "cp866")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)

# `apps/meteor/server/lib/roles/createOrUpdateProtectedRole` and its callers make these at each start.
BUILT_IN_ROLES = frozenset(
    {"admin", "moderator", "leader", "owner", "user", "bot", "app", "guest", "anonymous"}
)


def recovered(text: str) -> str | None:
    """The text as it was meant, if it is UTF-8 that was once read as a code page. None if it is not."""
    for encoding in _GARBLINGS:
        try:
            meant = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if meant != text and _CYRILLIC.search(meant):
            return meant
    return None


def garbled(text: str) -> bool:
    """Whether the text was once read in a wrong encoding: U+FFFD, or UTF-8 taken for a code page."""
    return "\ufffd" in text or recovered(text) is not None


def is_date(value: Any) -> bool:
    """A BSON date, also one beyond Python's range."""
    return isinstance(value, datetime | DatetimeMS)


def meant_date(value: Any) -> datetime:
    """The date that was meant by a text, a number of ms or a document; now where nobody can tell."""
    raw = value.get("$date") if isinstance(value, dict) else value
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return datetime.fromtimestamp(raw / 1000, UTC)
        meant = datetime.fromisoformat(str(raw))
    except (ValueError, OverflowError, OSError):
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)
    return meant if meant.tzinfo else meant.replace(tzinfo=UTC)


def is_banned(membership: dict[str, Any]) -> bool:
    """Whether the row only keeps the user out: nobody counts or lists it, and no invitation lifts it.

    docs/features/ban-user.md of Rocket.Chat's own repository, 8.x.
    """
    return membership.get("status") == "BANNED"


def signs_in(user: dict[str, Any]) -> bool:
    """Whether an account has a way in: a password's hash, or an identity of OAuth, LDAP, SAML or CAS."""
    services = (user.get("services") or {}).values()
    return any(one.get(field) for one in services if isinstance(one, dict) for field in _WAYS_IN)


def lives_elsewhere(user: dict[str, Any]) -> bool:
    """Whether an account need have no way in: it stands for somebody elsewhere, or is switched off."""
    return user.get("active") is False or any(user.get(name) for name in _ELSEWHERE)


def is_shown(banner: dict[str, Any], now: datetime) -> bool:
    """Whether Rocket.Chat still shows it (`findActiveByRoleOrId`, packages/models/src/models/Banners.ts)."""
    ends = banner.get("expireAt")
    return banner.get("active") is not False and not (isinstance(ends, datetime) and _utc(ends) < now)


def _utc(value: datetime) -> datetime:
    """Drivers give MongoDB's dates with or without a zone; they are UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
