"""`/_oauth/<service>`: where the provider sends the browser back (Meteor's `oauth_server.js`).

The answer is 200 with a page, whatever went wrong: that waits among the pending credentials for the
log-in. A way to end is `popup`, or `redirect` with its address. A state that can be read but names none gets
no answer at all (measured on 6.13.0).
"""

import base64
import binascii
import html
import json
import logging
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from standins.rocketchat.documents import Document, millis, random_secret
from standins.rocketchat.errors import PlainError, RocketError
from standins.rocketchat.oauth import modern, provider
from standins.rocketchat.oauth.credentials import store_credential
from standins.rocketchat.server import Server

_STYLES = ("popup", "redirect")
_log = logging.getLogger("oauth")


def read_state(text: str) -> Document:
    """The object in `state`, base64 of JSON; empty for other JSON. Raises PlainError for what is none."""
    try:
        state = json.loads(base64.b64decode(text.replace("-", "+").replace("_", "/") + "==="))
    except (binascii.Error, ValueError):
        state = None
    if state is None:
        raise PlainError(f"Unable to parse state from OAuth query: {text}")
    return state if isinstance(state, dict) else {}


async def _finish(server: Server, service: str, query: dict[str, str]) -> str | None:
    """Run the exchange and keep its outcome; the credential's secret, None where the provider refused."""
    if service not in server.services.known:
        raise PlainError(f"Unexpected OAuth service {service}")
    config = await server.services.find(service)
    if query.get("error"):
        return None
    client, callback = server.services.client, f"{server.root_url}/_oauth/{service}"
    token = await provider.access_token(
        client, config, query.get("code", ""), query.get("state", ""), callback
    )
    found = await provider.identity(client, config, token.get("access_token"))
    data: Document = {"_OAuthCustom": True, "serverURL": config.get("serverURL")}
    data |= {"accessToken": token.get("access_token"), "idToken": token.get("id_token")}
    if str(token.get("expires_in", "")).isdecimal():
        data["expiresAt"] = millis(server.now()) + 1000 * int(token["expires_in"])
    if token.get("refresh_token"):
        data["refreshToken"] = token["refresh_token"]
    data = {name: value for name, value in (data | found).items() if value is not None}
    secret, key = random_secret(), read_state(query.get("state", "")).get("credentialToken")
    if not isinstance(key, str):
        raise PlainError("Match error: Expected string, got another type")
    credential = {"serviceName": service, "serviceData": data}
    await store_credential(server, key, credential, secret)
    return secret


# The bundle's own script shows the one and makes the other close the window (packages/oauth,
# end_of_popup_response.html); without them it throws before it closes anything.
_COMPLETED = (
    '<p id="completedText" style="display:none;">Login completed. '
    '<a href="#" id="loginCompleted">Click here</a> to close this window.</p>'
)


def _page(style: str, config: Document, prefix: str) -> Response:
    text = html.escape(json.dumps(config), quote=True).replace("/", "&#x2F;")
    script = f"end_of_{style}_response.js"
    return HTMLResponse(
        "<!DOCTYPE html><html><head><title>Rocket.Chat stand-in: end of log-in</title></head><body>"
        f'{_COMPLETED if style == "popup" else ""}<div id="config" style="display:none;">{text}</div>'
        f'<script type="text/javascript" src="{prefix}/packages/oauth/{script}"></script></body></html>'
    )


async def _silence(request: Request) -> Response:
    """No answer, until the caller gives up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


async def callback(request: Request) -> Response:
    """GET /_oauth/<service>?code&state."""
    server: Server = request.app.state.server
    service, query = request.path_params["service"], dict(request.query_params)
    if modern.in_force(server, service):
        return await modern.callback(request, service)
    secret, failed = None, "error" in query
    try:
        state, style = read_state(query.get("state", "")), None
    except PlainError as error:
        _log.warning("%s", error)
        state, style = {}, "popup"
    try:
        secret = await _finish(server, service, query)
    except (PlainError, RocketError) as error:
        _log.warning("callback of %s: %s", service, error)
        failed = True
        if isinstance(state.get("credentialToken"), str):
            await store_credential(server, state["credentialToken"], error, None)
    if secret and "only_credential_secret_for_test" in query:
        return HTMLResponse(secret)
    style = state.get("loginStyle", style)
    if style not in _STYLES or (style == "redirect" and not state.get("redirectUrl")):
        _log.warning("callback of %s: no way to end in the state, so no answer", service)
        return await _silence(request)
    home, target = server.root_url + "/", state.get("redirectUrl")
    if style == "redirect" and not str(target or "").startswith(home):
        _log.warning("redirectUrl (%s) is not on the same host as the app (%s)", target, home)
        target, failed = home, True
    config: Document = {"setCredentialToken": bool(secret) and not failed}
    if config["setCredentialToken"]:
        config |= {"credentialToken": state["credentialToken"], "credentialSecret": secret}
    config |= {"storagePrefix": "Meteor.oauth.credentialSecret-"}
    config |= {"redirectUrl": target} if style == "redirect" else {}
    ended = config | {"isCordova": bool(state.get("isCordova"))}
    return _page(str(style), ended, server.config.path_prefix)


async def end_script(request: Request) -> Response:
    """The script of the page above; it hands the secret over and leaves the page."""
    name = "redirect" if "redirect" in request.url.path else "popup"
    text: Any = resources.files(__package__).joinpath(f"end_of_{name}.js").read_text(encoding="utf-8")
    return Response(text, media_type="text/javascript")
