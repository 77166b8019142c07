"""Layer `site`: the endpoints that programs ask, Rocket.Chat's server above all, without a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin

import requests

from besedka import address
from besedka.checks import patience, stopped
from besedka.checks.check import check
from besedka.checks.examination import SERVER_SECONDS, Examination, gateway, redirected
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.checks.moved import to_another
from besedka.errors import ServiceUnreachableError
from besedka.site import Site

_JSON = "application/json"


def _json_refusal(
    examination: Examination, check_name: str, response: requests.Response, statuses: set[int], row: str
) -> list[Finding]:
    """An endpoint for programs must refuse with JSON: a page of HTML reads like success to a script."""
    table, _, name = row.partition(".")
    asked = f"{response.request.method} {response.url.partition('?')[0]}"
    place = f"{asked}, anonymous ([{table}] {name} in besedka.toml)"
    expected = f"{' or '.join(map(str, sorted(statuses)))} with JSON"
    kind = response.headers.get("Content-Type", "no content type")
    of_token = response.request.method == "POST"
    if response.status_code not in statuses and not (of_token and _refuses(response)):
        location = response.headers.get("Location", "")
        advice = _why(response, location)
        if examination.site.is_login(location):
            advice = (
                "It leads to the log-in, which no program passes: is the address right, and the view open "
                "to who has no session?",
            )
        seen = f"{response.status_code} with {kind}"
        code = "gate" if to_another(location, response.url) else "status"
        return [finding(f"{check_name}.{code}", seen, expected, place, advice=advice)]
    # django-oauth-toolkit's own decorators refuse with an empty body.
    if response.content and not kind.startswith(_JSON) and not _holds_json(response):
        advice = ("answer JSON to everybody",)
        if response.status_code == requests.codes.forbidden:
            advice = (*advice, "Is it the view that refuses? A firewall in front of it answers with a page.")
        return [finding(f"{check_name}.html", kind, expected, place, advice=advice)]
    return []


def _why(response: requests.Response, location: str) -> tuple[str, ...]:
    """What a person does about a status that is none of the view's."""
    if response.request.method == "POST" and (
        by_status := stopped.by_status(response.status_code, response.text, location, response.url)
    ):
        return by_status
    if moved := redirected(response.status_code, location, response.url):
        return moved
    if response.status_code >= 500:
        return (next(iter(gateway(response.status_code, response.text)), "read Daphne's log"),)
    if response.status_code == requests.codes.too_many_requests:
        return stopped.by_status(response.status_code)
    return ("is another view in front of it? python manage.py shell -c 'resolve(...)'",)


def _refuses(response: requests.Response) -> bool:
    """Whether it says `error` and 200, as a token endpoint may: to Rocket.Chat a refusal like any other.

    apps/meteor/app/custom-oauth/server/custom_oauth_server.js, 6.14: `response.error` is thrown.
    """
    return response.ok and _holds_json(response) and bool(response.json().get("error"))


def _holds_json(response: requests.Response) -> bool:
    """Whether it is JSON under another name, which Rocket.Chat reads (custom_oauth_server.js, 7.x)."""
    try:
        return isinstance(response.json(), dict)
    except ValueError:
        return False


@check("site.chat_auth", codes="status gate html", needs=["services.site"])
def chat_auth(examination: Examination) -> Answer:
    """Does the token endpoint of the integrated page refuse an anonymous visitor, in JSON?"""
    if without := examination.contract.site.features.missing("chat_token"):
        return Skipped(without)
    response = examination.site.get(examination.contract.site.chat_auth_path)
    # Nobody signs in by it but where the contract says so.
    bad = Severity.BROKEN if examination.contract.chat.sso == "iframe-auth" else Severity.RISK
    found = _json_refusal(examination, "site.chat_auth", response, {401}, "site.chat_auth_path")
    return answer(
        [replace(one, severity=bad) for one in found],
        evidence="401 JSON",
        watched=("site.chat_auth_path",),
    )


