"""E-mails of canonical accounts that are each other's: Rocket.Chat refuses one that somebody has.

So each is set aside first, for an address that nobody has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from besedka.contract import Contract, User
from besedka.provision.action import Action, Kind
from besedka.provision.errors import AccountClashError
from besedka.provision.state import Account, State
from besedka.swapped import Held, Swap, swaps

Swaps = dict[str, Swap]
_WHY = "another canonical user is to have its e-mail"


def swapped(contract: Contract, state: State) -> Swaps:
    """User name → whose e-mail that account has as its first one.

    Raises AccountClashError where all but the user names says that the accounts are each other's: what was
    written from an account belongs to it, so a person gives the names back.
    """
    held = {name: Held((account.email,), account.name) for name, account in state.accounts.items()}
    found = swaps(contract.users, held)
    for swap in found.values():
        if swap.whole:
            name = swap.user.username
            raise AccountClashError(
                swap.of_names,
                expected="an account of its own for each username",
                where="Administration → Workspace → Users",
                next_step=f"give {name!r} another username for a while, then each account its own; "
                "nothing was changed",
            )
    return found


def set_aside(contract: Contract, state: State, found: Swaps) -> Iterator[Action]:
    """One change for each of these accounts, before any of them gets its own address."""
    for swap in found.values():
        user, account = swap.user, state.accounts[swap.user.username.lower()]
        kind: Kind = "own-address" if user.username == contract.chat.admin.username else "account"
        before = {"email": account.email, "verified": account.verified}
        after = {"email": _elsewhere(user, account), "verified": True}
        yield Action(kind, user.username, before, after, why=_WHY)


def then(user: User, state: State, found: Swaps) -> Account | None:
    """The account as it is once that is done."""
    account = state.account(user.username)
    if account is None or user.username not in found:
        return account
    return replace(account, email=_elsewhere(user, account), verified=True)


def _elsewhere(user: User, account: Account) -> str:
    """Of a domain that Rocket.Chat allows (`Accounts_AllowedDomainsList`), and in latin, as ids are."""
    return f"set_aside_{account.id.lower()}@{user.email.rpartition('@')[2]}"
