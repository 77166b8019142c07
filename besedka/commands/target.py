"""Which stack a command is about: options that say so, and what they mean."""

from __future__ import annotations

from typing import Annotated

import typer

from besedka.commands.stack import noted_stack, running_stack
from besedka.stacks.model import Stack

SiteUrl = Annotated[str | None, typer.Option(help="Address of the site.")]
ChatUrl = Annotated[str | None, typer.Option(help="Address of Rocket.Chat.")]
MongoUrl = Annotated[str | None, typer.Option(help="Rocket.Chat's MongoDB; without it its data is not read.")]
SiteDatabaseUrl = Annotated[
    str | None, typer.Option(help="DATABASE_URL of the site; without it its records are not read.")
]
SiteEnvironment = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="What the site is told by environment, as `up` keeps it in JSON."),
]
ProviderUrl = Annotated[
    str | None, typer.Option(help="Where Rocket.Chat's server reaches the site, if not at --site-url.")
]


def stack_of_up(site_url: str | None, chat_url: str | None, *others: str | None) -> Stack | None:
    """The stack of `besedka up`, if no address is given or both are its own; None where none is noted.

    Raises NoStackError when it has lost a service: a tool never turns to another stack by itself.
    """
    noted = noted_stack()
    if noted is None:
        return None
    own = (noted.site_url, noted.chat_url) == (site_url, chat_url)
    return running_stack() if own or not any((site_url, chat_url, *others)) else None
