"""Layer `sso`, the site's hops: authorize, token, identity, without a browser.

Requests that Rocket.Chat's server makes are made by the examination's probe, from where it runs.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from besedka.checks import application, bearer, patience
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination, ProbeAnswer
from besedka.checks.finding import Answer, Finding, Findings, Ok, Skipped, answer, finding
from besedka.checks.login_page import said, status_advice
from besedka.checks.visitor import Visitor
from besedka.checks.visitors import visitor
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import identity as identities
from besedka.rocketchat import provider

_PKCE = (
    'Set OAUTH2_PROVIDER["PKCE_REQUIRED"] = False at the site, or a function that spares this client: '
    "Custom OAuth of Rocket.Chat below 8.7 cannot do PKCE."
)
_TOKENS = (
    "The view must take the site's own tokens; of django-oauth-toolkit by OAuth2Authentication, or "
    "protected_resource."
)
# What a person does about the identity view, by how it answered.
_IDENTITY = {
    "session_only": _TOKENS,
    "rejected": f"{_TOKENS} A proxy must pass the Authorization header on, and keep no answer.",
    "scope": "The view asks for a scope that [provider] scope does not name, or refuses this user.",
    "missing": "Is identity_path the address of the identity view, and is it routed for tokens, too?",
    "method": "The view must answer GET, which Rocket.Chat sends.",
    "not_json": "The view must answer JSON, whoever asks, and never a page.",
    "failing": "Read Daphne's log: the view fails with this user's token.",
}
_REFUSALS = {302: "session_only", 401: "rejected", 403: "scope", 404: "missing", 405: "method"}
_NOT_CODE = "doctor-no-such-code"


def _exchange(examination: Examination, code: str) -> ProbeAnswer:
    """The token request as Rocket.Chat makes it (`apps/meteor/app/custom-oauth/server`)."""
    own = examination.contract.provider
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri(examination.contract),
    }
    headers = {"Accept": "application/json"}
    if own.token_sent_via == "header":  # noqa: S105 - a mode
        pair = base64.b64encode(f"{own.client_id}:{own.secret}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        form |= {"client_id": own.client_id, "client_secret": own.secret}
    return examination.probe("POST", own.url + own.token_path, headers, form)


def _decoded(answered: ProbeAnswer) -> dict[str, Any]:
    try:
        decoded = json.loads(answered.body)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _client(examination: Examination) -> Answer:
    """Does the token endpoint accept Rocket.Chat's id and secret?"""
    answered = _exchange(examination, _NOT_CODE)
    error = str(_decoded(answered).get("error", ""))
    if error == "invalid_grant":
        return Ok("a made-up code is refused, the client is not; a real one shows whether PKCE is asked for")
    return Findings((_token_refusal("sso.client", examination, answered),))


def _token_refusal(name: str, examination: Examination, answered: ProbeAnswer) -> Finding:
    own = examination.contract.provider
    decoded = _decoded(answered)
    error, text = str(decoded.get("error", "")), str(decoded.get("error_description", ""))
    place = f"POST {own.url}{own.token_path}"
    seen = f"{answered.status} {error or answered.content_type} {text}".strip()
    if "verifier" in text.lower():
        return finding(f"{name}.pkce", seen, "no PKCE asked for", place, advice=(_PKCE,))
    if error == "invalid_client":
        fix = "id or secret differ between the site and Rocket.Chat: compare both with besedka.toml"
        pair = f"{own.client_id}:{own.secret}"
        if own.token_sent_via == "header" and unquote_plus(pair) != pair:  # noqa: S105 - a mode
            # django-oauth-toolkit decodes Basic credentials as a form's; Rocket.Chat does not encode them.
            fix = (
                "The secret or id holds + or %, which the site decodes and Rocket.Chat sends as it is: "
                'set token_sent_via = "payload" in besedka.toml, or make a secret of letters and digits.'
            )
        return finding(f"{name}.refused", seen, "the client is accepted", place, advice=(fix,))
    if error == "invalid_grant" and name == "sso.token":
        fix = (
            "The site refuses a code that is a second old: AUTHORIZATION_CODE_EXPIRE_SECONDS must be 60 or "
            "so, and all processes of the site must have one database and one clock."
        )
        return finding("sso.token.code", seen, "the fresh code is accepted", place, advice=(fix,))
    if answered.status >= 500:
        fix = "Read Daphne's log: the view fails. Can its database be written, is its disk full?"
        return finding(f"{name}.other", seen, "the client is accepted", place, advice=(fix,))
    if not error and "json" not in answered.content_type:
        return finding(
            f"{name}.not_json", seen, "JSON", place, advice=("is token_path the site's token endpoint?",)
        )
    return finding(f"{name}.other", seen, "the client is accepted", place, advice=("read Daphne's log",))