@check("site.old_chat_auth", codes="present", needs=["services.site"])
def old_chat_auth(examination: Examination) -> Answer:
    """Is the misspelt /api/chat/auth/ still unknown?"""
    if without := examination.contract.site.features.missing("own_urls"):
        return Skipped(without)
    response = examination.site.get("/api/chat/auth/")
    found = []
    if response.status_code != 404:
        place = f"GET {examination.contract.site.url}/api/chat/auth/"
        fix = "pages ask /chat/api/auth/: remove the second address"
        found = [
            finding("site.old_chat_auth.present", str(response.status_code), "404", place, advice=(fix,))
        ]
    return answer(found, evidence="404")


def _endpoint(
    examination: Examination,
    name: str,
    statuses: set[int],
    row: str,
    ask: Callable[[Site], requests.Response],
) -> tuple[list[Finding], int]:
    """What is wrong with an endpoint that Rocket.Chat's server asks, and the status of its refusal."""
    site = Site.of(examination.contract, timeout=SERVER_SECONDS)
    try:
        response = patience.quicker(lambda: ask(site), lambda answered: answered.elapsed.total_seconds())
    except ServiceUnreachableError as error:
        if hanging := patience.too_slow(name, error, error.where):
            return [hanging], 0
        raise
    refused = _json_refusal(examination, name, response, statuses, row)
    if refused and response.is_redirect and response.request.method == "GET":
        refused = _moved(name, response, site, statuses) or refused
    asked = f"{response.request.method} {response.url.partition('?')[0]}, anonymous"
    slow = patience.late(name, response.elapsed.total_seconds(), asked)
    return refused or slow, response.status_code


def _moved(name: str, response: requests.Response, site: Site, statuses: set[int]) -> list[Finding]:
    """A redirect that ends where the endpoint is: Rocket.Chat follows it (node-fetch), one ask more each."""
    target = urljoin(response.url, response.headers.get("Location", ""))
    if address.origin(target) != address.origin(response.url):
        return []
    followed = site.get(target)
    if followed.status_code not in statuses or not _holds_json(followed):
        return []
    place = f"GET {response.url.partition('?')[0]}, anonymous"
    advice = (f"It is at {target}: write that address into besedka.toml, and provision.",)
    seen, expected = f"{response.status_code} to {target}, which answers", "an answer without a redirect"
    return [finding(f"{name}.moved", seen, expected, place, advice=advice, severity=Severity.RISK)]


@check("site.identity", codes="status gate moved html slow hangs", needs=["services.site"])
def identity(examination: Examination) -> Answer:
    """Does the identity endpoint ask for a token, in good time?"""
    found, status = _endpoint(
        examination,
        "site.identity",
        {400, 401, 403},
        "provider.identity_path",
        lambda site: site.identity(None),
    )
    return answer(found, evidence=f"{status} JSON")


@check("site.token_endpoint", codes="status gate html get slow hangs", needs=["services.site"])
def token_endpoint(examination: Examination) -> Answer:
    """Is the token endpoint there, for POST alone, and in good time?"""
    path = examination.contract.provider.token_path
    found, _ = _endpoint(
        examination,
        "site.token_endpoint",
        {400, 401},
        "provider.token_path",
        lambda site: site.request("POST", path, data={}),
    )
    if found:
        return answer(found)
    viewed = examination.site.get(path)
    if viewed.status_code < 400 and not _refuses(viewed):
        place = f"GET {examination.contract.site.url}{path}"
        seen = f"GET answered {viewed.status_code}"
        advice = ("use oauth2_provider's TokenView, or answer POST alone",)
        found = [finding("site.token_endpoint.get", seen, "405", place, advice=advice)]
    return answer(found, evidence=f"POST refused with JSON, GET {viewed.status_code}")


CHECKS = (chat_auth, old_chat_auth, identity, token_endpoint)
