"""Layer `services`, Rocket.Chat: does it answer, in which version, and to its administrator?"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

import requests

from besedka import address, http, second_ask
from besedka.checks import bursts, calls
from besedka.checks.check import Check, check
from besedka.checks.examination import (
    LOOP_ADVICE,
    NO_BODY,
    TIMEOUT_SECONDS,
    Examination,
    QueryLostError,
    gateway,
    redirected,
)
from besedka.checks.finding import Answer, Finding, Findings, Ok, Severity, answer, finding
from besedka.checks.moved import to_another
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.look_alikes import with_reason
from besedka.rocketchat import known_defects
from besedka.rocketchat.catalogue import UnknownVersionError
from besedka.rocketchat.rest import NotRocketChatError, RocketChatError, TlsError
from besedka.stacks import versions

_STARTING = {502, 503, 504}
# Rocket.Chat's own limit does not count them (measured on 6.13.0).
_REQUESTS = 24

_NO_METHOD = "doctor:nothing"
_CALL = f"/api/v1/method.callAnon/{quote(_NO_METHOD)}"
_BLOCKED_NAME = "too many failures: wait five minutes (Block_Multiple_Failed_Logins_Enabled)"
_BLOCKED_ADDRESS = (
    "Too many log-ins failed from this address, and now none is taken from it, SSO included: wait five "
    "minutes. Behind a proxy everybody has its address: set HTTP_FORWARDED_COUNT=1 in Rocket.Chat's "
    "environment, or put it on the list Block_Multiple_Failed_Logins_Ip_Whitelist."
)


@check(
    "services.chat",
    codes="tls loop gate redirected starting not_json slow unanswered refused limited one_gone",
    after=["services.mongo", "services.certificate"],
)
def chat(examination: Examination) -> Answer:
    """Does Rocket.Chat answer with its version?"""
    try:
        version = examination.info["version"]
    except (ServiceUnreachableError, KeyError) as error:
        return Findings((_chat_silence(examination, error),))
    asked = f"{examination.contract.chat.url}/api/info"
    seen = bursts.statuses(lambda: http.get(asked, timeout=TIMEOUT_SECONDS, allow_redirects=False), _REQUESTS)
    return answer(bursts.uneven("services.chat", seen, f"GET {asked}"), evidence=f"Rocket.Chat {version}")


def _chat_silence(examination: Examination, error: Exception) -> Finding:
    place = f"GET {examination.contract.chat.url}/api/info"
    expected = "200 with Rocket.Chat's JSON and its version"

    def silence(code: str, seen: str, fix: str) -> Finding:
        return finding(f"services.chat.{code}", seen, expected, place, advice=(fix,))

    if isinstance(error, TlsError):
        return silence("tls", error.found, error.next_step)
    if isinstance(error, RocketChatError | NotRocketChatError) and error.status in _STARTING:
        seen = f"a proxy answers {error.status}: Rocket.Chat behind it is starting or gone"
        return silence("starting", seen, "wait for SERVER RUNNING in Rocket.Chat's log")
    if gate := _led_away(examination):
        return finding("services.chat.gate", gate[0], expected, place, advice=gate[1])
    if isinstance(error, NotRocketChatError):
        return silence("not_json", error.found, error.next_step)
    if isinstance(error.__cause__, requests.RequestException):
        return _no_answer(examination, error.__cause__, silence)
    return silence("refused", str(error), "read Rocket.Chat's log")


def _first_answer(examination: Examination) -> tuple[int, str]:
    """What the chat's address answers before any redirect is followed: its status, and where it leads."""
    asked = f"{examination.contract.chat.url}/api/info"
    with suppress(requests.RequestException):
        answered = http.get(asked, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        return answered.status_code, answered.headers.get("Location", "")
    return 0, ""


def _led_away(examination: Examination) -> tuple[str, tuple[str, ...]] | None:
    """The sight and the advice where the chat's address leads to another machine; None where it does not."""
    status, target = _first_answer(examination)
    fix = to_another(target, f"{examination.contract.chat.url}/api/info")
    return (f"{status} to {target}", fix) if fix else None


def _moved(examination: Examination) -> tuple[str, str] | None:
    """Where the chat's address leads, and what to do; None where it leads nowhere. Nobody answers there."""
    status, target = _first_answer(examination)
    if fix := redirected(status, target, f"{examination.contract.chat.url}/api/info"):
        return f"{status} to {target}, where nobody answers", " ".join(fix)
    return None


def _no_answer(
    examination: Examination, why: requests.RequestException, silence: Callable[[str, str, str], Finding]
) -> Finding:
    if isinstance(why, requests.Timeout):
        seen = f"connected, but no answer within {TIMEOUT_SECONDS * second_ask.LONGER:g} s"
        fix = "is it still starting (up to five minutes at the first boot), or overloaded? See its log."
        return silence("slow", seen, fix)
    if isinstance(why, requests.TooManyRedirects):
        return silence("loop", "it redirects for ever", " ".join(LOOP_ADVICE))
    if moved := _moved(examination):
        return silence("redirected", *moved)
    start = examination.compose("up -d rocketchat")
    advice = ("Start Rocket.Chat. The embedded stack is started by: python3 run.py up", *start["advice"])
    found = silence("unanswered", f"nobody answers: {http.silence(why)}", "")
    return replace(found, commands=start["commands"], advice=advice)


@check("services.chat_version", codes="unknown", needs=["services.chat"])
def chat_version(examination: Examination) -> Answer:
    """Is it a version that the settings registry knows?"""
    seen = str(examination.info["version"])
    place = f"{examination.contract.chat.url}/api/info"
    try:
        known = examination.catalogue
    except UnknownVersionError as error:
        return Findings(
            (
                finding(
                    "services.chat_version.unknown",
                    error.found,
                    error.expected,
                    place,
                    advice=(error.next_step,),
                ),
            )
        )
    return Ok(f"{seen}, registry of {known.version}")


@check("services.contract_version", codes="differs", needs=["services.chat_version"])
def contract_version(examination: Examination) -> Answer:
    """Is it the version that the contract targets?"""
    seen, wanted = str(examination.info["version"]), examination.contract.chat.version
    if wanted is None or not versions.unlike(examination.contract, seen):
        return Ok(f"{seen}, {wanted or 'and the contract names none'}", watched=("chat.version",))
    fix = (
        f"pin rocketchat/rocket.chat:{wanted}, change [chat] version in besedka.toml, or leave it out there "
        "to take whatever runs"
    )
    place = f"{examination.contract.chat.url}/api/info"
    code = "services.contract_version.differs"
    return Findings(
        (finding(code, f"Rocket.Chat {seen}", wanted, place, advice=(fix,), severity=Severity.NOTE),)
    )


@check("services.chat_defects", codes="reported", needs=["services.admin"])
def chat_defects(examination: Examination) -> Answer:
    """Is it a version whose own client is not known to break an embedded chat?"""
    # Nobody but an administrator is told the last number.
    version = str(examination.admin.info()["version"])
    place = f"{examination.contract.chat.url}/api/info"
    found = [
        finding(
            "services.chat_defects.reported",
            f"Rocket.Chat {version}: {defect.seen}",
            f"{'.'.join(map(str, defect.later))} or later",
            place,
            advice=(
                "No setting helps: take another release. Users reported it: "
                f"https://github.com/RocketChat/Rocket.Chat/issues/{defect.issue}",
            ),
            severity=Severity.RISK,
        )
        for defect in known_defects.of(version, examination.contract)
    ]
    return answer(found, evidence=version)


@check(
    "services.mongo_version",
    codes="unsupported",
    needs=["services.mongo", "services.chat_version"],
)
def mongo_version(examination: Examination) -> Answer:
    """Is MongoDB of a version that the targeted Rocket.Chat supports?"""
    supported = examination.catalogue.mongo
    version = examination.mongo.server_version()
    if any(version.startswith(f"{known}.") for known in supported):
        return Ok(version)
    return Findings(
        (
            finding(
                "services.mongo_version.unsupported",
                f"MongoDB {version}",
                f"one of {', '.join(supported)} for Rocket.Chat {examination.catalogue.version}",
                examination.mongo.where,
                advice=(
                    "Pin the image of docker-compose.local.yml.",
                    "Never start an older mongod on newer data files.",
                ),
            ),
        )
    )


@check(
    "services.admin",
    codes="stopped token_lost body_lost wrong_password no_password missing totp email_code rate_limited"
    " blocked not_admin refused unread query_lost",
    needs=["services.chat_version"],
)
def admin(examination: Examination) -> Answer:
    """Can the contract's administrator sign in to Rocket.Chat?"""
    account = examination.contract.chat.admin
    place = f"POST {examination.contract.chat.url}/api/v1/login as {account.username}"
    expected = "a token and the role admin"
    try:
        roles = examination.admin.me().get("roles", [])
    except NotRocketChatError as error:
        stopped, by = "services.admin.stopped", error.where or place
        advice = gateway(error.status) or calls.ADVICE
        return Findings((finding(stopped, error.found, expected, by, advice=advice),))
    except RocketChatError as error:
        code, fix = _refusal(error)
        if code == "wrong_password" and "admin" in vars(examination):
            code = "token_lost"
            fix = (
                "In the proxy's configuration: hand X-Auth-Token and X-User-Id on to Rocket.Chat. The log-in "
                "gave a token, and the next request was nobody's."
            )
        seen = f"{error.status} {error.code} {error.second_factor or ''}".strip()
        if code == "wrong_password" and examination.target.mongo_url:
            code, seen, fix = _why_refused(examination, seen, fix)
        if code == "wrong_password" and _body_lost(examination):
            code, fix = "body_lost", NO_BODY
            seen = "the log-in arrives without name and password: a call is answered the same with its body"
        return Findings((finding(f"services.admin.{code}", seen, expected, place, advice=(fix,)),))
    examination.secret(examination.admin.credentials.token if examination.admin.credentials else "")
    if "admin" not in roles:
        fix = (
            "Have another administrator give the account the role admin. Without one, in mongosh: "
            f"db.users.updateOne({{username: '{account.username}'}}, {{$addToSet: {{roles: 'admin'}}}}). "
            "Or name another account in [chat.admin] of besedka.toml."
        )
        seen = f"roles {roles}"
        return Findings((finding("services.admin.not_admin", seen, expected, place, advice=(fix,)),))
    try:
        shown = len(examination.effective)
    except ServiceUnreachableError as error:
        return Findings((_unread(error),))
    return Ok(
        f"{account.username} has {roles} and reads {shown} settings",
        watched=("chat.admin.username", "chat.admin.password"),
    )


def _body_lost(examination: Examination) -> bool:
    """Whether a call is answered the same with what it asks and without; no call of ours is the method's."""
    asked = json.dumps({"msg": "method", "id": "1", "method": _NO_METHOD, "params": []})
    full, empty = (examination.chat_call(_CALL, **body) for body in ({"message": asked}, {}))
    return full.status_code == empty.status_code >= 400 and full.text == empty.text


def _unread(error: ServiceUnreachableError) -> Finding:
    """The administrator is in, and is not shown the settings, on which nearly every other check stands."""
    fix = (
        error.next_step
        if isinstance(error, QueryLostError)
        else (
            "A limit of calls, or a filter: API_Enable_Rate_Limiter_Limit_Calls_Default and the proxy's own "
            "limit (limit_req). Wait a minute, and read Rocket.Chat's log."
        )
    )
    kind = "query_lost" if isinstance(error, QueryLostError) else "unread"
    code, place = f"services.admin.{kind}", error.where or "GET /api/v1/settings"
    return finding(code, error.found, "the settings", place, advice=(fix,))


def _why_refused(examination: Examination, seen: str, fix: str) -> tuple[str, str, str]:
    """Code, sight and advice: to a wrong name, a wrong and no password Rocket.Chat answers 401 alike.

    A user who signs in by SSO with an unverified e-mail loses the local password (measured on 6.13.0).
    """
    username = examination.contract.chat.admin.username
    accounts = [user for user in examination.chat_users if user.get("username") == username]
    if not accounts:
        again = "ADMIN_USERNAME and ADMIN_PASS make it at the first boot alone: restore users with the rest"
        return "missing", f"no account {username}", again
    if not ((accounts[0].get("services") or {}).get("password") or {}).get("bcrypt"):
        again = (
            f"Sign in as {username} by SSO, and set the password of besedka.toml under My Account → Profile. "
            "That page asks for no old password. Or let another administrator set it."
        )
        return "no_password", f"{username} has no local password", again
    return "wrong_password", seen, fix


def _refusal(error: RocketChatError) -> tuple[str, str]:
    if error.second_factor == "email":
        return "email_code", "switch off the account's second factor by e-mail in its profile"
    if error.second_factor:
        return "totp", "switch off the account's authenticator app in its profile: a program has no code"
    if error.status == 429 or "too-many" in error.code:
        rest = "a minute" if error.retry_after is None else f"{error.retry_after:.0f} s"
        fix = f"wait {rest}, and ask again; API_Enable_Rate_Limiter_Limit_Calls_Default counts log-ins too"
        return "rate_limited", fix
    if error.code.startswith("error-login-blocked"):
        return "blocked", _BLOCKED_ADDRESS if error.code.endswith("-ip") else _BLOCKED_NAME
    if error.status == 401:
        return (
            "wrong_password",
            "is it besedka.toml's password, and is there such an account? ADMIN_PASS counts only "
            "while no administrator exists: change it in the account's profile",
        )
    return "refused", "read Rocket.Chat's log"


@check("services.same_data", codes="other", needs=["services.mongo", "services.admin"])
def same_data(examination: Examination) -> Answer:
    """Is this MongoDB the one that Rocket.Chat works on?"""
    account = examination.contract.chat.admin.username
    own_id = examination.admin.credentials.user_id if examination.admin.credentials else ""
    if any(user["_id"] == own_id for user in examination.chat_users):
        return Ok(f"{account} is {own_id} in both")
    seen = f"Rocket.Chat calls {account} {own_id}; this database has no such account"
    fix = "another MongoDB on this port, or another database: give the address that is in MONGO_URL"
    expected = "the database that Rocket.Chat works on"
    return Findings(
        (finding("services.same_data.other", seen, expected, examination.mongo.where, advice=(fix,)),)
    )


@check("services.root_url", codes="differs", needs=["services.admin"], after=["services.addresses"])
def root_url(examination: Examination) -> Answer:
    """Does Rocket.Chat believe to be where the browser finds it?"""
    expected = examination.contract.chat.url
    seen = str(examination.effective.get("Site_Url", ""))
    found = []
    # With a slash at its end the client opens rooms under a path that does not exist.
    if not address.same(seen, expected) or seen.endswith("/"):
        fix = "The stored Site_Url wins over ROOT_URL at once; Rocket.Chat makes its callback address of it."
        where = examination.where("Site_Url")
        found = [
            finding(
                "services.root_url.differs",
                with_reason(f"Site_Url is {seen!r}", seen, expected),
                expected,
                where,
                commands=(examination.provision_command,),
                advice=(fix,),
            )
        ]
    return answer(found, evidence=seen)


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (chat, chat_version, contract_version, chat_defects, mongo_version, admin, same_data, root_url)
