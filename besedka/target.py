"""Where a stack is, what may be done to it, and the commands that reach it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from besedka import database_url
from besedka.contract import CONTRACT_ENV, OVERLAYS_ENV, Contract

PROGRAM = ("python3", "run.py")
StackKind = Literal["embedded", "containers", "attached"]
# A management command of the site: its words, `stdin` as a keyword, what it prints.
Manage = Callable[..., str]


@dataclass(frozen=True)
class Target:
    """A stack's addresses, and what may be done to it.

    `site_url` and `chat_url` are what a browser opens. `provider_url` is where Rocket.Chat's server reaches
    the site; None where that is not known. `mongo_url` and `site_database_url` are None where the data cannot
    be read. `site_environment_file` holds what the site is told by environment, where that is known.
    `may_write`: temporary accounts and messages may be made. `manage` runs the site's management
    commands; None where they are out of reach.
    """

    site_url: str
    chat_url: str
    mongo_url: str | None = field(default=None, repr=False)
    site_database_url: str | None = field(default=None, repr=False)
    site_environment_file: str | None = None
    provider_url: str | None = None
    kind: StackKind = "attached"
    may_write: bool = False
    manage: Manage | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, contract: Contract, *, mongo_url: str | None = None) -> Target:
        """The stack at the contract's own addresses."""
        return cls(contract.site.url, contract.chat.url, mongo_url, provider_url=contract.own_provider_url)

    @property
    def can_manage(self) -> bool:
        """Whether temporary accounts of the site can be made and removed."""
        return self.manage is not None

    @property
    def read_only(self) -> Target:
        """The same, with nothing to be written."""
        return replace(self, may_write=False)

    def moved(self, contract: Contract) -> Contract:
        """The contract at this target's addresses.

        Where nothing is known of the provider's address, the contract keeps one that differs from its site's.
        """
        own = contract.own_provider_url
        return contract.at(
            site_url=self.site_url, chat_url=self.chat_url, provider_url=self.provider_url or own
        )


def besedka_command(target: Target, *words: str) -> str:
    """`python3 run.py <words>`, with the options that lead to this target; it runs as pasted.

    A database's address with a password is left out.
    """
    options = ["--site-url", target.site_url, "--chat-url", target.chat_url]
    if target.provider_url and target.provider_url != target.site_url:
        options += ["--provider-url", target.provider_url]
    if target.mongo_url and not database_url.names_somebody(target.mongo_url):
        options += ["--mongo-url", target.mongo_url]
    if target.site_environment_file:
        options += ["--site-environment", target.site_environment_file]
    elif target.site_database_url and not database_url.names_somebody(target.site_database_url):
        options += ["--site-database-url", target.site_database_url]
    told = {name: os.environ.get(name) for name in (CONTRACT_ENV, OVERLAYS_ENV)}
    prefix = [f"{name}={shlex.quote(value)}" for name, value in told.items() if value]
    return " ".join([*prefix, shlex.join([*PROGRAM, *words, *options])])
