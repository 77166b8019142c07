"""Which letters of an address cost an account its password when SSO adopts it.

Rocket.Chat finds the account whatever the case of its address. Then it looks for the address itself, to the
letter, among those that are verified. Source: `apps/meteor/server/configuration/accounts_meld.js`, 6.x and
7.x. So an account with a password and other letters meets the page "Reset password", as an unverified one
does.
"""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def same_mailbox(one: str, other: str) -> bool:
    """Equal to the letter before the @, and but for case behind it: a domain has none, and Django
    makes it small (`BaseUserManager.normalize_email`)."""
    (name, _, domain), (named, _, domains) = one.rpartition("@"), other.rpartition("@")
    return name == named and domain.lower() == domains.lower()


def sent(address: str, at_the_site: str | None) -> str:
    """The contract's address in the letters in which the site sends it; the contract's where nobody knows."""
    return at_the_site if at_the_site and at_the_site.lower() == address.lower() else address


def respelt(account: Document, service: str, address: str, at_the_site: str | None) -> list[Document] | None:
    """The account's addresses in the site's letters, where its own would cost the password; else None.

    A linked account has the letters that the site has sent. Where the site cannot be read, a domain in other
    letters may be the site's own.
    """
    services, rows = account.get("services") or {}, account.get("emails") or []
    right = sent(address, at_the_site)
    spelt = [str(row.get("address", "")) for row in rows]
    known = any(one == right or (at_the_site is None and same_mailbox(one, right)) for one in spelt)
    if known or services.get(service) or not services.get("password"):
        return None
    place = next((place for place, one in enumerate(spelt) if one.lower() == right.lower()), None)
    if place is None:
        return None
    return [*rows[:place], rows[place] | {"address": right, "verified": True}, *rows[place + 1 :]]
