"""Log-in: the handlers, the order of checks, and the error that comes out, by version.

Handlers after Meteor's `accounts-base`, `accounts-password` and `accounts-oauth`; the checks after
`app/authentication/server/startup/index.js` and `lib/restrictLoginAttempts.ts`. Since 7.0 (PR #32159) every
Meteor.Error of a handler becomes 401 "User not found". What is no Meteor.Error passes as it is.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from standins.rocketchat.accounts import exactly, find_user, me_view
from standins.rocketchat.documents import Document, hash_token, random_id, user_ref
from standins.rocketchat.envelope import answer
from standins.rocketchat.errors import PlainError, RocketError, match, message_of
from standins.rocketchat.oauth.credentials import login_by_access_token, login_by_credential
from standins.rocketchat.passwords import digest_of, matches, password_hash
from standins.rocketchat.registry import Call, method, route
from standins.rocketchat.server import Server
from standins.rocketchat.sessions import (
    TOKENS,
    end_sessions,
    expires_at,
    is_expired,
    issue_token,
    remove_tokens,
    token_entry,
)
from standins.rocketchat.twofactor import check_second_factor, verified_emails

_BLOCK = "Block_Multiple_Failed_Logins_"
_UNCOUNTED = ("totp-required", "error-login-blocked-for-user")
_DETAILS = {"function": "Accounts.validateLoginAttempt"}
_LOGGED_OUT = "You've been logged out by the server. Please log in again."
_EXPIRED = "Your session has expired. Please log in again."
_PASSWORD_FIELDS = {"id": "_id", "username": "username", "email": "emails.address"}


@dataclass
class Attempt:
    """What a handler made of the options: the user, or why not."""

    kind: str
    user: Document | None = None
    error: Exception | None = None
    token: str | None = None


async def _by_resume(server: Server, options: Document) -> Attempt:
    token = options["resume"]
    match((token, str))
    user = await server.users.find_one({f"{TOKENS}.hashedToken": hash_token(token)})
    entry = token_entry(user, hash_token(token))
    if entry is None:
        raise RocketError(403, _LOGGED_OUT)
    return Attempt("resume", user, RocketError(403, _EXPIRED) if is_expired(server, entry) else None, token)


async def _by_password(server: Server, options: Document) -> Attempt:
    who, digest = options.get("user"), digest_of(options["password"])
    name, value = next(iter(who.items())) if isinstance(who, dict) and len(who) == 1 else ("", None)
    if name not in _PASSWORD_FIELDS or not isinstance(value, str) or digest is None:
        raise RocketError(400, "Match failed")
    field = _PASSWORD_FIELDS[name]
    user = await find_user(server, **{field: value}) or await find_user(server, **{field: exactly(value)})
    if user is None:
        raise RocketError(403, "User not found")
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


async def _by_login_code(server: Server, options: Document) -> Attempt:
    """A code of the server-side flow (oauth/modern.py); each is good once."""
    user = await find_user(server, _id=server.login_codes.pop(str(options["loginCode"]), None))
    return Attempt("loginCode", user, None if user else RocketError(403, "Login code not found"))


async def _by_access_token(server: Server, options: Document) -> Attempt:
    return Attempt(*await login_by_access_token(server, options))


async def _by_totp(server: Server, options: Document) -> Attempt:
    """`{totp: {code, login}}`: the inner options; the code is looked at after them."""
    return await _run_handlers(server, {k: v for k, v in _inner(options).items() if k != "totp"})


_HANDLERS = {
    "resume": _by_resume,
    "password": _by_password,
    "oauth": _by_credential,
    "accessToken": _by_access_token,
    "iframe": _by_iframe,
    "loginCode": _by_login_code,
    "totp": _by_totp,
}


def _inner(options: Document) -> Document:
    """The options inside `totp`, or those given."""
    totp = options.get("totp")
    inner = totp.get("login") if isinstance(totp, dict) else options
    return inner if isinstance(inner, dict) else {}


async def _run_handlers(server: Server, options: Document) -> Attempt:
    """The first handler that knows the options; what it raises is the attempt's error."""
    for name, handler in _HANDLERS.items():
        if options.get(name) or (name == "password" and name in options):
            try:
                return await handler(server, options)
            except (RocketError, PlainError) as error:
                return Attempt(name, error=error)
    return Attempt("unknown", error=RocketError(400, "Unrecognized options for login request"))


async def _is_blocked(server: Server, whose: Document, calls: str, minutes: str) -> bool:
    """Whether the failures of the last minutes, since the last success, reach the limit."""
    limit, wait = server.settings.get(_BLOCK + calls), server.settings.get(_BLOCK + minutes)
    if not isinstance(limit, int) or not limit:
        return False
    since = server.now() - timedelta(minutes=float(wait or 0))
    success = await server.events.find_one({"t": "login", **whose}, sort=[("ts", -1)])
    if success:
        since = max(since, success["ts"])
    failures = {"t": "failed-login-attempt", **whose, "ts": {"$gte": since}}
    return await server.events.count_documents(failures) >= limit


