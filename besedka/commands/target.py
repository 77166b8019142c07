"""Which stack a command means: the one that is named, else that of `besedka up`, else the contract's.

A stack of `besedka up` that has lost a service ends the command: it never turns to another stack by itself.
"""

from __future__ import annotations

from besedka import database_url
from besedka.commands.stack import noted_stack, running_stack, state_is_kept
from besedka.contract import Contract
from besedka.stacks.model import Stack
from besedka.stacks.services import site_commands
from besedka.target import Target


def meant(  # noqa: PLR0913, PLR0917 - one parameter per option
    contract: Contract,
    site_url: str | None,
    chat_url: str | None,
    mongo_url: str | None,
    site_database_url: str | None,
    site_environment: str | None,
) -> Stack | Target:
    """The stack that the options name. Raises NoStackError when that of `besedka up` has lost a service."""
    database_url.refuse_unreadable(mongo_url=mongo_url, site_database_url=site_database_url)
    given = (site_url, chat_url, mongo_url, site_database_url, site_environment)
    if not any(given) and state_is_kept():
        return running_stack()
    if state_is_kept():
        # Named or not, it is that of `besedka up`, of which more is known than its addresses.
        noted = noted_stack()
        if (noted.site_url, noted.chat_url) == (site_url, chat_url):
            return running_stack()
    if site_environment and not site_database_url:
        site_database_url = site_commands.recall(site_environment).get("DATABASE_URL")
    return Target(
        site_url=(site_url or contract.site.url).rstrip("/"),
        chat_url=(chat_url or contract.chat.url).rstrip("/"),
        mongo_url=mongo_url,
        site_database_url=site_database_url,
        site_environment_file=site_environment,
        can_manage=site_environment is not None,
    )
