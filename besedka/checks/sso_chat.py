"""Layer `sso`, Rocket.Chat's hops: callback, log-in, session, and what the new account may see.

The callback always answers 200 with HTML that holds its result as JSON in `<div id="config">`. A failure
shows only at the log-in that follows (Meteor `packages/oauth/oauth_server.js`).
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import requests

from besedka import http
from besedka.checks import server_flow
from besedka.checks.check import Check, check
from besedka.checks.examination import TIMEOUT_SECONDS, Examination, gateway
from besedka.checks.finding import Answer, Finding, Findings, Ok, answer, finding
from besedka.checks.moved import to_another
from besedka.checks.page_document import clears
from besedka.checks.sso import code_for
from besedka.checks.visitors import visitor
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import callback as oauth_callback
from besedka.rocketchat import provider
from besedka.rocketchat.rest import Credentials, RocketChatError

_LIMIT = "API_Enable_Rate_Limiter_Limit_Calls_Default"
_UNTOLD = "Rocket.Chat does not tell why; its database does (--mongo-url)"


@check(
    "sso.callback",
    codes="no_code cached gate no_result hangs failed query ssrf no_start second_factor refused other_flow"
    " clears",
    needs=["sso.fields", "login_service.values"],
    after=["login_service.alone", "login_service.secret"],
)
def callback(examination: Examination) -> Answer:
    """Does Rocket.Chat's callback turn a code into a credential?"""
    if (by_server := server_flow.in_force(examination)) is not None:
        return by_server
    made, token = visitor(examination), examination.secret(secrets.token_urlsafe(32))
    state = oauth_callback.state(examination.contract, token)
    code, found = code_for(examination, made, state)
    if found:
        kind = "cached" if found[0].code.endswith(".cached") else "no_code"
        return Findings((replace(found[0], code=f"sso.callback.{kind}"),))
    address = provider.redirect_uri(examination.contract)
    query = {"code": code, "state": state}
    place, limit = f"GET {address}", TIMEOUT_SECONDS + 2 * made.seconds
    try:
        with http.session() as asked:
            page = asked.get(address, params=query, timeout=limit, allow_redirects=False)
            # Rocket.Chat takes its callback with a slash, too; a browser goes there (oauth_server.js).
            if page.is_redirect and urlsplit(page.headers["Location"]).path == f"{urlsplit(address).path}/":
                page = asked.get(urljoin(page.url, page.headers["Location"]), timeout=limit)
    except requests.Timeout:
        return Findings((_hangs(place, limit),))
    except requests.RequestException as error:
        raise ServiceUnreachableError(
            f"{place} got no answer: {http.silence(error)}", expected="an HTTP answer", where=address
        ) from error
    config = oauth_callback.result(page.text)
    if page.status_code != 200 or config is None:
        seen = f"{page.status_code} {page.headers.get('Location', '')}".strip() + ", no result in the page"
        elsewhere = to_another(page.headers.get("Location", ""), address)
        advice = elsewhere or gateway(page.status_code, page.text) or (_lost(page.status_code),)
        code = f"sso.callback.{'gate' if elsewhere else 'no_result'}"
        return Findings((finding(code, seen, "200 with a result", place, advice=advice),))
    secret = examination.secret(str(config.get("credentialSecret") or ""))
    made.credential = {"credentialToken": token, "credentialSecret": secret}
    if config.get("setCredentialToken") and secret:
        return answer(clears("sso.callback", page, place), evidence="a credential")
    why = _reason(examination, token)
    fix = "read Rocket.Chat's log at this moment; its server asks token and identity by the provider's url"
    code = "sso.callback.failed"
    if examination.contract.provider.login_style == "redirect" and "redirectUrl" not in config:
        code = "sso.callback.query"
        fix = "The callback came without its query: let the proxy pass /_oauth/ on with ?code=…&state=…."
    if "ssrf" in why.lower():
        code = "sso.callback.ssrf"
        # https://github.com/RocketChat/Rocket.Chat/issues/39328 and pull request 39505
        fix = (
            "This Rocket.Chat refuses providers on private addresses (8.2.0 does; SSRF_Allowlist does "
            "not help there): run a later release of 8.2, or 8.1."
        )
    seen = f"the callback failed: {why or _UNTOLD}"
    return Findings((finding(code, seen, "a credential", place, advice=(fix,)),))


