"""Layer `integrity`, mapping: what the provider's map from roles to rooms names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.contract import Contract
from besedka.rocketchat import provider


@check(
    "integrity.role_map",
    codes="no_json no_room no_admin",
    needs=["services.same_data"],
    after=["provider.exists"],
)
def role_map(examination: Examination) -> Answer:
    """Does the provider's map from roles to rooms name rooms and an administrator that exist?"""
    base = provider.base_id(examination.contract.provider)
    rows = examination.stored or {}
    mapping = rows.get(f"{base}-groups_channel_map", {})
    switched_on = rows.get(f"{base}-map_channels", {}).get("value") is True
    # Without the licence module the switch reads as off, whatever is stored.
    in_force = switched_on and examination.effective.get(f"{base}-map_channels", True) is True
    found: list[Finding] = []
    # Rocket.Chat's own sample names rooms that nobody has; while it is off, nobody reads it.
    if switched_on or mapping.get("value") != mapping.get("packageValue"):
        found = _missing_rooms(examination, f"{base}-groups_channel_map", mapping.get("value"))
    admin = rows.get(f"{base}-channels_admin", {}).get("value")
    if admin and all(user.get("username") != admin for user in examination.chat_users):
        where = examination.where(f"{base}-channels_admin")
        fix = "it is the username under which rooms are made for a group, not a list of roles"
        found.append(
            finding(
                "integrity.role_map.no_admin",
                repr(admin),
                "a username",
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        )
    severity = Severity.RISK if in_force else Severity.NOTE
    found = [replace(one, severity=severity) for one in found]
    return answer(found, evidence="what it names exists")


def _missing_rooms(examination: Examination, setting_id: str, value: Any) -> list[Finding]:
    """The map is JSON: role → a room, several rooms joined by commas, or a list of rooms."""
    where = examination.where(setting_id)
    try:
        targets = json.loads(str(value)).values()
    except (ValueError, AttributeError):
        fix = "write it as JSON, role to room, or leave Rocket.Chat's sample"
        return [
            finding(
                "integrity.role_map.no_json",
                repr(value),
                "a JSON object",
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        ]
    names = {
        name.strip()
        for target in targets
        for name in (target if isinstance(target, list) else str(target).split(","))
    }
    missing = sorted(names - {str(room.get("name")) for room in examination.chat_rooms} - {""})
    if not missing:
        return []
    fix = "name rooms that exist (`admin` was refused as a room's name), or leave rooms to provisioning"
    known = ", ".join(sorted(str(room.get("name")) for room in examination.chat_rooms))
    seen = f"no room {', '.join(missing)}"
    return [
        finding(
            "integrity.role_map.no_room",
            seen,
            f"some of {known}",
            where,
            commands=(examination.provision_command,),
            advice=(fix,),
        )
    ]


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (role_map,)
