"""The `temp_*` users that sign in for the SSO hops, and what must go when the examination ends."""

from __future__ import annotations

import json
import secrets

from besedka.adapter import TEMPORARY_PREFIX
from besedka.checks.examination import SERVER_SECONDS, Examination
from besedka.checks.visitor import Visitor, Visitors
from besedka.contract import Role
from besedka.errors import BesedkaError
from besedka.rocketchat.rest import RocketChatError
from besedka.site import Site


def make(examination: Examination) -> Visitors:
    """The users, made in the site now and removed from both services when the examination closes.

    Nobody but this examination knows their passwords. LookupError where nothing may be written.
    """
    if examination.manage is None:
        raise LookupError("nothing may be written here")
    mark = secrets.token_hex(4)
    roles = {role for channel in examination.contract.channels for role in channel.roles or ()}
    made = _new(examination, mark, examination.contract.common_role)
    others = {role: _new(examination, f"{mark}_{number}", role) for number, role in enumerate(sorted(roles))}
    rows = [_row(examination, one) for one in (made, *others.values())]
    # Cleaned up even when the command fails half-way.
    examination.cleanups.append(
        lambda: _remove_from_site(examination, *(str(row["username"]) for row in rows))
    )
    examination.cleanups.append(lambda: _remove_from_chat(examination, made.username))
    examination.manage("ensure_users", stdin=json.dumps(rows))
    return Visitors(made, others)


def _new(examination: Examination, mark: str, role: Role) -> Visitor:
    return Visitor(
        username=f"{TEMPORARY_PREFIX}doctor_{mark}",
        email=f"{TEMPORARY_PREFIX}doctor_{mark}@{_domain(examination)}",
        full_name=f"Доктор {mark}",
        password=examination.secret(secrets.token_urlsafe(18)),
        site=Site.of(examination.contract, timeout=SERVER_SECONDS),
        role=role,
        rooms=frozenset(channel.name for channel in examination.contract.default_channels),
    )


def _row(examination: Examination, one: Visitor) -> dict[str, str]:
    row = {name: getattr(one, name) for name in ("username", "email", "full_name", "password")}
    return row | {"role": examination.contract.site.adapter.site_role(one.role)}


def _domain(examination: Examination) -> str:
    # Rocket.Chat may allow the users' own domains alone (Accounts_AllowedDomainsList).
    return examination.contract.users[0].email.partition("@")[2]


def _remove_from_site(examination: Examination, *usernames: str) -> str:
    if examination.manage is None:
        return ""
    try:
        examination.manage("remove_users", *usernames)
    except BesedkaError:
        return f"{', '.join(usernames)} (site)"
    return ""


def _remove_from_chat(examination: Examination, username: str) -> str:
    try:
        examination.admin.post("users.delete", username=username, confirmRelinquish=True)
    except RocketChatError as error:
        # No first log-in, no account.
        return "" if error.status in {400, 404} and "invalid-user" in error.code else f"{username} (chat)"
    except BesedkaError:
        return f"{username} (chat)"
    return ""
