"""The second factor of privileged calls and of log-ins (`app/2fa/server/code/index.ts`).

Codes by e-mail are generated and stored, but nothing is sent: the stand-in has no mail. TOTP is asked of who
has it in Mongo; enrolling is not offered.
"""

import hashlib
import json
import re
import secrets
from datetime import timedelta
from typing import Any

from standins.rocketchat.documents import Document
from standins.rocketchat.errors import RocketError
from standins.rocketchat.passwords import hash_secret, matches, password_hash, totp_matches
from standins.rocketchat.registry import Call
from standins.rocketchat.server import Server
from standins.rocketchat.sessions import TOKENS, token_entry

_PREFIX = "Accounts_TwoFactorAuthentication_"
_OWN_SERVICES = "password resume email email2fa emailCode totp cloud iframe loginToken".split()


def is_oauth_user(user: Document) -> bool:
    """Whether an external service knows the user."""
    return any(name not in _OWN_SERVICES for name in user.get("services", {}))


def _number(server: Server, name: str, default: int) -> int:
    value = server.settings.get(_PREFIX + name)
    return int(value) if str(value).isdecimal() else default


def verified_emails(user: Document) -> list[str]:
    return [email["address"] for email in user.get("emails") or [] if email.get("verified")]


def available_methods(server: Server, user: Document) -> list[str]:
    """The user's own methods, in the order they are asked for: totp, email."""
    services, get = user.get("services", {}), server.settings.get
    by_totp = get(_PREFIX + "By_TOTP_Enabled") and services.get("totp", {}).get("enabled")
    by_email = get(_PREFIX + "By_Email_Enabled") and services.get("email2fa", {}).get("enabled")
    # The setting exists since 7.0 (PR #32945); before that OAuth users were never exempt.
    for_oauth = get("Accounts_twoFactorAuthentication_email_available_for_OAuth_users")
    exempt = server.config.since(7) and not for_oauth and is_oauth_user(user)
    mailed = by_email and not exempt and verified_emails(user)
    return ["totp"] * bool(by_totp) + ["email"] * bool(mailed)


def _fingerprint(call: Call) -> str:
    data = {"userAgent": call.headers.get("user-agent"), "clientAddress": call.address}
    return hashlib.md5(json.dumps(data, separators=(",", ":")).encode()).hexdigest()  # noqa: S324


def _is_remembered(call: Call, user: Document) -> bool:
    entry, now = token_entry(user, call.token_hash), call.server.now()
    if entry is None:
        return False
    remember = timedelta(seconds=_number(call.server, "RememberFor", 1800))
    young = remember and "createdAt" in user and user["createdAt"] + remember >= now
    until = entry.get("twoFactorAuthorizedUntil")
    known = until is not None and until >= now and entry.get("twoFactorAuthorizedHash") == _fingerprint(call)
    return entry.get("bypassTwoFactor") is True or bool(young) or known


async def _generate_email_code(server: Server, user: Document) -> Document:
    stored, now = user["services"].get("emailCode") or {}, server.now()
    answer: Document = {"emailOrUsername": user.get("username") or verified_emails(user)[0]}
    if stored.get("expire") and stored["expire"] > now - timedelta(minutes=5):
        return answer | {"codeGenerated": False, "codeExpires": stored["expire"]}
    code = "".join(secrets.choice("0123456789") for _ in range(6))
    expire = now + timedelta(seconds=_number(server, "By_Email_Code_Expiration", 3600))
    fresh = {"code": await hash_secret(code), "attempts": 0, "expire": expire}
    await server.users.update_one({"_id": user["_id"]}, {"$set": {"services.emailCode": fresh}})
    return {"codeGenerated": True} | answer


async def _email_code_matches(server: Server, user: Document, code: str) -> bool:
    stored, field = user["services"].get("emailCode") or {}, "services.emailCode"
    if "code" not in stored or stored["expire"] < server.now():
        return False
    right = await matches(re.sub(r"\D", "", code), stored["code"])
    change: Document = {"$unset": {field: 1}} if right else {"$inc": {f"{field}.attempts": 1}}
    await server.users.update_one({"_id": user["_id"]}, change)
    return right


async def _verify(server: Server, user: Document, method: str, code: str) -> bool:
    if method == "password":
        return await matches(code.lower(), password_hash(user))
    if method not in available_methods(server, user):
        return False
    if method == "email":
        return await _email_code_matches(server, user, code)
    secret = user["services"]["totp"].get("secret") or ""
    return totp_matches(secret, code, server.now(), _number(server, "MaxDelta", 1))


async def check_second_factor(
    server: Server, user: Document, code: Any, method: Any = None, *, call: Call | None = None
) -> None:
    """Pass, or raise RocketError `totp-required`, `totp-invalid` or `totp-max-attempts`.

    With `call` (a privileged call) the age of the user, a remembered token and the password fallback count.
    Without it (a log-in) none of them does.
    """
    if server.config.test_mode or not server.settings.get(_PREFIX + "Enabled"):
        return
    if call is not None and _is_remembered(call, user):
        return
    own = available_methods(server, user)
    fallback = call and server.settings.get(_PREFIX + "Enforce_Password_Fallback") and password_hash(user)
    chosen = method if method in ("totp", "email") else next(iter(own), "password" if fallback else None)
    if chosen is None:
        return
    generated: Document = {"codeGenerated": False}
    if chosen == "email" and verified_emails(user):
        generated = await _generate_email_code(server, user)
    details = {"method": chosen} | generated | {"availableMethods": own}
    if not code:
        raise RocketError("totp-required", "TOTP Required", details)
    if not await _verify(server, user, chosen, str(code)):
        attempts = (user["services"].get("emailCode") or {}).get("attempts", 0)
        if chosen == "email" and attempts >= _number(server, "Max_Invalid_Email_Code_Attempts", 5):
            raise RocketError("totp-max-attempts", "TOTP Maximun Failed Attempts Reached", details)
        raise RocketError("totp-invalid", "TOTP Invalid", details)
    remember = _number(server, "RememberFor", 1800)
    if call is not None and call.token_hash and remember:
        until = server.now() + timedelta(seconds=remember)
        fields = {"twoFactorAuthorizedHash": _fingerprint(call), "twoFactorAuthorizedUntil": until}
        mine = {"_id": user["_id"], f"{TOKENS}.hashedToken": call.token_hash}
        change = {f"{TOKENS}.$.{name}": value for name, value in fields.items()}
        await server.users.update_one(mine, {"$set": change})
