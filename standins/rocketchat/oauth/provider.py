"""What the server itself asks a provider: an access token for a code, an identity for a token.

After `app/custom-oauth/server/custom_oauth_server.js`; twenty seconds is serverFetch's time-out.
"""

import base64
import json
import os
from typing import Any
from urllib.parse import urlsplit

import httpx

from standins.rocketchat.documents import Document
from standins.rocketchat.errors import PlainError
from standins.rocketchat.oauth.identity import normalize

_HEADERS = {"User-Agent": "Meteor/3.1.2", "Accept": "application/json"}
_TIMEOUT = 20.0
# Reading the certificate authorities takes as long as the rest of a start.
_TLS = httpx.create_ssl_context(trust_env=False)
# As Node.js does: these authorities beside the usual ones.
if _extra := os.environ.get("NODE_EXTRA_CA_CERTS"):
    _TLS.load_verify_locations(cafile=_extra)


def new_client() -> httpx.AsyncClient:
    """Follows redirects as node-fetch does and uses no proxy of the environment."""
    return httpx.AsyncClient(
        timeout=_TIMEOUT, follow_redirects=True, trust_env=False, headers=_HEADERS, verify=_TLS
    )


def _address(config: Document, field: str) -> str:
    path = str(config.get(field) or "")
    return path if urlsplit(path).scheme in ("http", "https") else f"{config.get('serverURL') or ''}{path}"


async def _fetch(client: httpx.AsyncClient, verb: str, url: str, **more: Any) -> Any:
    """The JSON answered; raises PlainError with the bare reason."""
    try:
        response = await client.request(verb, url, **more)
        if not response.is_success:
            raise PlainError(response.reason_phrase)
        # node-fetch reads UTF-8, whatever the header says, and puts a sign in place of what is none.
        return json.loads(response.content.decode("utf-8", "replace"))
    except httpx.TimeoutException as error:
        raise PlainError(f"network timeout at: {url}") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PlainError(f"request to {url} failed, reason: {error}") from error
    except ValueError as error:
        raise PlainError(f"invalid json response body at {url} reason: {error}") from error


async def access_token(  # noqa: PLR0913, PLR0917 - the parameters of the protocol
    client: httpx.AsyncClient,
    config: Document,
    code: str,
    state: str,
    callback: str,
    more: Document | None = None,
) -> Document:
    """The token answer for a code; client id and secret go into the header or into the form, never both.

    `more` stands in the form in place of the state, which passport-oauth2 does not send.
    """
    url, name = _address(config, "tokenPath"), config["service"]
    form = {"code": code, "redirect_uri": callback, "grant_type": "authorization_code"}
    form |= {"state": state} if more is None else more
    credentials = (str(config.get("clientId") or ""), str(config.get("secret") or ""))
    headers = {}
    if config.get("tokenSentVia") == "header":
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
    else:
        form |= {"client_secret": credentials[1], "client_id": credentials[0]}
    try:
        answer = await _fetch(client, "POST", url, data=form, headers=headers)
        problem = answer.get("error") if isinstance(answer, dict) else "the answer is no object"
    except PlainError as error:
        problem = error
    if problem:
        raise PlainError(f"Failed to complete OAuth handshake with {name} at {url}. {problem}")
    return dict(answer)


async def identity(client: httpx.AsyncClient, config: Document, token: Any) -> Document:
    """The normalized identity of the token's owner."""
    url, name, via = _address(config, "identityPath"), config["service"], config.get("identityTokenSentVia")
    more: Document = {"params": {config.get("accessTokenParam") or "access_token": str(token)}}
    if (config.get("tokenSentVia") if via in (None, "default") else via) == "header":
        more = {"headers": {"Authorization": f"Bearer {token}"}}
    try:
        return normalize(await _fetch(client, "GET", url, **more), config)
    except PlainError as error:
        raise PlainError(f"Failed to fetch identity from {name} at {url}. {error}") from error
