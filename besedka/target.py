"""Where a stack is, what may be done to it, and the commands that reach it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from besedka import contract as contracts
from besedka.contract import CONTRACT_ENV

PROGRAM = ("python3", "run.py")


@dataclass(frozen=True)
class Target:
    """A stack's addresses, and what may be done to it.

    `site_url` and `chat_url` are what a browser opens. `provider_url` is where Rocket.Chat's server reaches
    the site; None where that is not known. `mongo_url` and `site_database_url` are None where the data cannot
    be read. `may_write`: temporary accounts and messages may be made. `can_manage`: the site's management
    commands can be run.
    """

    site_url: str
    chat_url: str
    mongo_url: str | None = None
    site_database_url: str | None = None
    provider_url: str | None = None
    may_write: bool = False
    can_manage: bool = False


def besedka_command(target: Target, *words: str) -> str:
    """`python3 run.py <words>`, with the options that lead to this target; it runs as pasted.

    Addresses that the contract's file has are left out. A database's address with a password is left out too.
    """
    known = contracts.load()
    options: list[str] = []
    if (target.site_url, target.chat_url) != (known.site.url, known.chat.url):
        options += ["--site-url", target.site_url, "--chat-url", target.chat_url]
    if target.mongo_url and not urlsplit(target.mongo_url).password:
        options += ["--mongo-url", target.mongo_url]
    file = os.environ.get(CONTRACT_ENV)
    prefix = [f"{CONTRACT_ENV}={shlex.quote(file)}"] if file else []
    return " ".join([*prefix, shlex.join([*PROGRAM, *words, *options])])
