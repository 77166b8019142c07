"""Layer `sso` under `[chat] sso = "iframe-auth"`: Rocket.Chat's page asks the site who is there.

The request is made as its client makes it: by the method of `Accounts_Iframe_api_method`, from the chat's
origin. It has the site's cookies and no body. Source: `client/views/root/hooks/useIframe.ts` of 7.10, before
it `app/ui-utils/client/lib/IframeLogin.ts`. Anything but 200 with a token shows the site's log-in in the
frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import requests

from besedka import address
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Findings, Ok, answer, finding
from besedka.checks.visitors import visitor
from besedka.contract import Contract
from besedka.rocketchat.rest import RocketChat, RocketChatError

_NAME = "sso.iframe_auth"
# #36820 and #36919: in these the page asks nobody (releases 7.9.4 and 7.10.0).
_BROKEN = ((7, 8, 0), (7, 9, 4))
_ROW = "BESEDKA_CHAT['SSO'] = 'iframe-auth' at the site lets the chat's page ask"


def _silent(examination: Examination) -> Findings | None:
    """Some versions ask nobody."""
    found = str(examination.info["version"])
    numbers = tuple(int(part) for part in re.findall(r"\d+", f"{found}.0.0")[:3])
    if not _BROKEN[0] <= numbers < _BROKEN[1]:
        return None
    fix = 'Take 7.9.4 or later, or 7.7; or set sso = "oauth" in [chat] of besedka.toml.'
    expected = "a version whose page asks the site"
    return Findings((finding(f"{_NAME}.version", found, expected, "GET /api/info", advice=(fix,)),))


@check(_NAME, codes="version status html method no_token cors dead_token other_user", needs=["sso.user"])
def iframe_auth(examination: Examination) -> Answer:
    """Does the site answer Rocket.Chat's page with a token that signs this visitor in?"""
    contract = examination.contract
    if contract.chat.sso != "iframe-auth":
        return Ok(f"people are signed in by {contract.chat.sso}")
    if silent := _silent(examination):
        return silent
    made = visitor(examination)
    verb = str(contract.settings.get("Accounts_Iframe_api_method", "POST")).upper()
    asked = str(contract.settings.get("Accounts_Iframe_api_url") or contract.site.chat_auth_path)
    origin = address.origin(contract.chat.url)
    response = made.site.request(verb, asked, headers={"Origin": origin})
    place = f"{verb} {asked}, signed in, Origin {origin}"
    found = list(_refusals(response, place)) or list(_withheld(response, origin, place))
    if found:
        return answer(found)
    return _used(examination, response, place)


def _refusals(response: requests.Response, place: str) -> Iterator[Finding]:
    kind = response.headers.get("Content-Type", "no content type")
    seen = f"{response.status_code} {kind}"
    if response.status_code == 405:
        fix = "The view and Accounts_Iframe_api_method must name the same method: GET or POST."
        yield finding(f"{_NAME}.method", seen, "200", place, advice=(fix,))
    elif response.is_redirect or (response.ok and "json" not in kind):
        fix = "The view must answer JSON, and 401 to a stranger, never a page."
        yield finding(f"{_NAME}.html", seen, "200 with JSON", place, advice=(fix,))
    elif response.status_code != 200:
        fix = f"The view must answer a signed-in visitor. {_ROW}. Read Daphne's log."
        yield finding(f"{_NAME}.status", seen, "200 with JSON", place, advice=(fix,))


def _withheld(response: requests.Response, origin: str, place: str) -> Iterator[Finding]:
    """A browser keeps from the chat's page what the site does not show to its origin, cookies included."""
    admits = response.headers.get("Access-Control-Allow-Origin", "")
    shared = response.headers.get("Access-Control-Allow-Credentials", "")
    if admits == origin and shared == "true":
        return
    seen = f"Access-Control-Allow-Origin: {admits or 'none'}, -Credentials: {shared or 'none'}"
    fix = f"Answer with both headers; * does not do with cookies. {_ROW}."
    yield finding(f"{_NAME}.cors", seen, f"{origin}, true", place, advice=(fix,))


def _used(examination: Examination, response: requests.Response, place: str) -> Answer:
    made, contract = visitor(examination), examination.contract
    body = response.json()
    token = str(body.get(contract.site.adapter.chat_auth.token) or "") if isinstance(body, dict) else ""
    names = ", ".join(body) if isinstance(body, dict) else type(body).__name__
    if not token:
        fix = 'Answer {"loginToken": …}: a log-in token of Rocket.Chat for this visitor.'
        return Findings((finding(f"{_NAME}.no_token", names, "loginToken", place, advice=(fix,)),))
    examination.secret(token)
    chat = RocketChat(contract.chat.url)
    try:
        me = chat.as_user(chat.login({"resume": token})).me()
    except RocketChatError as error:
        fix = "The token must be one that Rocket.Chat has just given: by its log-in, or users.createToken."
        return Findings((finding(f"{_NAME}.dead_token", str(error.code), "a session", place, advice=(fix,)),))
    name = str(me.get("username", ""))
    if name.lower() != made.username.lower():
        fix = "The view must answer for this visitor: does a proxy or a cache keep the answer of another?"
        return Findings((finding(f"{_NAME}.other_user", name, made.username, place, advice=(fix,)),))
    return Ok("a token that signs the visitor in")


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (iframe_auth,)
