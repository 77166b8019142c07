"""The proof that Rocket.Chat's *server* reaches the site, asked of a stack before its first test."""

from __future__ import annotations

import json
from typing import Any

from besedka.errors import ServiceUnreachableError
from besedka.stacks.docker import in_container
from besedka.stacks.docker.engine_errors import ContainersStartError


def prove(container: Any, url: str, *, host: str | None) -> None:
    """Return if the token endpoint at `url` answers a request from inside the container.

    `host` is what the container's host name for this machine stands for. Raises ContainersStartError.
    """
    try:
        status, _, body = in_container.ask(container, "POST", url, {"Accept": "application/json"}, {})
        said = f"{status} {body}"
    except ServiceUnreachableError as error:
        said = error.found
    if not is_oauth_error(said):
        raise ContainersStartError(
            f"Rocket.Chat's container does not reach the site's token endpoint: {said[:300]}",
            expected=f"an OAuth error in JSON from POST {url}",
            where=f"inside the container of rocketchat, where host-gateway is {host or 'not this machine'}",
            next_step="let the firewall pass connections from Docker's bridges to this machine",
        )


def is_oauth_error(said: str) -> bool:
    """Whether what came (`400 {"error": …}`) is what a token endpoint says to an empty request.

    RFC 6749, section 5.2. Another server's page, or Django's 400 for a host it does not know, is not.
    """
    status, _, body = said.strip().partition(" ")
    try:
        return status in {"400", "401"} and isinstance(json.loads(body).get("error"), str)
    except (ValueError, AttributeError):
        return False
