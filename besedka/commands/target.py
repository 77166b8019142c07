"""Which stack a command is about: options that say so, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer

from besedka.commands.running import alive, refuse_a_sick_one, running_stack
from besedka.contract import Contract
from besedka.errors import UsageError
from besedka.progress import Say
from besedka.stacks import embedded, targets, up_records, versions
from besedka.stacks.model import Stack
from besedka.stacks.services import options
from besedka.target import Target

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


def located(contract: Contract, **addresses: str | None) -> tuple[Target, Contract, Stack | None]:
    """The stack of `besedka up` if no address is given or both are its own; else the one at the addresses.

    `addresses` are those of `besedka.stacks.targets.given`. The contract comes in the version that `up` was
    told to run. The stack comes last, None if it is not ours. Raises NoStackError when `up`'s stack has lost
    a service: a tool never turns to another stack by itself.
    """
    records = up_records.noted()
    named = (addresses.get("site_url"), addresses.get("chat_url"))
    own = [one for one in records if (one.stack.site_url, one.stack.chat_url) == named]
    if own or (records and not any(addresses.values())):
        stack = alive(own[-1]) if own else running_stack()
        if stack.kind == "containers":
            refuse_a_sick_one()
        return stack.target, _as_chosen(contract, stack), stack
    return targets.given(contract, **addresses), contract, None


def _as_chosen(contract: Contract, stack: Stack) -> Contract:
    """The contract in the version of the bundle or client that `up` was given."""
    chosen = next((one.version for one in stack.services if one.name == "rocketchat"), "")
    # A stand-in of no chosen version names its major and minor number only.
    whole = stack.kind == "embedded" and chosen.count(".") == 2
    return versions.of_contract(contract, chosen) if whole else contract


@contextmanager
def with_programs(
    wanted: options.ServiceOptions, contract: Contract, addresses: Mapping[str, str | None], say: Say
) -> Iterator[tuple[Target, Contract]]:
    """An embedded stack of these programs, and the contract in their version; it ends with the block."""
    given = [name.replace("_", "-") for name, value in addresses.items() if value]
    if given:
        raise UsageError(
            f"{wanted.given()[0]} with --{given[0]}",
            expected="one of them: a stack that is there has its programs already",
            where="the command line",
            next_step="leave out the one or the other",
        )
    programs = options.find(wanted, contract, say=say)
    with embedded.running(contract, programs=programs, say=say) as running:
        assert running.stack is not None  # noqa: S101 - `running` yields a started stack
        yield running.stack.target, running.contract
