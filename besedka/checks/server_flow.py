"""Layer `sso` under `[chat] sso = "oauth-modern"`: the server-side OAuth flow of Rocket.Chat 8.7, hop by hop.

`/oauth/<service>` leads to the site with a state of the browser's own session and a PKCE challenge (S256,
always: `app/custom-oauth/server/customOAuth.ts`), `/_oauth/<service>` back to the chat, where a sign-in ends
at `/home?loginCode=…` (`server/lib/oauth/passportOAuthCallback.ts`). Client id and secret go by the form and
`token_sent_via` decides about the identity request; `identity_token_sent_via` is not read.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import requests

from besedka import http, ways
from besedka.checks.examination import TIMEOUT_SECONDS, Examination
from besedka.checks.finding import Answer, Findings, Ok, finding
from besedka.checks.visitors import visitor

_WITH_A_CODE = re.compile(r"loginCode=|login-with-token")


def in_force(examination: Examination) -> Answer | None:
    """What this flow answers, where contract or setting want it; None where the old one is walked."""
    if examination.contract.chat.sso == "oauth-modern":
        return _walked(examination)
    return _unexpected(examination) if examination.effective.get(ways.MODERN_FLOW) is True else None


def _walked(examination: Examination) -> Answer:
    """To the site with PKCE, and back to a signed-in chat."""
    made, contract = visitor(examination), examination.contract
    start = f"{contract.chat.url}/oauth/{contract.provider.name}"
    with http.session() as browser:
        first = browser.get(start, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        to_site = first.headers.get("Location", "")
        wanted = contract.site.url + contract.provider.authorize_path
        query = parse_qs(urlsplit(to_site).query)
        if not to_site.startswith(wanted) or query.get("code_challenge_method") != ["S256"]:
            return _no_start(first, start, wanted)
        second = made.site.request("GET", to_site)
        back = second.headers.get("Location", "")
        if "code" not in parse_qs(urlsplit(back).query):
            seen = f"{second.status_code} {back.partition('?')[0]}".strip()
            fix = "The site must take code_challenge and code_challenge_method=S256, and this callback."
            return _found("no_code", seen, "302 with a code", f"GET {wanted}, signed in, with PKCE", fix)
        examination.secret(parse_qs(urlsplit(back).query)["code"][0])
        third = browser.get(back, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    return _ended(third, f"GET {back.partition('?')[0]}")


def _unexpected(examination: Examination) -> Findings:
    """The flow is in force, and the contract walks the old one."""
    fix = (
        'Write sso = "oauth-modern" in [chat] of besedka.toml and in the site\'s BESEDKA_CHAT["SSO"], or let '
        "the command switch it off: the old flow gets no answer while it is on."
    )
    place = examination.where(ways.MODERN_FLOW)
    commands, seen = (examination.provision_command,), f"{ways.MODERN_FLOW} is on"
    code, expected = "sso.callback.other_flow", "off, while people are signed in by the old flow"
    return Findings((finding(code, seen, expected, place, commands=commands, advice=(fix,)),))


def _no_start(answered: requests.Response, start: str, wanted: str) -> Answer:
    location = answered.headers.get("Location", "").partition("?")[0]
    fix = (
        f"Switch {ways.MODERN_FLOW} and the login service on; then restart Rocket.Chat, which makes the "
        "address when it reads the service's settings."
    )
    seen = f"{answered.status_code} {location}".strip()
    return _found("no_start", seen, f"302 to {wanted} with code_challenge", f"GET {start}", fix)


def _ended(answered: requests.Response, place: str) -> Answer:
    location = answered.headers.get("Location", "")
    if _WITH_A_CODE.search(location) or (answered.ok and _WITH_A_CODE.search(answered.text)):
        return Ok("a signed-in chat")
    expected, path = "302 to /home with a log-in code", urlsplit(location).path
    if path.startswith("/2fa/"):
        fix = "Two-factor by e-mail asks: Accounts_TwoFactorAuthentication_Enabled = false"
        return _found("second_factor", path, expected, place, fix)
    if path.endswith("/login"):
        fix = "The state is kept in a cookie of Rocket.Chat: does a proxy or another host name drop it?"
        return _found("refused", f"302 {path}", expected, place, fix)
    fix = "Its server asks token and identity by the provider's url, id and secret: read Rocket.Chat's log."
    return _found("failed", f"{answered.status_code} {answered.text[:200]}", expected, place, fix)


def _found(kind: str, seen: str, expected: str, place: str, fix: str) -> Findings:
    return Findings((finding(f"sso.callback.{kind}", seen, expected, place, advice=(fix,)),))


def credential(examination: Examination) -> dict[str, object]:
    """What signs the visitor in by REST here: how a client claims a log-in code is unknown to us."""
    made, service = visitor(examination), examination.contract.provider.name
    return {"serviceName": service, "accessToken": made.access_token, "expiresIn": 300}
