"""Passwords that Rocket.Chat's own policy takes (packages/password-policies/src/PasswordPolicy.ts, 7.x)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

_PREFIX = "Accounts_Password_Policy_"
_LENGTH = 36
# One of each kind that the policy may demand, and no two alike beside each other.
_KINDS = ("abcdefghkmnpqrstuvwxyz", "ABCDEFGHKLMNPQRSTUVWXYZ", "23456789", "-_+=")


def fitting(settings: Mapping[str, Any]) -> str:
    """A random one as long as the policy allows, up to 36 characters, or longer if it must be."""
    least, most = _number(settings, "MinLength"), _number(settings, "MaxLength")
    length = max(_LENGTH, least)
    if most > 0:
        length = max(min(length, most), least)
    return "".join(secrets.choice(_KINDS[place % len(_KINDS)]) for place in range(length))


def _number(settings: Mapping[str, Any], name: str) -> int:
    value = settings.get(_PREFIX + name) if settings.get(f"{_PREFIX}Enabled") is True else None
    return int(value) if isinstance(value, int | float) else -1
