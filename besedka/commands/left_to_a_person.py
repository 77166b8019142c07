"""What doctor finds in the chat's data that no command mends: it is a person's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from besedka.checks.finding import Finding, Severity
from besedka.provision.action import Kind, Notice

# What provisioning answers for. A page of the site or a proxy is nothing that an apply could leave half done.
ASKED = ("integrity", "rooms", "iframe.new_accounts", "provider.step")
_CONCERNED = tuple(f"{name}." for name in ASKED)
# Rocket.Chat makes no account or room of a name that a rule of its settings forbids.
_REFUSED_NAMES: Mapping[str, tuple[Kind, ...]] = {
    "iframe.new_accounts.names": ("user",),
    "integrity.room_names.rule": ("room",),
}
_PERMISSIONS = "rooms.permissions.provisioning"
# What the administrator may not do would be refused in the middle of an apply.
_NEEDED_FOR: Mapping[str, tuple[Kind, ...]] = {
    "access-permissions": ("permission",),
    "add-oauth-service": ("provider",),
    "add-user-to-joined-room": ("membership",),
    "assign-roles": ("user", "account"),
    "create-c": ("room",),
    "create-p": ("room",),
    "create-user": ("user", "own-address"),
    "edit-other-user-info": ("user", "account"),
    "edit-privileged-setting": ("setting", "provider", "service"),
    "edit-room": ("room-field",),
    "view-full-other-user-info": ("user", "account", "own-address"),
    "view-privileged-setting": ("setting", "provider", "service"),
}


def notices(findings: Iterable[Finding]) -> tuple[Notice, ...]:
    """A notice for each finding that has advice alone, and is more than worth knowing.

    What is broken is `blocking`: the stack would not be the contract's after an apply. A risk stands beside
    it, and stops only what it would make fail.
    """
    return tuple(
        Notice(
            found.code,
            found.where.place,
            found.next_step,
            blocking=found.severity is Severity.BROKEN,
            stops=_stopped(found),
        )
        for found in findings
        if found.code.startswith(_CONCERNED) and not found.commands and found.severity is not Severity.NOTE
    )


def _stopped(found: Finding) -> tuple[Kind, ...]:
    if found.code in _REFUSED_NAMES:
        return _REFUSED_NAMES[found.code]
    if found.code != _PERMISSIONS:
        return ()
    return tuple(kind for name, kinds in _NEEDED_FOR.items() if name in found.seen for kind in kinds)