def code_for(  # noqa: PLR0911 - one return per way to fail
    examination: Examination, made: Visitor, state: str
) -> tuple[str, list[Finding]]:
    """A fresh code, or why there is none."""
    own, wanted = examination.contract.provider, provider.redirect_uri(examination.contract)
    response = made.site.authorize(own.client_id, wanted, own.scope, state)
    place = f"GET {examination.contract.site.url}{own.authorize_path}, signed in"
    expected = f"302 to {wanted} with code and state"
    location = response.headers.get("Location", "")
    query = {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()}
    seen = f"{response.status_code} {location.partition('?')[0]}".strip()

    def refusal(code: str, fix: str, text: str = seen) -> tuple[str, list[Finding]]:
        return "", [finding(f"sso.authorize.{code}", text, expected, place, advice=(fix,))]

    if response.status_code == 200:
        return refusal("consent", "skip_authorization must be on: a page asks for a click")
    if response.status_code == 400:
        return refusal("redirect_uri", _unregistered(examination, wanted), f"{seen}: {said(response)}")
    if response.status_code != 302:
        return refusal(
            "status",
            next(iter(status_advice(response)), "read Daphne's log"),
            f"{seen}: {said(response)}".rstrip(": "),
        )
    if urlsplit(location).path == examination.contract.site.below(examination.contract.site.login_path):
        return refusal("session", "the session was not kept: look at cookies and SESSION_* settings")
    if "error" in query:
        text = f"error={query['error']} {query.get('error_description', '')}".strip()
        if "challenge" in text.lower():
            return refusal("pkce", _PKCE, text)
        if query["error"] == "invalid_scope":
            fix = f"the site must know the scope {own.scope!r} and allow it to the client"
            return refusal("scope", fix, text)
        return refusal("error", "the authorize view refuses this user: read its rules and Daphne's log", text)
    if not location.startswith(wanted) or "code" not in query:
        return refusal("target", "is it the site's own authorize view?")
    if query.get("state") != state and query["code"] == made.code:
        return refusal(
            "cached",
            "Something answers in the site's place with an earlier answer: no caching of "
            "authorize_path in the proxy's configuration (proxy_cache off).",
            "the code of an earlier request",
        )
    if query.get("state") != state:
        return refusal("state", "the view must give `state` back unchanged: Rocket.Chat made it")
    return examination.secret(query["code"]), []


def _unregistered(examination: Examination, wanted: str) -> str:
    """Why authorize refuses the callback: it is not registered, or it is and its scheme is not allowed."""
    if examination.target.site_database_url and examination.contract.site.features.oauth_tables:
        record = examination.site_database.application(examination.contract.provider.client_id)
        if record and wanted in record.redirect_uris:
            scheme = urlsplit(wanted).scheme
            return f"It is registered: ALLOWED_REDIRECT_URI_SCHEMES of the site must hold {scheme!r}."
    return f"register exactly {wanted} with the application"