def _lost(status: int) -> str:
    """What a person does about a callback that is none of Rocket.Chat's, or of no log-in service."""
    if status >= 400:
        return (
            "Rocket.Chat answers 200 to each callback: let the proxy or firewall pass all of /_oauth/ on to "
            "Rocket.Chat's own address."
        )
    return "is the log-in service there, and is this Rocket.Chat's own address?"


def _hangs(place: str, limit: float) -> Finding:
    """Rocket.Chat waits for the site without a limit, and never answers a state of no known log-in style."""
    seen = f"no answer within {limit:.0f} s"
    fix = "does the site answer Rocket.Chat's server? And is login_style popup or redirect?"
    return finding("sso.callback.hangs", seen, "200 with a result", place, advice=(fix,))


def _reason(examination: Examination, credential_token: str) -> str:
    """What Rocket.Chat keeps of the failure until it is claimed; the claim itself is never told.

    Measured on 6.13.0: the text reaches no client (app/2fa/server/loginHandler.ts).
    """
    if examination.target.mongo_url is None:
        return ""
    rows = examination.mongo.pending_credentials(credential_token)
    error = ((rows[0].get("credential") or {}) if rows else {}).get("error") or {}
    return str(error.get("message") or error.get("reason") or "")[:300]


def _login(examination: Examination) -> Answer:
    """Does the credential yield a log-in token?"""
    made, place = visitor(examination), f"POST {examination.contract.chat.url}/api/v1/login with oauth"
    by_server = examination.contract.chat.sso == "oauth-modern"
    given = server_flow.credential(examination) if by_server else {"oauth": made.credential}
    try:
        credentials = examination.chat.login(given)
    except RocketChatError as error:
        seen = f"{error.status} {error.code} {error.second_factor or ''}".strip()
        if error.second_factor:
            fix = "e-mail 2FA refuses OAuth log-ins: Accounts_TwoFactorAuthentication_Enabled = false"
            where = examination.where("Accounts_TwoFactorAuthentication_Enabled", place)
            return Findings((finding("sso.login.second_factor", seen, "a token", where, advice=(fix,)),))
        if "limit-reached" in error.code:
            return Findings((_no_seat(seen, place),))
        if error.status == 429 or error.code == "too-many-requests":
            return Findings((_too_many(examination, error.status == 429, seen, place),))
        fix = "merge_users and merge_users_distinct_services adopt an account; read Rocket.Chat's log"
        return Findings((finding("sso.login.refused", seen, "a token", place, advice=(fix,)),))
    made.chat_user_id, made.chat_token = credentials.user_id, examination.secret(credentials.token)
    return Ok("a token")


def _too_many(examination: Examination, by_rest: bool, seen: str, place: str) -> Finding:
    """Two limits refuse a log-in: REST's own, which is a setting, and Meteor's, which is none.

    REST answers 429, `error-too-many-requests`, and names the seconds to wait; Meteor's rule answers 200 with
    `too-many-requests` (measured on 6.13.0). Provisioning signs in once, so it wants the same minute's rest.
    """
    code = "sso.login.rate_limited"
    if not by_rest:
        fix = "Wait ten seconds: Meteor allows five log-ins in that time from one address, whatever is set."
        return finding(code, seen, "a token", place, advice=(fix,))
    wanted, set_to = examination.contract.settings.get(_LIMIT), examination.effective.get(_LIMIT)
    fix = f"Wait a minute: {_LIMIT} is {set_to!r}, and counts log-ins too."
    lower = isinstance(set_to, int | float) and isinstance(wanted, int) and set_to < wanted
    commands = (examination.provision_command,) if lower else ()
    where = examination.where(_LIMIT, place)
    return finding(code, seen, "a token", where, commands=commands, advice=(fix,))


