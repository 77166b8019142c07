"""The page that the log-in ends at, as a browser gets it: it hands the log-in over by a script of its own.

Meteor, packages/oauth/oauth_server.js: end_of_redirect_response.html and end_of_popup_response.html. Doctor
reads the result in the page, and a browser has to run the script.
"""

from __future__ import annotations

from urllib.parse import urljoin

import requests

from besedka import address
from besedka.checks.chat_document import Shell
from besedka.checks.check import Check, check
from besedka.checks.content_policy import policies, refuses
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, answer, finding
from besedka.contract import Contract

_CSP = "Content-Security-Policy"
_SCRIPTS = ("script-src-elem", "script-src", "default-src")
_NEEDED = {"allow-scripts", "allow-same-origin"}
_PROXY = (
    "Let the proxy hand /_oauth/ and /packages/ on as Rocket.Chat answers them, headers and all: without "
    "that script the log-in is never handed over.",
)


@check(
    "iframe.callback",
    codes="type sandboxed policy script",
    needs=["services.chat"],
    after=["iframe.headers", "iframe.client"],
)
def callback(examination: Examination) -> Answer:
    """May a browser run the page that the log-in ends at?"""
    contract = examination.contract
    own = contract.chat.url
    # A refusal: with a code, or without, Rocket.Chat would ask the site, and wait for it.
    path = f"/_oauth/{contract.provider.name}"
    response = examination.chat_page(f"{path}?error=access_denied")
    place = f"GET {own}{path}"
    # A refusal of the page itself is told with the hop that meets it.
    told = _unrun(response, own) if response.status_code == requests.codes.ok else None
    told = told or (_without_script(examination, response) if response.ok else None)
    if told is None:
        return answer([], evidence="a page that runs")
    code, seen, expected = told
    return answer([finding(f"iframe.callback.{code}", seen, expected, place, advice=_PROXY)])


def _unrun(response: requests.Response, own: str) -> tuple[str, str, str] | None:
    """What keeps the page's own script from running, by the page's headers."""
    kind = response.headers.get("Content-Type", "no content type")
    if not kind.lower().startswith(("text/html", "application/xhtml")):
        return "type", f"{kind}: a browser shows the page's text", "text/html"
    disposition = response.headers.get("Content-Disposition", "")
    if disposition.lower().startswith("attachment"):
        return "type", f"{disposition}: a browser saves the page as a file", "a page"
    for policy in policies([response.headers.get(_CSP, "")]):
        if "sandbox" in policy and not set(policy["sandbox"]) >= _NEEDED:
            return "sandboxed", f"sandbox {' '.join(policy['sandbox'])}".strip(), "no sandbox"
        if by := refuses(policy, _SCRIPTS, own, own):
            return "policy", f"{by}: keeps the page from its own script", "a policy that admits it"
    return None


def _without_script(examination: Examination, response: requests.Response) -> tuple[str, str, str] | None:
    """The first script of the page that does not come."""
    shell = Shell()
    shell.feed(response.text)
    own = examination.contract.chat.url
    for source in (urljoin(response.url, one) for one in shell.scripts):
        if address.origin(source) != address.origin(own):
            continue
        answered = examination.chat_page(source.removeprefix(own))
        kind = answered.headers.get("Content-Type", "no content type")
        if answered.status_code != requests.codes.ok or "javascript" not in kind:
            return "script", f"{answered.status_code} {kind} at {source}", "200 with a script"
    return None


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (callback,)
