"""Which stack a command is about: options that say so, and what they mean."""

from __future__ import annotations

from typing import Annotated

import typer

from besedka.commands.stack import NoStackError, running_stack
from besedka.contract import Contract
from besedka.stacks import targets
from besedka.stacks.model import Stack
from besedka.target import Target

SiteUrl = Annotated[str | None, typer.Option(help="Address of the site.")]
ChatUrl = Annotated[str | None, typer.Option(help="Address of Rocket.Chat.")]
MongoUrl = Annotated[str | None, typer.Option(help="Rocket.Chat's MongoDB; without it its data is not read.")]
SiteDatabaseUrl = Annotated[
    str | None, typer.Option(help="DATABASE_URL of the site; without it its records are not read.")
]
ProviderUrl = Annotated[
    str | None, typer.Option(help="Where Rocket.Chat's server reaches the site, if not at --site-url.")
]


def located(contract: Contract, **addresses: str | None) -> tuple[Target, Stack | None]:
    """The stack of `besedka up` if no address is given and one runs; else the one at the addresses.

    `addresses` are those of `besedka.stacks.targets.given`. The stack comes second, None if it is not ours.
    """
    if not any(addresses.values()):
        try:
            stack = running_stack()
        except NoStackError:
            pass  # then the contract's own addresses are meant
        else:
            return stack.target, stack
    return targets.given(contract, **addresses), None
