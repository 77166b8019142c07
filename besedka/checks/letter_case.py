"""Addresses that are the same but for the case of their letters.

Rocket.Chat finds accounts by e-mail whatever the case (`findOneByEmailAddress` in
packages/models/src/models/Users.ts, 7.7.1; measured on 6.13.0), and keeps the letters it was given: of
ADMIN_EMAIL, of `users.create`, of the site. By user name and without `merge_users` it refuses who comes with
other letters (`addHookToProcessUser` in apps/meteor/app/custom-oauth/server/custom_oauth_server.js, 7.7.1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, Severity, finding
from besedka.contract import Contract, User
from besedka.errors import ServiceUnreachableError


def same_mailbox(one: str, other: str) -> bool:
    """Equal to the letter before the @, and but for case behind it: a domain has none, and Django
    makes it small (`BaseUserManager.normalize_email`)."""
    (name, _, domain), (named, _, domains) = one.rpartition("@"), other.rpartition("@")
    return name == named and domain.lower() == domains.lower()


def addresses_at_the_site(examination: Examination) -> Mapping[str, str]:
    """User name in small letters → the address as the site writes it; nothing where that cannot be read."""
    if examination.target.site_database_url is None:
        return {}
    try:
        return {user.username.lower(): user.email for user in examination.site_users if user.email}
    except ServiceUnreachableError:
        return {}  # services.site_database says so


def email_case(
    contract: Contract, user: User, spelt: Collection[str], at_the_site: str | None
) -> list[Finding]:
    """What the letters of that account's addresses lead to; `at_the_site` is None where that is unknown.

    The site's letters are right, the contract's, and those that Rocket.Chat's administrator was made with.
    """
    provider, admin = contract.provider, contract.chat.admin
    # A wholly other address is `site.accounts.email`.
    sent = at_the_site if at_the_site and at_the_site.lower() == user.email.lower() else user.email
    found = next((address for address in spelt if address.lower() == user.email.lower()), None)
    if found is None or sent in spelt or provider.key_field == "email":
        return []
    if provider.merge_users:
        right = [sent, user.email]
        if user.username.lower() == admin.username.lower():
            right.append(admin.email)
        if any(same_mailbox(found, address) for address in right):
            return []
        fix, severity = (
            "Nothing is to be done: the next log-in by SSO writes it as the site does.",
            Severity.NOTE,
        )
    else:
        severity = Severity.RISK
        fix = (
            f"Administration, Users, {user.username}, Edit: write the e-mail as {sent}, "
            "and switch Verified on. Without merge_users Rocket.Chat refuses who comes with other letters."
        )
    seen, place = f"{user.username} has the address {found}", f"users, {user.username}"
    return [finding("rooms.accounts.email_case", seen, sent, place, advice=(fix,), severity=severity)]
