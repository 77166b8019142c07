"""The site's own records: its accounts, and its record of Rocket.Chat as an OAuth client.

They are put right by the site's management commands. An undo leaves them: the passwords and the secret that
were there before are known to nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from besedka.contract import Contract, User
from besedka.provision.action import Action, Notice
from besedka.rocketchat import provider
from besedka.rocketchat.adoption import same_mailbox
from besedka.site_database import Application, SiteDatabase, SiteUser, named, verified
from besedka.swapped import Swap, of_site, swaps
from besedka.target import Manage


@dataclass(frozen=True)
class SiteSide:
    """The site's database, and its management commands; `manage` None where they cannot be run.

    `has_records` is false where no table of django-oauth-toolkit keeps clients and tokens.
    """

    database: SiteDatabase
    manage: Manage | None = None
    has_records: bool = True

    def names(self) -> dict[str, str]:
        """The site's user ids and names."""
        return {str(user.id): user.username for user in self.database.users()}

    def addresses(self, contract: Contract) -> dict[str, str]:
        """User names in small letters, and the addresses that the site sends, once its accounts are right."""
        found = {user.username.lower(): user.email for user in self.database.users() if user.email}
        for user in contract.users if self.manage else ():
            if not same_mailbox(found.get(user.username.lower(), ""), user.email):
                found[user.username.lower()] = user.email
        return found

    def tokens(self) -> set[str] | None:
        """Every access token that the site has issued and not forgotten; None where no table tells."""
        if not self.has_records:
            return None
        return {row.token for row in self.database.access_tokens()}

    def steps(self, contract: Contract) -> Iterator[Action | Notice]:
        """What differs from the contract."""
        users = self.database.users()
        by_name = {user.username.lower(): user for user in users}
        held = {user.email.lower(): user.username for user in users}
        swapped = swaps(contract.users, of_site(users))
        for user in contract.users:
            yield from _left_to_a_person(user, by_name, held.get(user.email.lower()), swapped)
        accounts = [(user, named(user.username, users)) for user in contract.users]
        role = contract.site.adapter.site_role
        rows = [
            (user.username, self._differences(user, account, role(user.role))) for user, account in accounts
        ]
        client_id = contract.provider.client_id
        if self.has_records:
            rows.append((client_id, _application(contract, self.database.application(client_id))))
        for target, differing in rows:
            if not differing:
                continue
            if self.manage:
                before = {name: seen for name, (seen, _) in differing.items()}
                after = {name: wanted for name, (_, wanted) in differing.items()}
                yield Action("site", target, before, after)
            else:
                fields = ", ".join(differing)
                text = f"its {fields} at the site must become the contract's, by the site's own means"
                yield Notice("site-differs", target, text, blocking=True)

    def _differences(
        self, user: User, account: SiteUser | None, site_role: str
    ) -> dict[str, tuple[object, object]]:
        """Field → (what is, what should be). Passwords are not shown."""
        if account is None:
            return {"account": ("none", "one")}
        rows: tuple[tuple[str, object, object], ...] = (
            ("username", account.username, user.username),
            ("role", account.role, site_role),
            ("email", account.email, user.email),
            ("full_name", account.full_name, user.full_name),
            ("is_active", account.is_active, True),
        )
        found = {name: (seen, wanted) for name, seen, wanted in rows if seen is not None and seen != wanted}
        only_case = account.email.lower() == user.email.lower()
        if only_case and (same_mailbox(account.email, user.email) or self.manage is None):
            # Many a site makes a domain's letters small, and would do so again; nobody need write them anew.
            found.pop("email", None)
        if verified(user.secret, account.password) is False:
            found["password"] = ("another", "the contract's")
        return found

    def mend(self, contract: Contract, target: str) -> None:
        """Let the site put one account, or its record of Rocket.Chat, right."""
        if self.manage is None:
            return
        if target == contract.provider.client_id:
            self.manage("ensure_oauth_application")
            return
        users = self.database.users()
        swapped, email = swaps(contract.users, of_site(users)), contract.user(target).email.lower()
        held = {user.username for user in users if (user.email or "").lower() == email}
        # Where they have each other's addresses, none gets its own before the other has given it up.
        targets = list(dict.fromkeys([*swapped, target])) if {target, *held} & {*swapped} else [target]
        self.manage("ensure_users", stdin=json.dumps([_row(contract, name) for name in targets]))


def _left_to_a_person(
    user: User, by_name: dict[str, SiteUser], holder: str | None, swapped: dict[str, Swap]
) -> Iterator[Notice]:
    """Whose account it is where another one has its e-mail: what hangs on an account stays with it."""
    if user.username in swapped:
        if swapped[user.username].whole:
            found = swapped[user.username].of_names
            yield Notice("site-names-swapped", user.username, found, blocking=True)
        return
    if holder is None or holder.lower() == user.username.lower() or holder in swapped:
        return
    text = f"there is no such account at the site, and {holder!r} has its e-mail: rename that one"
    if user.username.lower() in by_name:
        text = f"{holder!r} has its e-mail at the site: give that account another one"
    yield Notice("site-email-held", user.username, text, blocking=True)


def _row(contract: Contract, username: str) -> dict[str, str]:
    user = contract.user(username)
    names = ("username", "role", "email", "full_name")
    row = {name: getattr(user, name) for name in names} | {"password": user.secret}
    return row | {"role": contract.site.adapter.site_role(user.role)}


def _application(contract: Contract, record: Application | None) -> dict[str, tuple[object, object]]:
    if record is None:
        return {"application": ("none", "one")}
    wanted = provider.redirect_uri(contract)
    # Others beside it are somebody's own.
    registered = [uri for uri in record.redirect_uris if uri == wanted] or list(record.redirect_uris)
    rows: tuple[tuple[str, object, object], ...] = (
        ("client_type", record.client_type, "confidential"),
        ("authorization_grant_type", record.authorization_grant_type, "authorization-code"),
        ("redirect_uris", registered, [wanted]),
        ("skip_authorization", record.skip_authorization, True),
    )
    found = {name: (seen, wanted) for name, seen, wanted in rows if seen != wanted}
    secret, stored = contract.provider.secret, record.client_secret
    if stored != secret and not ("$" in stored and verified(secret, stored)):
        found["client_secret"] = ("another", "the contract's")
    return found
