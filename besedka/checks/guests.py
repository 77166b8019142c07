"""Members of a private room whom the contract does not name, and who belong there all the same."""

from __future__ import annotations

from besedka.adapter import TEMPORARY_PREFIX
from besedka.checks.examination import Examination
from besedka.contract import Channel
from besedka.errors import ServiceUnreachableError

# An integration writes where somebody has invited it; `rocket.cat` is a bot, too.
_NO_PERSONS = frozenset({"bot", "app"})


def belongs(examination: Examination, username: str, channel: Channel) -> bool:
    """Whether that is a bot, an app, a test's own account, or somebody whose role at the site may enter.

    The contract's users are some of a site's people: who has the room's role at the site has been let in.
    """
    account = examination.roster.accounts.get(username.lower())
    if username.startswith(TEMPORARY_PREFIX) or (account and account.kind in _NO_PERSONS):
        return True
    role = _role_at_the_site(examination, username)
    adapter = examination.contract.site.adapter
    known = {user.role for user in examination.contract.users} | set(examination.contract.provider.groups)
    return role is not None and any(role == adapter.site_role(own) and channel.admits(own) for own in known)


def _role_at_the_site(examination: Examination, username: str) -> str | None:
    """None where the site's people cannot be read, have no role, or are not called so."""
    if examination.target.site_database_url is None:
        return None
    try:
        people = examination.site_users
    except ServiceUnreachableError:
        return None  # services.site_database says so
    found = (user.role for user in people if user.is_active and user.username.lower() == username.lower())
    return next(found, None)
