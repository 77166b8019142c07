"""Layer `sso`, the site's hops: authorize, token, identity, without a browser.

Requests that Rocket.Chat's server makes are made by the examination's probe, from where it runs.
"""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urljoin, urlsplit

from besedka import address, ways
from besedka.checks import application, by_page, patience, sso_identity, stopped
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination, ProbeAnswer, gateway, redirected
from besedka.checks.finding import Answer, Finding, Findings, Ok, Severity, answer, finding
from besedka.checks.login_page import said, status_advice
from besedka.checks.page_document import clears
from besedka.checks.reloading import led_to
from besedka.checks.visitor import Visitor
from besedka.checks.visitors import visitor
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import provider

_WANTED_FIRST = (
    "The site wants something of its visitors first, terms or a profile, or it is not its authorize view. "
    "Spare authorize_path in that middleware."
)
_ANOTHER_LOCATION = (
    "is it the site's own authorize view? If it is: a proxy writes another address into Location "
    "(proxy_redirect off)"
)
_CONSENT = (
    "skip_authorization must be on: a page asks for a click",
    "If the page leads on by itself, by a script: let the view answer 302 with Location.",
)
_OTHER_LETTERS = (
    "The site knows the client, and not the id that arrived: something changes addresses on their way, as a "
    "rule of the proxy that writes them in small letters. Let it hand the query on as it is."
)
_CHANGED = (
    "It is registered, and not what arrives: something changes the query on its way, as a proxy that "
    "encodes it a second time. Let it hand the address on as it is (nginx: proxy_pass without a path)."
)
_PKCE = (
    'Set OAUTH2_PROVIDER["PKCE_REQUIRED"] = False at the site, or a function that spares this client: '
    "Custom OAuth of Rocket.Chat below 8.7 cannot do PKCE."
)
_CACHED = (
    "Something answers in the site's place with an earlier answer: no caching of authorize_path in the "
    "proxy's configuration (proxy_cache off)."
)
_NOT_CODE = "doctor-no-such-code"
_SPENT = (
    "The site refuses a code that is a second old: AUTHORIZATION_CODE_EXPIRE_SECONDS must be 60 or so, and "
    "all processes of the site must have one database and one clock. A proxy that asks twice "
    "(proxy_next_upstream) uses a code up."
)
_FAILS = (
    "Read Daphne's log: the view fails. Is its database migrated (manage.py migrate --check), can it be "
    "written, is its disk full?"
)
_FORM = (
    "The form does not arrive as it was sent: a proxy loses bodies, or answers from a cache (proxy_cache off "
    "for token_path). If it does arrive: read Daphne's log.",
    "Or the site reads JSON alone there: take OAUTH2_BACKEND_CLASS out of OAUTH2_PROVIDER.",
)
_SENT_VIA = (
    "The Authorization header is lost on its way: nginx needs no proxy_set_header Authorization, Apache "
    "CGIPassAuth or WSGIPassAuthorization.",
    'Or set token_sent_via = "payload" in [provider] of besedka.toml, and provision.',
)
_NOT_ITS_GRANT = (
    "The site knows the client, and not for this: its grant type must be authorization-code, and a validator "
    "of the site's own (OAUTH2_VALIDATOR_CLASS) must let it. Daphne's log says which."
)
# A log-in takes a second or two between its hops, more on a busy machine.
_SHORT_SECONDS = 10


