"""Accounts of the chat with another name or e-mail than their user's: another's, or one that looks alike."""

from __future__ import annotations

from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, Severity, finding
from besedka.checks.roster import Account
from besedka.contract import User
from besedka.look_alikes import beside, with_reason
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


def misnamed(examination: Examination, user: User, account: Account) -> list[Finding]:
    """The account's name in other capitals, and accounts beside it that look like it.

    Rocket.Chat finds accounts whatever the capitals (`findOneByUsernameAndServiceNameIgnoringCase` in
    custom_oauth_server.js), and renames by `users.update` (`_setUsername`, 6.14).
    """
    found, place = [], f"users, {user.username}"
    if account.username != user.username:
        name, told, code = user.username, account.username, "rooms.accounts.username"
        seen = f"the account of {name} is called {told}"
        command = (examination.provision_command,)
        found.append(finding(code, seen, user.username, place, commands=command))
    for other in examination.roster.accounts.values():
        if other is account:
            continue
        if seen := beside(user.username, user.email, other.username, other.emails):
            fix = (
                f"Administration, Users: whose is {other.username}? Delete it, or give it a name and an "
                "e-mail that look unlike."
            )
            name, code = user.username, "rooms.accounts.beside"
            expected = f"{name} alone"
            where = f"users, {other.username}"
            found.append(finding(code, seen, expected, where, advice=(fix,)))
    return found


def in_place_of(user: User, double: str, code: str = "rooms.accounts.look_alike") -> Finding:
    """The account has a name that only looks like the user's: a new one would be an empty one."""
    seen = with_reason(f"{double} in place of {user.username}", double, user.username)
    fix = f"Administration, Users, this user, Edit: write the username {user.username} anew."
    return finding(code, seen, user.username, f"users, {user.username}", advice=(fix,))


def _swapped(swap: Swap, place: str, command: tuple[str, ...]) -> Finding:
    code, name, other = "rooms.accounts.swapped", swap.user.username, swap.other.username
    if swap.whole:
        fix = f"Administration, Users: give {name} another username for a while, then each account its own."
        return finding(code, swap.of_names, name, place, advice=(fix,))
    seen = f"{name} has the e-mail of {other}: Rocket.Chat takes the account for {other}, and refuses both"
    return finding(code, seen, swap.user.email, place, commands=command)
