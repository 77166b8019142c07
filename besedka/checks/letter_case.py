"""Addresses that are the same but for the case of their letters."""

from __future__ import annotations

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, Severity, finding


def email_case(examination: Examination, email: str, place: str) -> Finding:
    """Rocket.Chat adopts whatever the letters' case (measured on 6.13.0); its merging by e-mail does not."""
    by_email = examination.contract.provider.key_field == "email"
    fix = (
        'Set key_field = "username" under [provider] in besedka.toml: by e-mail Rocket.Chat compares letters.'
        if by_email
        else "Nothing is to be done: the next log-in by SSO writes it as the site does."
    )
    code, severity = "rooms.accounts.email_case", Severity.RISK if by_email else Severity.NOTE
    seen = f"{email} is written in other letters, large for small"
    return finding(code, seen, email, place, advice=(fix,), severity=severity)