def _authorize(examination: Examination) -> Answer:
    """Does authorize answer a signed-in user with a code, without a click?"""
    made = visitor(examination)
    began = time.monotonic()
    code, found = code_for(examination, made, "doctor-state")
    made.code = code
    place = f"GET {examination.contract.provider.authorize_path}, signed in"
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
    kept = response.status_code == 302 and (own_login or location == callback)
    if response.status_code != 400 and not kept:
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
    codes="pkce refused not_json other code no_row slow hangs",
    needs=["sso.client", "sso.authorize"],
)
def token(examination: Examination) -> Answer:
    """Is the code exchanged for a token, asked from where Rocket.Chat runs?"""
    made, own = visitor(examination), examination.contract.provider
    place = f"POST {own.url}{own.token_path} with a code"
    try:
        answered = _exchange(examination, made.code)
    except ServiceUnreachableError as error:
        if hanging := patience.too_slow("sso.token", error, place):
            return Findings((hanging,))
        raise
    made.seconds += answered.seconds
    decoded = _decoded(answered)
    issued = str(decoded.get("access_token") or "")
    if answered.status != 200 or not issued:
        return Findings((_token_refusal("sso.token", examination, answered),))
    examination.secret(issued)
    made.refresh_token = examination.secret(str(decoded.get("refresh_token") or ""))
    slow = patience.late("sso.token", answered.seconds, place)
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


@check(
    "sso.identity",
    codes="rejected session_only scope missing method not_json failing slow hangs",
    needs=["sso.user"],
    after=["site.identity"],
)
def identity(examination: Examination) -> Answer:
    """Does identity answer to the bearer token, without a session?"""
    own, made = examination.contract.provider, visitor(examination)
    if not made.access_token:
        return _identity_without_a_token(examination)
    modes = {"default": own.token_sent_via}
    mode = modes.get(own.identity_token_sent_via, own.identity_token_sent_via)
    address, headers = own.url + own.identity_path, {"Accept": "application/json"}
    if mode == "header":
        headers["Authorization"] = f"Bearer {made.access_token}"
    else:
        address += f"?{own.access_token_param}={made.access_token}"
    place = f"GET {own.url}{own.identity_path} with the token by {mode}"
    try:
        answered = patience.quicker(
            lambda: examination.probe("GET", address, headers, None), lambda got: got.seconds
        )
    except ServiceUnreachableError as error:
        if hanging := patience.too_slow("sso.identity", error, place):
            return Findings((hanging,))
        raise
    made.seconds += answered.seconds
    made.identity = identities.read(_decoded(answered))
    if answered.status == 200 and made.identity:
        slow = patience.late("sso.identity", answered.seconds, place)
        return answer(slow, evidence=", ".join(sorted(made.identity)))
    seen = f"{answered.status} {answered.content_type}"
    code = _REFUSALS.get(answered.status, "not_json" if answered.status == 200 else "failing")
    advice = (_IDENTITY[code],)
    return Findings((finding(f"sso.identity.{code}", seen, "200 with JSON", place, advice=advice),))


def _identity_without_a_token(examination: Examination) -> Answer:
    """What can be told of the view though no token could be had: does it look at bearers at all?"""
    found = bearer.ignored(examination)
    if found is None:
        return Skipped("no access token to ask with: see sso.authorize and sso.token")
    place = f"GET {examination.contract.provider.url}{examination.contract.provider.identity_path}"
    advice = (_IDENTITY[found.kind],)
    return Findings(
        (
            finding(
                f"sso.identity.{found.kind}",
                found.seen,
                "error=invalid_token in WWW-Authenticate, as of a view that takes the site's tokens",
                f"{place} with a made-up token",
                advice=advice,
            ),
        )
    )


