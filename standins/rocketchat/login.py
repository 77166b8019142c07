"""Log-in: the handlers, the order of checks, and the error that comes out, by version.

Handlers after Meteor's `accounts-base`, `accounts-password` and `accounts-oauth`; the checks after
`app/authentication/server/startup/index.js` and `lib/restrictLoginAttempts.ts`. Since 7.0 (PR #32159)
every Meteor.Error of a handler becomes 401 "User not found"; what is no Meteor.Error passes as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from standins.rocketchat.accounts import exactly, find_user, me_view
from standins.rocketchat.documents import hash_token, random_id
from standins.rocketchat.envelope import PlainError, answer, message_of
from standins.rocketchat.oauth.credentials import login_by_access_token, login_by_credential
from standins.rocketchat.passwords import digest_of, matches, password_hash
from standins.rocketchat.registry import Call, Document, RocketError, method, route
from standins.rocketchat.sessions import (
    TOKENS,
    expires_at,
    is_expired,
    issue_token,
    remove_tokens,
    token_entry,
)
from standins.rocketchat.twofactor import check_second_factor

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

_BLOCK = "Block_Multiple_Failed_Logins_"
_UNCOUNTED = ("totp-required", "error-login-blocked-for-user")


@dataclass
class Attempt:
    """What a handler made of the options: the user, or why not."""

    kind: str
    user: Document | None = None
    error: Exception | None = None
    token: str | None = None


async def _by_resume(server: Server, options: Document) -> Attempt:
    token = options["resume"]
    if not isinstance(token, str):
        return Attempt("resume", error=RocketError(400, "Match failed"))
    user = await server.db["users"].find_one({f"{TOKENS}.hashedToken": hash_token(token)})
    entry = token_entry(user, hash_token(token)) if user else None
    if entry is None:
        reason = "You've been logged out by the server. Please log in again."
        return Attempt("resume", error=RocketError(403, reason))
    if is_expired(server, entry):
        return Attempt("resume", user, RocketError(403, "Your session has expired. Please log in again."))
    return Attempt("resume", user, token=token)


async def _by_password(server: Server, options: Document) -> Attempt:
    who, digest = options.get("user"), digest_of(options["password"])
    named = [
        name
        for name in ("id", "username", "email")
        if isinstance(who, dict) and isinstance(who.get(name), str)
    ]
    if not isinstance(who, dict) or len(who) != 1 or not named or digest is None:
        return Attempt("password", error=RocketError(400, "Match failed"))
    field, value = {"id": "_id", "username": "username", "email": "emails.address"}[named[0]], who[named[0]]
    user = await find_user(server, **{field: value}) or await find_user(server, **{field: exactly(value)})
    if user is None:
        return Attempt("password", error=RocketError(403, "User not found"))
    stored = password_hash(user)
    if stored is None:
        return Attempt("password", user, RocketError(403, "User has no password set"))
    wrong = None if await matches(digest, stored) else RocketError(403, "Incorrect password")
    return Attempt("password", user, wrong)


async def _by_iframe(server: Server, options: Document) -> Attempt:
    """The token that iframe authentication's API gave (`app/iframe-login/server/iframe_server.ts`)."""
    user = await find_user(server, **{"services.iframe.token": str(options.get("token"))})
    return Attempt("iframe", user, None if user else RocketError("iframe-login-failed"))


async def _by_credential(server: Server, options: Document) -> Attempt:
    return Attempt(*await login_by_credential(server, options["oauth"]))


async def _by_access_token(server: Server, options: Document) -> Attempt:
    return Attempt(*await login_by_access_token(server, options))


async def _by_totp(server: Server, options: Document) -> Attempt:
    """`{totp: {code, login}}`: the inner options; the code is looked at after them."""
    inner = options["totp"].get("login") if isinstance(options["totp"], dict) else None
    inner = inner if isinstance(inner, dict) else {}
    return await _run_handlers(server, {k: v for k, v in inner.items() if k != "totp"})


_HANDLERS = {
    "resume": _by_resume,
    "password": _by_password,
    "oauth": _by_credential,
    "accessToken": _by_access_token,
    "iframe": _by_iframe,
    "totp": _by_totp,
}


