"""Somebody else's running stack: asked what it is, never started, stopped or changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from besedka import site_status
from besedka.contract import Contract
from besedka.errors import BesedkaError, ServiceUnreachableError
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.site_database import SiteDatabase
from besedka.stacks import targets
from besedka.stacks.docker import compose_project
from besedka.stacks.model import Service, Stack
from besedka.stacks.services import genuine_chat
from besedka.target import Target

PROBE_SECONDS = 10.0
MONGO_SECONDS = 3.0
Answer = TypeVar("Answer")


def describe(target: Target, contract: Contract, folder: Path) -> Stack:
    """Ask both servers for their version, and the databases whether they answer.

    Raises ServiceUnreachableError, which names everything that is missing or in the way at once. A service
    that answers wrongly is attached to: what is wrong is for the tests and doctor to say.
    """
    contract = target.moved(contract)
    site_url, chat_url = target.site_url, target.chat_url
    mongo_url, site_database_url = target.mongo_url, target.site_database_url
    problems: list[str] = []

    def asked(question: Callable[[], Answer], url: str = "") -> Answer | None:
        try:
            return question()
        except BesedkaError as error:
            problems.append(f"{error.found} ({error.where})" if error.where else error.found)
            if url and (held := compose_project.holders(url)):
                problems.append(f"the port of {url} is held by {', '.join(held)}")
            return None

    site_version = asked(lambda: site_status.version(contract.site, timeout=PROBE_SECONDS), site_url)
    if site_version == site_status.UNKNOWN:
        asked(lambda: site_status.recognise(contract, timeout=PROBE_SECONDS), site_url)
    chat = asked(lambda: _chat_version(chat_url), chat_url)
    if mongo_url:
        asked(lambda: _mongo_answers(mongo_url))
    if site_database_url and not site_database_url.startswith("sqlite:"):
        asked(SiteDatabase(site_database_url, adapter=contract.site.adapter).is_empty)
    problems += compose_project.troubles(site_url, chat_url, answering=not problems)
    if problems or site_version is None or chat is None:
        raise ServiceUnreachableError(
            "\n           ".join(problems),
            expected=_offer(contract),
            where=f"site {site_url}, chat {chat_url}",
            next_step="start what stands still (docker compose -f docker-compose.local.yml up -d; python "
            "scripts/magic_restart.py starts Daphne and stops web), or correct the addresses",
        )
    chat_version, real = chat
    return Stack(
        kind="attached",
        run_id=folder.name,
        folder=str(folder),
        site_url=site_url,
        chat_url=chat_url,
        mongo_url=mongo_url,
        site_database_url=site_database_url,
        site_environment_file=None,
        site_manage=contract.site.adapter.manage,
        services=(
            Service("site", site_url, site_version, real=True),
            Service("rocketchat", chat_url, chat_version, real=real),
        ),
        provider_url=targets.with_provider(target, contract).provider_url,
    )


def _chat_version(chat_url: str) -> tuple[str, bool]:
    """Rocket.Chat's version, and whether it is Rocket.Chat itself."""
    version = str(RocketChat(chat_url, timeout=PROBE_SECONDS).info().get("version", "of no version"))
    return version, genuine_chat.is_rocketchat(chat_url)


def _mongo_answers(mongo_url: str) -> None:
    with ChatDatabase(mongo_url, timeout=MONGO_SECONDS) as database:
        database.hello()


def _offer(contract: Contract) -> str:
    """What is asked for, each with the option that names its address."""
    return f"""what a stack must offer:
             the site (--site-url): {site_status.expected(contract.site)}
             Rocket.Chat (--chat-url): GET /api/info with its version
             MongoDB (--mongo-url): the writable primary of a replica set; without the option, tests that
               read its data are skipped
             the site's database (--site-database-url): its DATABASE_URL, migrated; without it, skipped
             every container of its compose project running; Daphne or the service web, not both"""
