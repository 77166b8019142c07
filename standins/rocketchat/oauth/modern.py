"""The server-side flow of Rocket.Chat 8.7: `/oauth/<service>`, PKCE, a state that a cookie's session holds.

After `server/lib/oauth/addPassportCustomOAuth.ts`, `allowPassportOAuthMiddleware.ts`,
`passportOAuthCallback.ts` and `verifyFunction.ts`, `app/custom-oauth/server/customOAuth.ts` (pull requests
39760, 40721) and passport-oauth2: the setting `Accounts_OAuth_Use_Modern_Flow` turns it on.
`/_oauth/<service>` is then its callback. Client id and secret go into the form whatever `token_sent_via`
says. That row decides about the identity request, too. A sign-in ends at `<Site_Url>/home?loginCode=…`,
whichever page asked for it; a refusal by the provider, or a state of another browser, at `/login`; a failed
exchange is a 500.

Some things are unknown here, because their source was not read: the cookie's name and attributes, the text of
the 500. Nor is it known how long a login code lives. How the client claims it is not known, either: `login
{loginCode}` is our own choice. Whether 9.x has the old flow still is unknown, too: it is held to 8.7's.
"""

import base64
import hashlib
import json
import logging
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from standins.rocketchat.documents import Document, random_secret
from standins.rocketchat.errors import PlainError, RocketError
from standins.rocketchat.oauth import provider
from standins.rocketchat.oauth.credentials import external_user
from standins.rocketchat.oauth.services import PREFIX
from standins.rocketchat.server import Server
from standins.rocketchat.sessions import issue_token
from standins.rocketchat.twofactor import check_second_factor

SETTING = "Accounts_OAuth_Use_Modern_Flow"
_COOKIE = "rocketchat.oauth.sid"
_log = logging.getLogger("oauth")


def in_force(server: Server, service: str) -> bool:
    """Whether this service signs people in by the server-side flow."""
    get = server.settings.get
    return server.config.since(8, 7) and bool(get(SETTING) and get(PREFIX + service.capitalize()))


def _site(server: Server) -> str:
    return str(server.settings.get("Site_Url") or server.root_url).rstrip("/")


async def begin(request: Request) -> Response:
    """GET /oauth/<service>: to the provider; the client's page where the flow is off."""
    server: Server = request.app.state.server
    service = request.path_params["service"]
    if not in_force(server, service):
        page: Response = await request.app.state.page(request)
        return page
    config = await server.services.find(service)
    verifier, state, session = (secrets.token_urlsafe(size) for size in (32, 18, 18))
    server.oauth_sessions[session] = {"state": state, "verifier": verifier}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "redirect_uri": f"{_site(server)}/_oauth/{service}",
        "scope": config.get("scope") or "",
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "client_id": config.get("clientId") or "",
    }
    path = str(config.get("authorizePath") or "")
    # Joined without a look at what it holds, as the strategy does with a relative one.
    base = path if urlsplit(path).scheme else f"{config.get('serverURL') or ''}{path}"
    response = RedirectResponse(f"{base}{'&' if '?' in base else '?'}{urlencode(query)}", 302)
    response.set_cookie(_COOKIE, session, httponly=True, samesite="lax")
    return response


async def callback(request: Request, service: str) -> Response:
    """GET /_oauth/<service> of this flow."""
    server: Server = request.app.state.server
    query = dict(request.query_params)
    kept = server.oauth_sessions.pop(request.cookies.get(_COOKIE, ""), None)
    if "error" in query or kept is None or query.get("state") != kept["state"]:
        _log.warning(
            "server-side flow of %s: %s", service, query.get("error") or "the state is of nobody here"
        )
        return RedirectResponse("/login", 302)
    try:
        user, style = await _user(server, service, query.get("code", ""), kept["verifier"])
    except (PlainError, RocketError) as error:
        _log.warning("server-side flow of %s: %s", service, error)
        return PlainTextResponse(str(error), 500)
    return await _ended(server, user, style)


async def _user(server: Server, service: str, code: str, verifier: str) -> tuple[Document, str]:
    config = await server.services.find(service)
    back, more = f"{_site(server)}/_oauth/{service}", {"code_verifier": verifier}
    by_form = config | {"tokenSentVia": "payload"}
    token = await provider.access_token(server.services.client, by_form, code, "", back, more)
    shown = config | {"identityTokenSentVia": "default"}
    found = await provider.identity(server.services.client, shown, token.get("access_token"))
    data = {"accessToken": token.get("access_token"), "refreshToken": token.get("refresh_token")}
    data |= {"serverURL": config.get("serverURL")} | found
    given = {name: value for name, value in data.items() if value is not None}
    return await external_user(server, service, given), str(config.get("loginStyle") or "redirect")


async def _ended(server: Server, user: Document, style: str) -> Response:
    try:
        await check_second_factor(server, user, None)
        asked = None
    except RocketError as error:
        details = error.details if isinstance(error.details, dict) else {}
        asked = f"/2fa/{details.get('method', 'email')}/{random_secret()}"
    if style == "popup":
        return await _to_the_opener(server, user, asked)
    if asked:
        return RedirectResponse(_site(server) + asked, 302)
    code = random_secret()
    server.login_codes[code] = user["_id"]
    return RedirectResponse(f"{_site(server)}/home?loginCode={code}", 302)


async def _to_the_opener(server: Server, user: Document, asked: str | None) -> Response:
    told: dict[str, Any] = {"externalCommand": "go", "path": asked}
    if asked is None:
        token, _ = await issue_token(server, user)
        told = {"externalCommand": "login-with-token", "token": token}
    nonce = secrets.token_urlsafe(12)
    script = f"window.opener.postMessage({json.dumps(told)}, window.location.origin); window.close();"
    headers = {"Content-Security-Policy": f"script-src 'nonce-{nonce}'"}
    return HTMLResponse(f'<script nonce="{nonce}">{script}</script>', headers=headers)