async def _check_blocks(server: Server, username: str | None, address: str) -> None:
    """Refuse an address or a name with too many failures (restrictLoginAttempts.ts, 6.5.3).

    A name counts only where it was typed: SSO is let in all the same (seen on a running 6.5.3).
    """
    get = server.settings.get
    if not get(_BLOCK + "Enabled"):
        return
    if get(_BLOCK + "By_Ip") and address not in str(get(_BLOCK + "Ip_Whitelist")).split(","):
        names = ("Attempts_Until_Block_By_Ip", "Time_To_Unblock_By_Ip_In_Minutes")
        if await _is_blocked(server, {"ip": address}, *names):
            reason = "Login has been temporarily blocked For IP"
            raise RocketError("error-login-blocked-for-ip", reason, _DETAILS)
    if get(_BLOCK + "By_User") and username:
        names = ("Attempts_Until_Block_by_User", "Time_To_Unblock_By_User_In_Minutes")
        if await _is_blocked(server, {"u.username": username}, *names):
            reason = "Login has been temporarily blocked For User"
            raise RocketError("error-login-blocked-for-user", reason, _DETAILS)


def _check_user(server: Server, attempt: Attempt, user: Document) -> None:
    if user.get("type") == "app":
        reason = "App user is not allowed to login"
        raise RocketError("error-app-user-is-not-allowed-to-login", reason, _DETAILS)
    if not user.get("active"):
        raise RocketError("error-user-is-not-activated", "User is not activated", _DETAILS)
    if not isinstance(user.get("roles"), list):
        raise RocketError("error-user-has-no-roles", "User has no roles", _DETAILS)
    strict = attempt.kind == "password" and server.settings.get("Accounts_EmailVerification") is True
    if strict and "admin" not in user["roles"] and not verified_emails(user):
        raise RocketError("error-invalid-email", "Invalid email __email__")


async def _record(server: Server, kind: str, address: str, who: Document) -> None:
    event = {"_id": random_id(), "ip": address, "t": kind, "ts": server.now(), "u": who}
    await server.events.insert_one(event)


def _username_in(options: Document) -> str | None:
    who = _inner(options).get("user")
    name = who.get("username") if isinstance(who, dict) else None
    return name if isinstance(name, str) else None


async def _validated(call: Call, attempt: Attempt, options: Document) -> Document:
    """The user of an attempt that passes every check, in Rocket.Chat's order; raises what refused it."""
    server = call.server
    await _check_blocks(server, _username_in(options), call.address)
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
    server, options = call.server, options if isinstance(options, dict) else {}
    attempt = await _run_handlers(server, options)
    if server.config.since(7) and isinstance(attempt.error, RocketError):
        attempt.error = RocketError(401, "User not found")
    counted = server.settings.get(_BLOCK + "Enabled")
    try:
        user = await _validated(call, attempt, options)
    except RocketError as error:
        if counted and error.code not in _UNCOUNTED:
            who = user_ref(attempt.user or {"username": _username_in(options)})
            await _record(server, "failed-login-attempt", call.address, who)
        raise
    now = server.now()
    await server.users.update_one({"_id": user["_id"]}, {"$set": {"lastLogin": now}})
    if attempt.token is not None:
        token, entry = attempt.token, token_entry(user, hash_token(attempt.token)) or {}
    else:
        token, entry = await issue_token(server, user)
        if counted:
            await _record(server, "login", call.address, user_ref(user))
    call.user, call.token_hash = user, hash_token(token)
    expires = expires_at(server, entry.get("when") or now)
    return {"id": user["_id"], "token": token, "tokenExpires": expires, "type": attempt.kind}


def _compatible(body: Document, code: str | None) -> Document:
    """REST's log-in fields as Meteor's options; anything unusual goes through as it is."""
    password, name = body.get("password"), body.get("user")
    if password is None or set(body) - {"user", "username", "email", "password", "code"}:
        return body
    if isinstance(name, str):
        who = {"email" if "@" in name else "username": name}
    else:
        who = next(({key: body[key]} for key in ("username", "email") if body.get(key)), {})
    if not who:
        return body
    options, code = {"user": who, "password": password}, body.get("code") or code
    return {"totp": {"code": code, "login": options}} if code else options


@route("login", "POST", auth=False)
async def rest_login(call: Call) -> Response:
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
    user = await find_user(call.server, _id=session["id"]) or {}
    data = {"userId": session["id"], "authToken": session["token"], "me": me_view(call.server, user)}
    return answer({"status": "success", "data": data} | ({"success": True} if since_hono else {}))


@route("logout", "POST", "GET")
async def rest_logout(call: Call) -> Response:
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


@method("logoutOtherClients")
async def logout_other_clients(call: Call, *_: Any) -> None:
    await end_sessions(call.server, call.me, call.token_hash)