async def _run_handlers(server: Server, options: Document) -> Attempt:
    """The first handler that knows the options; what it raises is the attempt's error."""
    for name, handler in _HANDLERS.items():
        if options.get(name) or (name == "password" and name in options):
            try:
                return await handler(server, options)
            except (RocketError, PlainError) as error:
                return Attempt(name, error=error)
    return Attempt("unknown", error=RocketError(400, "Unrecognized options for login request"))


async def _is_blocked(
    server: Server, query: Document, since: datetime | None, calls: str, minutes: str
) -> bool:
    """Whether failures since the last success reach the limit and the last one is recent."""
    limit, wait = server.settings.get(_BLOCK + calls), server.settings.get(_BLOCK + minutes)
    events = server.db["rocketchat_server_events"]
    wanted = {"t": "failed-login-attempt", **query} | ({"ts": {"$gte": since}} if since else {})
    times = sorted([event["ts"] async for event in events.find(wanted, {"ts": 1})])
    if not isinstance(limit, int) or not times or len(times) < limit:
        return False
    return server.clock.now() < times[-1] + timedelta(minutes=float(wait or 0))


async def _check_blocks(server: Server, attempt: Attempt, username: str | None, address: str) -> None:
    get, details = server.settings.get, {"function": "Accounts.validateLoginAttempt"}
    if not get(_BLOCK + "Enabled"):
        return
    events, exempt = server.db["rocketchat_server_events"], str(get(_BLOCK + "Ip_Whitelist")).split(",")
    if get(_BLOCK + "By_Ip") and address not in exempt:
        last = await events.find_one({"t": "login", "ip": address}, sort=[("ts", -1)])
        names = ("Attempts_Until_Block_By_Ip", "Time_To_Unblock_By_Ip_In_Minutes")
        if await _is_blocked(server, {"ip": address}, last["ts"] if last else None, *names):
            reason = "Login has been temporarily blocked For IP"
            raise RocketError("error-login-blocked-for-ip", reason, details)
    user = attempt.user or (await find_user(server, username=username) if username else None)
    if get(_BLOCK + "By_User") and user is not None and user.get("username"):
        names = ("Attempts_Until_Block_by_User", "Time_To_Unblock_By_User_In_Minutes")
        if await _is_blocked(server, {"u.username": user["username"]}, user.get("lastLogin"), *names):
            reason = "Login has been temporarily blocked For User"
            raise RocketError("error-login-blocked-for-user", reason, details)


def _check_user(server: Server, attempt: Attempt, user: Document) -> None:
    details = {"function": "Accounts.validateLoginAttempt"}
    if user.get("type") == "app":
        raise RocketError(
            "error-app-user-is-not-allowed-to-login", "App user is not allowed to login", details
        )
    if not user.get("active"):
        raise RocketError("error-user-is-not-activated", "User is not activated", details)
    if not isinstance(user.get("roles"), list):
        raise RocketError("error-user-has-no-roles", "User has no roles", details)
    strict = attempt.kind == "password" and server.settings.get("Accounts_EmailVerification") is True
    if (
        strict
        and "admin" not in user["roles"]
        and not any(e.get("verified") for e in user.get("emails") or [])
    ):
        raise RocketError("error-invalid-email", "Invalid email __email__")


async def _record(
    server: Server, kind: str, address: str, user: Document | None, username: str | None
) -> None:
    who = {"_id": user["_id"], "username": user.get("username")} if user else {"username": username}
    event = {"_id": random_id(), "ip": address, "t": kind, "ts": server.clock.now(), "u": who}
    await server.db["rocketchat_server_events"].insert_one(event)


def _username_in(options: Document) -> str | None:
    inner = options.get("totp", {}).get("login") if isinstance(options.get("totp"), dict) else None
    who = (inner if isinstance(inner, dict) else options).get("user")
    name = who.get("username") if isinstance(who, dict) else None
    return name if isinstance(name, str) else None


async def _validated(call: Call, attempt: Attempt, options: Document) -> Document:
    """The user of an attempt that passes every check, in Rocket.Chat's order; raises what refused it."""
    server = call.server
    await _check_blocks(server, attempt, _username_in(options), call.address)
    if attempt.error is not None or attempt.user is None:
        raise attempt.error or RocketError(403, "Login forbidden")
    _check_user(server, attempt, attempt.user)
    if attempt.kind != "resume":
        totp = options.get("totp")
        await check_second_factor(server, attempt.user, totp.get("code") if isinstance(totp, dict) else None)
    return attempt.user