@check(
    "sso.fields",
    codes="none id no_id missing no_avatar other_name differs groups",
    needs=["sso.identity", "sso.token"],
)
def fields(examination: Examination) -> Answer:
    """Are the fields that the provider names in the answer, with this user's values?"""
    own, made = examination.contract.provider, visitor(examination)
    place = f"GET {own.identity_path}"
    named = (own.username_field, own.email_field, own.name_field)
    if not any("{{" in name or identities.value(made.identity, name) for name in named):
        seen = f"the answer has {', '.join(sorted(made.identity))}"
        fix = "is identity_path the user's own page, not the one that hands out tokens?"
        if below := [
            key for key, row in made.identity.items() if isinstance(row, dict) and set(named) & set(row)
        ]:
            fix = f"The fields lie below {below[0]!r}: let identity_path answer them at the top."
        return Findings((finding("sso.fields.none", seen, ", ".join(named), place, advice=(fix,)),))
    found = []
    if not isinstance(made.identity.get("id"), str):
        known = "id" in made.identity
        seen = f"id is {made.identity['id']!r}" if known else "no id"
        fix = "answer the id as text: to Rocket.Chat 1 and '1' are two users"
        code = "sso.fields.id" if known else "sso.fields.no_id"
        found.append(finding(code, seen, "text", place, advice=(fix,)))
    wanted: dict[str, str | None] = {
        own.username_field: made.username,
        own.email_field: made.email,
        own.name_field: made.full_name,
    } | ({own.avatar_field: None} if own.avatar_field else {})
    for name, value in wanted.items():
        found += _field(examination, name, value)
    role = made.role
    groups = examination.contract.groups_of(role)
    if examination.contract.site.features.groups and made.identity.get("groups") != groups:
        seen = f"groups are {made.identity.get('groups')!r}"
        fix = (
            "The site's CHAT_GROUPS must be [provider.groups] of besedka.toml. A site that has no groups "
            "says so: [site.features] groups = false."
        )
        found.append(finding("sso.fields.groups", seen, repr(groups), place, advice=(fix,)))
    evidence = f"{len(wanted)} fields, groups and a text id"
    return answer(found, evidence=evidence, watched=(f"provider.groups.{role}",))


def _field(examination: Examination, name: str, wanted: str | None) -> list[Finding]:
    """What is wrong with the field of that row, which should hold that value; None: any value."""
    own, identity = examination.contract.provider, visitor(examination).identity
    if not name:
        return []
    place = f"GET {own.identity_path}"
    try:
        seen = identities.value(identity, name)
    except KeyError:
        return []
    if seen in {None, ""}:
        code = "no_avatar" if name == own.avatar_field else "missing"
        fix = "name the field that the site answers, or let the site answer it"
        return [finding(f"sso.fields.{code}", f"no {name}", f"a field {name}", place, advice=(fix,))]
    if wanted is None or seen == wanted:
        return []
    code, fix = "differs", "The view must answer for the owner of the token: whose token is it?"
    if (
        name == own.name_field
        and identities.value(identity, own.username_field) == visitor(examination).username
    ):
        code, fix = "other_name", "Correct the name at the site, or full_name in [[users]] of besedka.toml."
    return [finding(f"sso.fields.{code}", f"{name} is {seen!r}", repr(wanted), place, advice=(fix,))]


def checks(contract: Contract) -> tuple[Check, ...]:
    """The hops; they stand on every layer that decides about SSO."""
    # What Rocket.Chat keeps of the provider decides about its own hops alone: sso.callback needs it.
    # Codes that nobody exchanged are what a broken hop leaves, and no reason not to look for it.
    ground = [one.name for one in application.checks(contract) if one.name != application.codes.name]
    client = check(
        "sso.client",
        codes="pkce refused not_json other",
        needs=["provider.reachable_from_chat"],
        after=ground,
    )
    authorize = check(
        "sso.authorize",
        codes="consent redirect_uri status session pkce scope error target state cached slow",
        needs=["sso.user"],
        after=[*ground, "site.authorize"],
    )
    # The chain first: what stops a sign-in is said before what endangers one.
    return (client(_client), authorize(_authorize), token, identity, fields, foreign_redirect)
