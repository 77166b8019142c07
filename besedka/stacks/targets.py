"""The target that addresses lead to."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from besedka import address, database_url
from besedka.contract import Contract
from besedka.stacks.docker import in_container
from besedka.stacks.services import adapter_manage, site_commands
from besedka.target import Manage, Target


def given(  # noqa: PLR0913 - one keyword per option
    contract: Contract,
    *,
    site_url: str | None = None,
    chat_url: str | None = None,
    mongo_url: str | None = None,
    site_database_url: str | None = None,
    site_environment: str | None = None,
    provider_url: str | None = None,
) -> Target:
    """The stack at these addresses, and at the contract's where none is given.

    `site_environment` is a file with what the site is told by environment; its database stands there too.
    Raises DatabaseUrlError for a database that cannot be read, UsageError for what is no address.
    """
    address.refuse_others(site_url=site_url, chat_url=chat_url, provider_url=provider_url)
    told = site_commands.recall(site_environment) if site_environment else {}
    database_url.refuse_unreadable(mongo_url=mongo_url, site_database_url=site_database_url)
    target = Target(
        site_url=address.normal(site_url or contract.site.url),
        chat_url=address.normal(chat_url or contract.chat.url),
        mongo_url=mongo_url,
        site_database_url=site_database_url or database_url.of_site(told),
        site_environment_file=site_environment,
        manage=_manage(contract, told),
        provider_url=address.normal(provider_url) if provider_url else None,
    )
    return with_provider(target, contract)


def _manage(contract: Contract, told: dict[str, str]) -> Manage | None:
    """The site's management commands where its environment is known, else the adapter's command."""
    command = contract.site.adapter.manage
    if told:
        return partial(site_commands.run, told)
    return partial(adapter_manage.run, command) if command else None


def with_provider(target: Target, contract: Contract) -> Target:
    """The target with the provider's address, where that is not said by anybody.

    Rocket.Chat in a container of this machine reaches the site at `host.docker.internal`, because 127.0.0.1
    is itself in there.
    """
    said = target.provider_url or contract.own_provider_url
    if said or not in_container.chat_container(target.chat_url):
        return target
    return replace(target, provider_url=in_container.provider_url(target.site_url))