def _no_seat(seen: str, place: str) -> Finding:
    """`error-license-user-limit-reached`, of a first log-in (app/authentication/server/startup/index.js)."""
    fix = (
        "The licence has no seat left for somebody new. "
        "Deactivate accounts in Administration → Users, or get more seats."
    )
    return finding("sso.login.seats", seen, "a token", place, advice=(fix,))


@check("sso.session", codes="other_user twins not_linked", needs=["sso.login"])
def session(examination: Examination) -> Answer:
    """Does the token belong to this user, linked to this user of the site, once?"""
    made = visitor(examination)
    client = examination.chat.as_user(Credentials(made.chat_user_id, made.chat_token))
    username = client.me().get("username")
    place = f"GET {examination.contract.chat.url}/api/v1/me"
    if username != made.username:
        seen, fix = f"me is {username!r}", "look at username_field and key_field"
        return Findings((finding("sso.session.other_user", seen, made.username, place, advice=(fix,)),))
    if examination.target.mongo_url is None:
        return Ok(f"me is {username}")
    accounts = examination.mongo.users_named(made.username)
    if len(accounts) != 1:
        fix = "merging made a second account: see merge_users"
        seen = f"{len(accounts)} accounts named {made.username}"
        return Findings((finding("sso.session.twins", seen, "one", "users", advice=(fix,)),))
    service = examination.contract.provider.name
    link = ((accounts[0].get("services") or {}).get(service) or {}).get("id")
    if made.steady and link != made.identity.get("id"):
        place = f"users, {made.username}, services.{service}.id"
        fix = "the log-in did not come from the site: look for another service of this name"
        return Findings(
            (
                finding(
                    "sso.session.not_linked", repr(link), repr(made.identity.get("id")), place, advice=(fix,)
                ),
            )
        )
    return Ok(f"me is {username}, services.{service}.id is the site's")


@check(
    "sso.rooms",
    codes="no_default too_many",
    needs=["sso.session"],
    after=["rooms.default", "rooms.exist", "rooms.members"],
)
def new_account(examination: Examination) -> Answer:
    """Is a new account in the default room and in no other, a canonical one in its own?"""
    made = visitor(examination)
    client = examination.chat.as_user(Credentials(made.chat_user_id, made.chat_token))
    seen = {str(row.get("name")) for row in client.get("subscriptions.get")["update"]}
    wanted = set(made.rooms)
    if seen == wanted:
        return Ok(", ".join(sorted(seen)))
    known = {channel.name for channel in examination.contract.channels}
    extra = sorted((seen - wanted) & known)
    found = []
    place = f"memberships of {made.username}"
    if not wanted <= seen:
        fix = "mark the room default: it is joined at account creation, never later"
        found.append(
            finding("sso.rooms.no_default", str(sorted(seen)), str(sorted(wanted)), place, advice=(fix,))
        )
    if extra:
        fix = "take the default mark off these rooms, and look for a page that subscribes its visitors"
        found.append(finding("sso.rooms.too_many", str(extra), str(sorted(wanted)), place, advice=(fix,)))
    return answer(found, evidence=", ".join(sorted(seen)))


def checks(contract: Contract) -> tuple[Check, ...]:
    """Rocket.Chat's hops; a setting of the contract that would refuse the log-in comes first."""
    refusing = (f"setting.{one}" for one in contract.settings if one.startswith("Accounts_TwoFactor"))
    login = check(
        "sso.login",
        codes="second_factor rate_limited seats refused",
        needs=["sso.callback"],
        after=(*refusing, "iframe.new_accounts"),
    )
    return (callback, login(_login), session, new_account)
