"""Addresses that are the same but for the case of their letters.

Rocket.Chat finds accounts by e-mail whatever the case (`findOneByEmailAddress` in
packages/models/src/models/Users.ts, 7.7.1; measured on 6.13.0), and keeps the letters it was given: of
ADMIN_EMAIL, of `users.create`, of the site. By user name and without `merge_users` it refuses who comes with
other letters (`addHookToProcessUser` in apps/meteor/app/custom-oauth/server/custom_oauth_server.js, 7.7.1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, Severity, finding
from besedka.checks.roster import Account
from besedka.contract import Contract, User
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import adoption
from besedka.rocketchat.adoption import same_mailbox


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
    sent = adoption.sent(user.email, at_the_site)
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


def letters(examination: Examination, user: User, account: Account) -> list[Finding]:
    """What the letters of the account's addresses lead to, but for those that cost the password."""
    at_the_site = addresses_at_the_site(examination).get(user.username.lower())
    if user.username in {lost.username for lost, _ in _lost(examination)}:
        return []
    return email_case(examination.contract, user, account.spelt, at_the_site)


def lost_passwords(examination: Examination) -> Iterator[Finding]:
    """Canonical accounts that would lose their password by the letters of their address."""
    for user, right in _lost(examination):
        seen = (
            f"{user.username} has the address in other letters than the site: at the next SSO sign-in "
            "Rocket.Chat deletes the password and shows «Reset password» in the room's place"
        )
        place, command = f"users, {user.username}, emails", (examination.provision_command,)
        yield finding("rooms.verified.letters", seen, right, place, commands=command)


def _lost(examination: Examination) -> Iterator[tuple[User, str]]:
    """Users with the address that the site sends; nobody where Mongo, which holds passwords, is not read."""
    contract = examination.contract
    if examination.target.mongo_url is None or contract.chat.sso == "iframe-auth":
        return
    spelt = addresses_at_the_site(examination)
    accounts = {str(row.get("username", "")).lower(): row for row in examination.chat_users}
    for user in contract.users:
        account, at_the_site = accounts.get(user.username.lower(), {}), spelt.get(user.username.lower())
        if adoption.respelt(account, contract.provider.name, user.email, at_the_site):
            yield user, adoption.sent(user.email, at_the_site)
