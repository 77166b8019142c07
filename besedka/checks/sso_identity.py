"""Layer `sso`, the site's last hop: what the identity view answers to the token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from besedka import address as addresses
from besedka.checks import bearer, patience
from besedka.checks.bearer import NOT_TOKEN
from besedka.checks.check import check
from besedka.checks.examination import Examination, ProbeAnswer, gateway, redirected
from besedka.checks.finding import Answer, Finding, Findings, Severity, Skipped, answer, finding
from besedka.checks.visitors import visitor
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import identity as identities

_TOKENS = (
    "The view must take the site's own tokens; of django-oauth-toolkit by OAuth2Authentication, or "
    "protected_resource."
)
# What a person does about the identity view, by how it answered.
_IDENTITY = {
    "session_only": f"{_TOKENS} What asks every visitor to sign in must spare it (login_not_required).",
    "rejected": f"{_TOKENS} A proxy must pass the Authorization header on, and keep no answer.",
    "scope": "The view asks for a scope that [provider] scope does not name, or refuses this user.",
    "missing": "Is identity_path the address of the identity view, and is it routed for tokens, too?",
    "method": "The view must answer GET, which Rocket.Chat sends.",
    "not_json": "The view must answer JSON to everybody, and never a page.",
    "failing": "Read Daphne's log: the view fails with this user's token.",
    "limited": "A limit refuses Rocket.Chat's server, which asks for everybody: spare identity_path.",
}
_HEADER = (
    "Or let the view take Bearer tokens, and each proxy before it pass the Authorization header on: Apache "
    "needs CGIPassAuth or WSGIPassAuthorization, nginx no proxy_set_header Authorization."
)
_QUERY = "Or let the view take the token of the query: many views read the Authorization header alone."
_REFUSALS = {
    401: "rejected",
    403: "scope",
    404: "missing",
    405: "method",
    429: "limited",
}
# What an answer has that is a refusal and no more.
_ONLY_REFUSALS = {"error", "error_description", "detail", "message", "code", "status", "success"}
# Rocket.Chat looks at `response.ok` alone (app/custom-oauth/server/custom_oauth_server.js, 6.x and 7.x).
_RIGHT = range(200, 300)
# A view that sees no token answers so.
_OF_THE_TOKEN = {301, 302, 400, 401, 403}
# Rocket.Chat follows twenty (node-fetch); more than three is nobody's intention.
_HOPS = 3
_MOVED = {301, 302, 303, 307, 308}


@check(
    "sso.identity",
    codes="sent_via rejected session_only redirected scope missing method not_json encoding failing limited"
    " anybody slow hangs",
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
    place = f"GET {own.url}{own.identity_path} with the token by {mode}"
    try:
        answered = patience.quicker(lambda: asked(examination, mode), lambda got: got.seconds)
    except ServiceUnreachableError as error:
        if hanging := patience.too_slow("sso.identity", error, place):
            return Findings((hanging,))
        raise
    made.seconds += answered.seconds
    made.identity = identities.read(answered.fields)
    if answered.status in _RIGHT and made.identity:
        if open_to_all := _of_anybody(examination, mode, place):
            return answer(open_to_all)
        slow = patience.late("sso.identity", answered.seconds, place) or _garbled(answered, place)
        return answer(slow, evidence=", ".join(sorted(made.identity)))
    return Findings((_refusal(examination, answered, mode, place),))


def _garbled(answered: ProbeAnswer, place: str) -> list[Finding]:
    """Rocket.Chat reads UTF-8, whatever the header says (node-fetch): other bytes become question marks."""
    if "\N{REPLACEMENT CHARACTER}" not in answered.body:
        return []
    fix = "The view must answer in UTF-8, as JsonResponse does; otherwise Russian names are unreadable."
    seen, code = f"{answered.content_type}, and not UTF-8", "sso.identity.encoding"
    return [finding(code, seen, "JSON in UTF-8", place, advice=(fix,), severity=Severity.RISK)]


def _of_anybody(examination: Examination, mode: str, place: str) -> list[Finding]:
    """`sso.identity.anybody`: a token that nobody issued is answered as this one was."""
    answered = asked(examination, mode, NOT_TOKEN)
    named = identities.read(answered.fields)
    # An answer without an id names nobody: `sso.fields` says what it lacks.
    if answered.status != 200 or "id" not in named:
        return []
    fix = (
        "Everybody becomes that one person in the chat. Something keeps the answer for all: no caching of "
        "identity_path in the proxy's configuration (proxy_cache off). Or the view looks at no token."
    )
    seen = f"a made-up token is answered, too: {', '.join(sorted(named))}"
    return [finding("sso.identity.anybody", seen, "401", place, advice=(fix,))]


def asked(examination: Examination, mode: str, token: str = "") -> ProbeAnswer:
    """The identity request as Rocket.Chat makes it (`apps/meteor/app/custom-oauth/server`)."""
    own, token = examination.contract.provider, token or visitor(examination).access_token
    address, headers = own.url + own.identity_path, {"Accept": "application/json"}
    if mode == "header":
        headers["Authorization"] = f"Bearer {token}"
    else:
        address += f"?{own.access_token_param}={token}"
    answered = examination.probe("GET", address, headers, None)
    for _ in range(_HOPS):
        target = urljoin(address, answered.location)
        if answered.status not in _MOVED or not _within(examination, address, target):
            break
        answered, address = examination.probe("GET", target, headers, None), target
    return answered


def _within(examination: Examination, address: str, target: str) -> bool:
    """Whether Rocket.Chat follows that and takes its token along: at the same host, and not to a log-in."""
    same = addresses.origin(target) == addresses.origin(address) and target != address
    return same and not examination.site.is_login(target)


def _refusal(examination: Examination, answered: ProbeAnswer, mode: str, place: str) -> Finding:
    seen, expected = f"{answered.status} {answered.content_type}", "200 with JSON"
    code = _REFUSALS.get(answered.status, "not_json" if answered.status in _RIGHT else "failing")
    advice = gateway(answered.status, answered.body)
    if answered.status in _OF_THE_TOKEN:
        other = "payload" if mode == "header" else "header"
        again = asked(examination, other)
        if again.status == 200 and identities.read(again.fields):
            fix = (
                f'Set identity_token_sent_via = "{other}" in [provider] of besedka.toml, then run '
                f"{examination.provision_command}"
            )
            advice = (fix, _HEADER if mode == "header" else _QUERY)
            seen = f"{answered.status} with the token by {mode}, 200 with it by {other}"
            return finding("sso.identity.sent_via", seen, expected, place, advice=advice)
    own = examination.contract.provider
    address = own.url + own.identity_path
    if answered.location and answered.status in _MOVED:
        code, advice = "session_only", ()
        if not examination.site.is_login(answered.location):
            code, advice = "redirected", redirected(answered.status, answered.location, address)
            seen = f"{answered.status} to {answered.location}"
    if answered.status in _RIGHT and answered.body.lstrip().startswith("["):
        advice = ("The JSON is a list: Rocket.Chat reads one object, the token's owner.",)
    return finding(f"sso.identity.{code}", seen, expected, place, advice=advice or (_IDENTITY[code],))


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
    codes="none id no_id id_taken id_changes missing no_avatar other_name differs groups",
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
        if below := next(_above(made.identity, set(named)), ""):
            fix = (
                f"The fields lie below {below!r}: let identity_path answer them at the top, or name them so "
                f'in besedka.toml: username_field = "{below}.{own.username_field}", and the others.'
            )
        elif not made.identity.keys() - _ONLY_REFUSALS:
            fix = f"The view at identity_path refuses the token and says 200. {_TOKENS} A refusal is 401."
        return Findings((finding("sso.fields.none", seen, ", ".join(named), place, advice=(fix,)),))
    found = []
    found += _taken(examination) or _unsteady(examination, place)
    if not isinstance(made.identity.get("id"), str) or not made.identity["id"]:
        known = made.identity.get("id") not in (None, "")
        seen = f"id is {made.identity.get('id')!r}" if "id" in made.identity else "no id"
        fix = "answer the id as text: to Rocket.Chat 1 and '1' are two users"
        code = "sso.fields.id" if known else "sso.fields.no_id"
        found.append(finding(code, seen, "text", place, advice=(fix,)))
    wanted: dict[str, str | None] = {
        own.username_field: made.username,
        own.email_field: made.email,
        # A text made of several fields is whatever the contract makes of them.
        own.name_field: made.full_name if identities.plain_field(own.name_field) else None,
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


def _above(answer: Mapping[str, Any], names: set[str], path: str = "") -> Iterator[str]:
    """Dotted paths of the objects within the answer that have one of these fields."""
    for key, row in answer.items():
        if isinstance(row, Mapping):
            below = f"{path}.{key}".strip(".")
            if names & set(row):
                yield below
            yield from _above(row, names, below)


def _unsteady(examination: Examination, place: str) -> list[Finding]:
    """An id that is another one at the next ask: to Rocket.Chat another person."""
    own, made = examination.contract.provider, visitor(examination)
    modes = {"default": own.token_sent_via}
    again = asked(examination, modes.get(own.identity_token_sent_via, own.identity_token_sent_via))
    first, second = made.identity.get("id"), identities.read(again.fields).get("id")
    if again.status not in _RIGHT or not second or first == second:
        return []
    made.steady = False
    fix = "Answer an id that stays: the primary key of the account, as text."
    seen = f"id was {first!r}, and is {second!r} at the next ask"
    return [finding("sso.fields.id_changes", seen, "the same id each time", place, advice=(fix,))]


def _taken(examination: Examination) -> list[Finding]:
    """An id that is another account's in the chat: all who get it become that one person there."""
    made, service = visitor(examination), examination.contract.provider.name
    if examination.target.mongo_url is None or not made.identity.get("id"):
        return []
    for account in examination.chat_users:
        link = (account.get("services") or {}).get(service) or {}
        if link.get("id") == made.identity["id"] and account.get("username") != made.username:
            place = f"GET {examination.contract.provider.identity_path}"
            fix = "The view must answer the id of the token's owner: does it answer one id to all?"
            seen, expected = f"the id of {account.get('username')}", f"the id of {made.username}"
            return [finding("sso.fields.id_taken", seen, expected, place, advice=(fix,))]
    return []


def _other_value(examination: Examination, seen: str, wanted: str) -> str:
    """Why the field holds that: another writing, another field, or another person."""
    made = visitor(examination)
    if seen.casefold() == wanted.casefold():
        return "Answer it with the letters that the account has: Rocket.Chat keeps what it is told."
    if wanted in seen or seen in {made.username, made.email, made.full_name}:
        return "It is this user, in another field or with more around it: answer it as the account has it."
    return "The view must answer for the owner of the token: whose token is it?"


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
    if seen is None or seen == "":
        code = "no_avatar" if name == own.avatar_field else "missing"
        fix = "name the field that the site answers, or let the site answer it"
        return [finding(f"sso.fields.{code}", f"no {name}", f"a field {name}", place, advice=(fix,))]
    if wanted is None or seen == wanted:
        return []
    code, fix = "differs", _other_value(examination, str(seen), wanted)
    if (
        name == own.name_field
        and identities.value(identity, own.username_field) == visitor(examination).username
    ):
        code, fix = "other_name", "Correct the name at the site, or full_name in [[users]] of besedka.toml."
    return [finding(f"sso.fields.{code}", f"{name} is {seen!r}", repr(wanted), place, advice=(fix,))]


CHECKS = (identity, fields)
