"""What doctor finds in the chat's data that no command mends: a person decides before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable

from besedka.checks.finding import Finding, Severity
from besedka.provision.action import Notice

# What provisioning answers for. A page of the site or a proxy is nothing that an apply could leave half done.
_CONCERNED = ("integrity.", "rooms.", "iframe.new_accounts.", "provider.step.")


def notices(findings: Iterable[Finding]) -> tuple[Notice, ...]:
    """A blocking notice for each finding that has advice alone, and is more than worth knowing."""
    return tuple(
        Notice(found.code, found.where.place, found.next_step, blocking=True)
        for found in findings
        if found.code.startswith(_CONCERNED) and not found.commands and found.severity is not Severity.NOTE
    )
