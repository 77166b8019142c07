"""Accounts of the chat with another e-mail than their user's: another user's, or one that looks alike."""

from __future__ import annotations

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, Severity, finding
from besedka.checks.roster import Account
from besedka.contract import User
from besedka.look_alikes import with_reason
from besedka.swapped import Held, Swap, swaps


def foreign_address(examination: Examination, user: User, account: Account) -> list[Finding]:
    """What another e-mail than the user's leads to; nothing where the account has the user's.

    By the address Rocket.Chat takes an account for the person who signs in, whatever its name
    (`accounts_meld.js`; measured on 6.13.0).
    """
    if user.email.lower() in account.emails:
        return []
    known, place = examination.roster.accounts, f"users, {user.username}"
    command = (examination.provision_command,)
    held = {name: Held(one.emails, one.name) for name, one in known.items()}
    swapped = swaps(examination.contract.users, held)
    if swap := swapped.get(user.username):
        return [_swapped(swap, place, command)]
    holder = next((one.username for one in known.values() if user.email.lower() in one.emails), None)
    if holder:
        seen = (
            f"{holder} has the e-mail of {user.username}: Rocket.Chat takes that account for {user.username}"
        )
        fix = f"Administration, Users: give {holder} another e-mail, or delete that account."
        # Provisioning gives a canonical holder an address of its own.
        is_own = holder in swapped and not swapped[holder].whole
        commands, advice = (command, ()) if is_own else ((), (fix,))
        code = "rooms.accounts.taken"
        return [finding(code, seen, user.email, place, commands=commands, advice=advice)]
    spelt = next(iter(account.spelt), "")
    seen = with_reason(f"{user.username}: {', '.join(account.emails) or 'no e-mail'}", spelt, user.email)
    code = "rooms.accounts.email"
    return [finding(code, seen, user.email, place, commands=command, severity=Severity.RISK)]


def _swapped(swap: Swap, place: str, command: tuple[str, ...]) -> Finding:
    code, name, other = "rooms.accounts.swapped", swap.user.username, swap.other.username
    if swap.whole:
        seen = f"the account {name} is {other}'s, by its e-mail and its name: the usernames are swapped"
        fix = f"Administration, Users: give {name} another username for a while, then each account its own."
        return finding(code, seen, name, place, advice=(fix,))
    seen = f"{name} has the e-mail of {other}: Rocket.Chat takes the account for {other}, and refuses both"
    return finding(code, seen, swap.user.email, place, commands=command)
