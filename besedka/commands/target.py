"""Which stack a command is about: options that say so, and what they mean."""

from __future__ import annotations

from typing import Annotated

import typer

from besedka.commands.stack import NoStackError, running_stack
from besedka.stacks.model import Stack

SiteUrl = Annotated[str | None, typer.Option(help="Address of the site.")]
ChatUrl = Annotated[str | None, typer.Option(help="Address of Rocket.Chat.")]
MongoUrl = Annotated[str | None, typer.Option(help="Rocket.Chat's MongoDB; without it its data is not read.")]
SiteDatabaseUrl = Annotated[
    str | None, typer.Option(help="DATABASE_URL of the site; without it its records are not read.")
]
ProviderUrl = Annotated[
    str | None, typer.Option(help="Where Rocket.Chat's server reaches the site, if not at --site-url.")
]


def stack_of_up(*addresses: str | None) -> Stack | None:
    """The stack of `besedka up`, if none of the addresses is given and one is running."""
    if any(addresses):
        return None
    try:
        return running_stack()
    except NoStackError:
        return None