def exchange(examination: Examination, code: str, via: str = "") -> ProbeAnswer:
    """The token request as Rocket.Chat makes it (`apps/meteor/app/custom-oauth/server`)."""
    own = examination.contract.provider
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri(examination.contract),
    }
    if verifier := ways.verifier(examination.contract.chat.sso):
        form["code_verifier"] = verifier
    headers = {"Accept": "application/json"}
    if (via or own.token_sent_via) == "header":
        pair = base64.b64encode(f"{own.client_id}:{own.secret}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        form |= {"client_id": own.client_id, "client_secret": own.secret}
    return examination.probe("POST", own.url + own.token_path, headers, form)


def _client(examination: Examination) -> Answer:
    """Does the token endpoint accept Rocket.Chat's id and secret?"""
    answered = exchange(examination, _NOT_CODE)
    error = str(answered.fields.get("error", ""))
    if error == "invalid_grant":
        return Ok("a made-up code is refused, the client is not; a real one shows whether PKCE is asked for")
    return Findings((_token_refusal("sso.client", examination, answered),))


def _token_refusal(  # noqa: PLR0911 - one return per way to fail
    name: str, examination: Examination, answered: ProbeAnswer
) -> Finding:
    own = examination.contract.provider
    decoded = answered.fields
    error, text = str(decoded.get("error", "")), str(decoded.get("error_description", ""))
    place = f"POST {own.url}{own.token_path}"
    seen = f"{answered.status} {error or answered.content_type} {text}".strip()

    def refusal(kind: str, *advice: str, expected: str = "the client is accepted") -> Finding:
        return finding(f"{name}.{kind}", seen, expected, place, advice=advice)

    if "verifier" in text.lower():
        return refusal("pkce", _PKCE, expected="no PKCE asked for")
    if error == "invalid_client":
        return _refused(name, examination, place, seen)
    if decoded.get("access_token") and error:
        fix = "Take `error` out of the answer that has a token: Rocket.Chat looks at it first, and refuses."
        return refusal("other", fix, expected="no error beside a token")
    if not error and 200 <= answered.status < 300 and decoded:
        fix = "Rocket.Chat reads access_token, at the top of the answer: let the view call it so."
        seen = f"{seen}: {', '.join(sorted(decoded))}"
        return refusal("unnamed", fix, expected="access_token")
    if error == "invalid_grant" and name == "sso.token":
        return refusal("code", _SPENT, expected="the fresh code is accepted")
    moved = redirected(answered.status, answered.location, own.url + own.token_path)
    if moved:
        seen = f"{answered.status} to {answered.location}"
        return refusal("redirected", *moved, expected="an answer without a redirect")
    if not error and (known := stopped.by_status(answered.status, answered.body)):
        return refusal("stopped" if answered.status < 500 else "other", *known)
    if answered.status >= 500:
        return refusal("other", _FAILS)
    if not error and "json" not in answered.content_type:
        return refusal("not_json", "is token_path the site's token endpoint?", expected="JSON")
    if error in {"unsupported_grant_type", "invalid_request"}:
        return refusal("other", *_FORM)
    if error == "unauthorized_client":
        return refusal("other", _NOT_ITS_GRANT)
    return refusal("other", "read Daphne's log")


def _accepted_in_the_form(examination: Examination) -> bool:
    return exchange(examination, _NOT_CODE, via="payload").fields.get("error") == "invalid_grant"


def _refused(name: str, examination: Examination, place: str, seen: str) -> Finding:
    """Id and secret are refused: because they differ, or because they do not arrive as they were sent."""
    own, expected = examination.contract.provider, "the client is accepted"
    fix = "id or secret differ between the site and Rocket.Chat: compare both with besedka.toml"
    pair = f"{own.client_id}:{own.secret}"
    if own.token_sent_via == "header":  # noqa: S105 - a mode
        if unquote_plus(pair) != pair:
            # django-oauth-toolkit decodes Basic credentials as a form's; Rocket.Chat does not encode them.
            fix = (
                "The secret or id holds + or %, which the site decodes and Rocket.Chat sends as it is: "
                'set token_sent_via = "payload" in besedka.toml, or make a secret of letters and digits.'
            )
        elif name == "sso.client" and _accepted_in_the_form(examination):
            seen = f"{seen} with id and secret in the Authorization header, accepted with them in the form"
            return finding("sso.client.sent_via", seen, expected, place, advice=_SENT_VIA)
    return finding(f"{name}.refused", seen, expected, place, advice=(fix,))


def code_for(  # noqa: PLR0911, PLR0912 - one return per way to fail
    examination: Examination, made: Visitor, state: str
) -> tuple[str, list[Finding]]:
    """A fresh code, or why there is none."""
    own, wanted = examination.contract.provider, provider.redirect_uri(examination.contract)
    response = made.site.authorize(own.client_id, wanted, own.scope, state)
    place = f"GET {examination.contract.site.url}{own.authorize_path}, signed in"
    expected = f"302 to {wanted} with code and state"
    made.authorized = response
    by_a_page = led_to(response, wanted) if response.status_code == 200 else None
    location = by_a_page[0] if by_a_page else response.headers.get("Location", "")
    query = {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()}
    seen = f"{response.status_code} {location.partition('?')[0]}".strip()

    def refusal(code: str, fix: str, text: str = seen) -> tuple[str, list[Finding]]:
        return "", [finding(f"sso.authorize.{code}", text, expected, place, advice=(fix,))]

    if response.status_code == 200 and not by_a_page:
        return "", [finding("sso.authorize.consent", seen, expected, place, advice=_CONSENT)]
    if response.status_code == 400 and not gateway(400, response.text):
        text = f"{seen}: {said(response)}"
        if "client_id" in response.text and _registered(examination):
            return refusal("client", _OTHER_LETTERS, text)
        return refusal("redirect_uri", _unregistered(examination, wanted, text), text)
    if not response.is_redirect and not by_a_page:
        return refusal(
            "status",
            next(iter(status_advice(response)), "read Daphne's log"),
            f"{seen}: {said(response)}".rstrip(": "),
        )
    if examination.site.is_login(location):
        if state not in unquote_plus(location):
            return refusal("cached", _CACHED, "the way to the log-in, of an earlier request")
        return refusal(
            "session",
            "the session was not kept: look at cookies and SESSION_*, or a second step of the log-in",
        )
    if "error" in query:
        text = f"error={query['error']} {query.get('error_description', '')}".strip()
        if "challenge" in text.lower():
            return refusal("pkce", _PKCE, text)
        if query["error"] == "invalid_scope":
            fix = f"the site must know the scope {own.scope!r} and allow it to the client"
            return refusal("scope", fix, text)
        return refusal("error", "the authorize view refuses this user: read its rules and Daphne's log", text)
    if not location.startswith(wanted) or "code" not in query:
        if _at_the_site(examination, location):
            return refusal("target", _WANTED_FIRST)
        return refusal("target", _ANOTHER_LOCATION)
    if query.get("state") != state and query["code"] == made.code:
        return refusal("cached", _CACHED, "the code of an earlier request")
    if query.get("state") != state:
        return refusal("state", "the view must give `state` back unchanged: Rocket.Chat made it")
    cleared = clears("sso.authorize", response, place)
    return examination.secret("" if cleared else query["code"]), cleared


def _at_the_site(examination: Examination, location: str) -> bool:
    """Whether it leads to a page of the site itself."""
    site = examination.contract.site.url
    return address.origin(urljoin(f"{site}/", location)) == address.origin(site)


def _registered(examination: Examination) -> bool:
    """Whether the site's database has the client by the id that Rocket.Chat names."""
    if not (examination.target.site_database_url and examination.contract.site.features.oauth_tables):
        return False
    return examination.site_database.application(examination.contract.provider.client_id) is not None


def _unregistered(examination: Examination, wanted: str, text: str) -> str:
    """Why authorize refuses the callback: it is not registered, its scheme is not allowed, or it is changed.

    A scheme is refused by Django's own page (`DisallowedRedirect`), a callback by oauth2_provider's.
    """
    if examination.target.site_database_url and examination.contract.site.features.oauth_tables:
        record = examination.site_database.application(examination.contract.provider.client_id)
        if record and wanted in record.redirect_uris:
            scheme = urlsplit(wanted).scheme
            if "redirect" in text.lower():
                return _CHANGED
            return f"It is registered: ALLOWED_REDIRECT_URI_SCHEMES of the site must hold {scheme!r}."
    return f"register exactly {wanted} with the application"


def _authorize(examination: Examination) -> Answer:
    """Does authorize answer a signed-in user with a code, without a click?"""
    made = visitor(examination)
    began = time.monotonic()
    code, found = code_for(examination, made, "doctor-state")
    made.code = code
    place = f"GET {examination.contract.provider.authorize_path}, signed in"
    found = (
        found or by_page.found(examination, made, place) or by_page.without_opener(examination, made, place)
    )
    found = found or patience.late("sso.authorize", time.monotonic() - began, place)
    return answer(found, evidence="302 with code and state")


@check("sso.foreign_redirect", codes="open", needs=["sso.user"], after=["site.authorize"])
def foreign_redirect(examination: Examination) -> Answer:
    """Does authorize refuse to send a code elsewhere?"""
    own = examination.contract.provider
    elsewhere = "http://elsewhere.invalid/"
    response = visitor(examination).site.authorize(own.client_id, elsewhere, own.scope, "doctor-state")
    found = []
    location = response.headers.get("Location", "").partition("?")[0]
    own_login = urlsplit(location).path == examination.contract.site.below(
        examination.contract.site.login_path
    )
    callback = provider.redirect_uri(examination.contract)
    # A view that sends everybody to the log-in first, or back to Rocket.Chat, has let nothing out.
    at_home = _at_the_site(examination, location)
    kept = response.is_redirect and (own_login or at_home or location == callback)
    # A view that fails has let nothing out, and sso.authorize has said so.
    if response.status_code < 500 and response.status_code != 400 and not kept:
        seen = f"{response.status_code} {location}".strip()
        place = f"GET {own.authorize_path} with redirect_uri={elsewhere}"
        fix = (
            "oauth2_provider's own view compares redirect_uri with what is registered: a hand-made one must, "
            "too"
        )
        found = [finding("sso.foreign_redirect.open", seen, "400", place, advice=(fix,))]
    return answer(found, evidence="400")


@check(
    "sso.token",
    codes="pkce refused redirected stopped not_json unnamed other code cached short no_row slow hangs",
    needs=["sso.client", "sso.authorize"],
)
def token(examination: Examination) -> Answer:
    """Is the code exchanged for a token, asked from where Rocket.Chat runs?"""
    made, own = visitor(examination), examination.contract.provider
    place = f"POST {own.url}{own.token_path} with a code"
    try:
        answered = exchange(examination, made.code)
    except ServiceUnreachableError as error:
        if hanging := patience.too_slow("sso.token", error, place):
            return Findings((hanging,))
        raise
    made.seconds += answered.seconds
    decoded = answered.fields
    issued = str(decoded.get("access_token") or "")
    # Rocket.Chat throws where the answer has `error`, a token beside it or not.
    if not 200 <= answered.status < 300 or not issued or decoded.get("error"):
        return Findings((_token_refusal("sso.token", examination, answered),))
    examination.secret(issued)
    made.refresh_token = examination.secret(str(decoded.get("refresh_token") or ""))
    if kept := _kept(examination, place):
        return Findings((kept,))
    slow = patience.late("sso.token", answered.seconds, place) or _short(decoded, place)
    has_rows = examination.contract.site.features.oauth_tables
    if examination.target.site_database_url is None or not has_rows:
        made.access_token = issued
        return answer(slow, evidence="an access token")
    # A token that nobody issued tells nothing about the identity view.
    if issued not in {row.token for row in examination.site_database.access_tokens(made.username)}:
        place = examination.contract.site.adapter.tables.access_token
        fix = "route the token path to oauth2_provider's TokenView: this one makes tokens up"
        seen = f"{made.username} has no such token"
        return Findings((finding("sso.token.no_row", seen, "a row for this user", place, advice=(fix,)),))
    made.access_token = issued
    return answer(slow, evidence="an access token with a row of its own")


def _kept(examination: Examination, place: str) -> Finding | None:
    """A made-up code is answered with a token, once a real one was: that answer is kept for everybody."""
    if not exchange(examination, _NOT_CODE).fields.get("access_token"):
        return None
    fix = (
        "Everybody gets the token of the first: no caching of token_path in the proxy's configuration "
        "(proxy_cache off, proxy_cache_methods GET HEAD)."
    )
    seen, expected = "a made-up code is answered with a token, too", "400 with invalid_grant"
    return finding("sso.token.cached", seen, expected, place, advice=(fix,))


def _short(answered: dict[str, Any], place: str) -> list[Finding]:
    """A token that may be over before Rocket.Chat asks with it who its owner is."""
    lasts = answered.get("expires_in")
    if not isinstance(lasts, int) or not 0 < lasts < _SHORT_SECONDS:
        return []
    fix = "Set ACCESS_TOKEN_EXPIRE_SECONDS of OAUTH2_PROVIDER at the site to minutes or hours."
    seen, expected, severity = f"the token ends after {lasts} s", "minutes or hours", Severity.RISK
    return [finding("sso.token.short", seen, expected, place, advice=(fix,), severity=severity)]


def checks(contract: Contract) -> tuple[Check, ...]:
    """The hops; they stand on every layer that decides about SSO."""
    # What Rocket.Chat keeps of the provider decides about its own hops alone: sso.callback needs it.
    # Codes that nobody exchanged are what a broken hop leaves, and no reason not to look for it.
    ground = [one.name for one in application.checks(contract) if one.name != application.codes.name]
    client = check(
        "sso.client",
        codes="pkce refused sent_via redirected stopped not_json unnamed other",
        needs=["provider.reachable_from_chat"],
        after=ground,
    )
    authorize = check(
        "sso.authorize",
        codes="consent client redirect_uri status session pkce scope error target state cached clears opener"
        " slow page unshown",
        needs=["sso.user"],
        after=[*ground, "site.authorize", "sso.remembered"],
    )
    # The chain first: what stops a sign-in is said before what endangers one.
    return (client(_client), authorize(_authorize), token, *sso_identity.CHECKS, foreign_redirect)
