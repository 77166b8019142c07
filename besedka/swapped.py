"""Two people's accounts with each other's e-mail, in the chat or at the site.

Rocket.Chat takes the account with the e-mail for the person who signs in, and links it (`accounts_meld.js`,
6.5 to 7.7). Then it finds the account of the user name with the same link, which MongoDB refuses: the index
on `services.<name>.id` is unique (Meteor, accounts-oauth/oauth_common.js). So neither can sign in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from besedka.contract import User
from besedka.site_database import SiteUser


@dataclass(frozen=True)
class Held:
    """What an account has of a person: addresses, and the name that is shown; None where nobody says."""

    emails: Collection[str]
    full_name: str | None


def of_site(users: Iterable[SiteUser]) -> dict[str, Held]:
    """What the site's accounts have, by lower-case user name."""
    return {user.username.lower(): Held((user.email or "",), user.full_name) for user in users}


@dataclass(frozen=True)
class Swap:
    """`user`'s account has the e-mail of `other`; `whole`: it is the other's in all but its user name."""

    user: User
    other: User
    whole: bool

    @property
    def of_names(self) -> str:
        """What was found where the account is the other's in all but its name."""
        name, other = self.user.username, self.other.username
        return f"the account {name} is {other}'s, by its e-mail and its name: the usernames are swapped"


def swaps(users: Collection[User], accounts: Mapping[str, Held]) -> dict[str, Swap]:
    """User name → whose e-mail that account has, where it is another canonical user's and not its own.

    `accounts` go by lower-case user name.
    """
    owners = {user.email.lower(): user for user in users}
    found = {}
    for user in users:
        held = accounts.get(user.username.lower())
        addresses = {address.lower() for address in held.emails} if held else set()
        others = [owners[address] for address in sorted(addresses) if address in owners]
        if held and others and user.email.lower() not in addresses:
            other = others[0]
            whole = held.full_name == other.full_name != user.full_name
            found[user.username] = Swap(user, other, whole)
    return found