async def login(call: Call, options: Any) -> Document:
    """Sign in: `{id, token, tokenExpires, type}`. Sets the call's user and token.

    Raises RocketError, or PlainError for what went wrong between the server and a provider.
    """
    server, db = call.server, call.server.db
    options = options if isinstance(options, dict) else {}
    attempt = await _run_handlers(server, options)
    if server.config.since(7) and isinstance(attempt.error, RocketError):
        attempt.error = RocketError(401, "User not found")
    counted = server.settings.get(_BLOCK + "Enabled")
    try:
        user = await _validated(call, attempt, options)
    except RocketError as error:
        if counted and error.code not in _UNCOUNTED:
            await _record(server, "failed-login-attempt", call.address, attempt.user, _username_in(options))
        raise
    now = server.clock.now()
    await db["users"].update_one({"_id": user["_id"]}, {"$set": {"lastLogin": now}})
    if attempt.token is not None:
        token, entry = attempt.token, token_entry(user, hash_token(attempt.token)) or {}
    else:
        token, entry = await issue_token(server, user)
        if counted:
            await _record(server, "login", call.address, user, None)
    call.user, call.token_hash = user, hash_token(token)
    expires = expires_at(server, entry.get("when") or now)
    return {"id": user["_id"], "token": token, "tokenExpires": expires, "type": attempt.kind}


def _compatible(body: Document, code: str | None) -> Document:
    """REST's log-in fields as Meteor's options; anything unusual goes through as it is."""
    password = body.get("password")
    if password is None or set(body) - {"user", "username", "email", "password", "code"}:
        return body
    name = body.get("user")
    if isinstance(name, str):
        who = {"email" if "@" in name else "username": name}
    elif body.get("username"):
        who = {"username": body["username"]}
    elif body.get("email"):
        who = {"email": body["email"]}
    else:
        return body
    options = {"user": who, "password": password}
    code = body.get("code") or code
    return {"totp": {"code": code, "login": options}} if code else options


@route("login", "POST", auth=False)
async def rest_login(call: Call) -> Any:
    """POST /api/v1/login; an envelope of its own, for success and for refusal."""
    since_hono = call.server.config.since(7, 6)
    try:
        session = await login(call, _compatible(call.body, call.headers.get("x-2fa-code")))
    except (RocketError, PlainError) as error:
        code, reason, details = None, str(error), None
        if isinstance(error, RocketError):
            code, reason, details = error.code, error.reason or message_of(error), error.details
        if reason == "User not found":
            code = reason = "Unauthorized"
        body = {"status": "error", "error": code, "details": details, "message": reason}
        body = {name: value for name, value in body.items() if value is not None}
        return answer(body | ({"success": False} if since_hono else {}), 401)
    user = await call.server.db["users"].find_one({"_id": session["id"]})
    data = {"userId": session["id"], "authToken": session["token"], "me": me_view(call.server, user or {})}
    return answer({"status": "success", "data": data} | ({"success": True} if since_hono else {}))


@route("logout", "POST", "GET")
async def rest_logout(call: Call) -> Any:
    await logout(call)
    body = {"status": "success", "data": {"message": "You've been logged out!"}}
    return answer(body | ({"success": True} if call.server.config.since(7, 6) else {}))


@method("login", anonymous=True)
async def login_method(call: Call, options: Any = None, *_: Any) -> Document:
    return await login(call, options)


@method("logout", anonymous=True)
async def logout(call: Call, *_: Any) -> None:
    """End the session of this call; its token is worthless afterwards."""
    if call.user is not None and call.token_hash is not None:
        await remove_tokens(call.server, call.uid, call.token_hash)
    call.user = call.token_hash = None


@method("logoutCleanUp", anonymous=True)
async def logout_clean_up(call: Call, *_: Any) -> None:
    """What the web client calls after a log-out; only hooks of others run there."""


@method("logoutOtherClients")
async def logout_other_clients(call: Call, *_: Any) -> None:
    await remove_tokens(call.server, call.uid, {"$ne": call.token_hash})
