"""The proof that Rocket.Chat's *server* reaches the site: a request from inside its container.

A browser's address of the site means the container itself in there, and a host's firewall may refuse what
comes from Docker's bridges. Either way the OAuth callback fails long after everything looked well.
"""

from __future__ import annotations

import json
from typing import Any

from besedka.stack.engine_errors import ContainersStartError

# Rocket.Chat's image brings Node.js and neither curl nor, in all its variants, wget.
_SCRIPT = (
    "require('http').request('{url}', {{method: 'POST', timeout: 5000}}, (answer) => {{ let body = ''; "
    "answer.on('data', (part) => {{ body += part; }}); "
    "answer.on('end', () => console.log(answer.statusCode, body)); }})"
    ".on('error', (error) => console.log(String(error)))"
    ".on('timeout', () => {{ console.log('no answer in 5 s'); process.exit(1); }}).end()"
)


def prove(container: Any, url: str, *, host: str | None) -> None:
    """Return if the token endpoint at `url` answers a request from inside the container.

    `host` is what the container's host name for this machine stands for. Raises ContainersStartError.
    """
    _status, output = container.exec_run(["node", "-e", _SCRIPT.format(url=url)])
    said = output.decode(errors="replace").strip()
    if not is_oauth_error(said):
        raise ContainersStartError(
            f"Rocket.Chat's container does not reach the site's token endpoint: {said[:300] or 'no answer'}",
            expected=f"an OAuth error in JSON from POST {url}",
            where=f"inside the container of rocketchat, where host-gateway is {host or 'not this machine'}",
            next_step="let the firewall pass connections from Docker's bridges to this machine",
        )


def is_oauth_error(said: str) -> bool:
    """Whether what the request printed (`400 {"error": …}`) is what a token endpoint says to an empty one.

    RFC 6749, section 5.2. Another server's page, or Django's 400 for a host it does not know, is not.
    """
    status, _, body = said.strip().partition(" ")
    try:
        return status in {"400", "401"} and isinstance(json.loads(body).get("error"), str)
    except (ValueError, AttributeError):
        return False
