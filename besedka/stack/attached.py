"""Somebody else's running stack: asked what it is, never started, stopped or changed."""

from __future__ import annotations

from pathlib import Path

import requests

from besedka.errors import ServiceUnreachableError
from besedka.rocketchat.rest import RocketChat
from besedka.stack import inside
from besedka.stack.model import Service, Stack

PROBE_SECONDS = 10.0


def describe(  # noqa: PLR0913 - one keyword per option
    *,
    site_url: str,
    chat_url: str,
    mongo_url: str | None,
    site_database_url: str | None,
    folder: Path,
    provider_url: str | None = None,
) -> Stack:
    """Ask both servers for their version; ServiceUnreachableError names the one that does not answer.

    Without a `provider_url`, a Rocket.Chat in a container of this machine is taken to reach the site at
    `host.docker.internal`, because 127.0.0.1 is itself in there.
    """
    site_version = _site_version(site_url.rstrip("/"))
    chat = RocketChat(chat_url, timeout=PROBE_SECONDS)
    if not provider_url and inside.chat_container(chat_url):
        provider_url = inside.provider_url(site_url)
    return Stack(
        kind="attached",
        run_id=folder.name,
        folder=str(folder),
        site_url=site_url.rstrip("/"),
        chat_url=chat_url.rstrip("/"),
        mongo_url=mongo_url,
        site_database_url=site_database_url,
        site_environment_file=None,
        services=(
            Service("site", site_url, site_version, real=True),
            Service("rocketchat", chat_url, str(chat.info()["version"]), real=not _is_stand_in(chat.url)),
        ),
        provider_url=provider_url.rstrip("/") if provider_url else None,
    )


def _site_version(site_url: str) -> str:
    where = f"{site_url}/api/v1/status/"
    try:
        answer = requests.get(where, timeout=PROBE_SECONDS)
        return str(answer.json()["version"])
    except (requests.RequestException, ValueError, KeyError) as error:
        raise ServiceUnreachableError(
            f"the site did not say its version: {type(error).__name__}",
            expected='JSON like {"status": "ok", "version": "…"}',
            where=where,
            next_step="start the site (daphne -b 127.0.0.1 -p 8001 config.asgi:application in web/), "
            "or correct --site-url",
        ) from error


def _is_stand_in(chat_url: str) -> bool:
    """Whether Rocket.Chat's place is taken by our stand-in, which says so in each answer's `Server`."""
    answer = requests.get(f"{chat_url}/api/info", timeout=PROBE_SECONDS)
    return "stand-in" in answer.headers.get("Server", "")
