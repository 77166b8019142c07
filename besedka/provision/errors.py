"""What can stop provisioning: one class, one text and one exit status (40 to 59) per cause.

Causes that any client of Rocket.Chat may meet have theirs elsewhere: 15 nobody answered
(besedka/errors.py), 16 refused, 17 not Rocket.Chat's JSON, 19 TLS (besedka/rocketchat/rest.py), 32 unknown
version (besedka/rocketchat/catalogue.py).
"""

from __future__ import annotations

from besedka.errors import BesedkaError
from besedka.rocketchat.rest import RocketChatError


class WrongPasswordError(BesedkaError):
    """Rocket.Chat refused the administrator's password."""

    exit_status = 40


class AdminMissingError(BesedkaError):
    """There is no such administrator: no account of that name, or one without the role `admin`."""

    exit_status = 41


class TotpRequiredError(BesedkaError):
    """The administrator's second factor is an authenticator app, which a program cannot read."""

    exit_status = 42


class EmailCodeRequiredError(BesedkaError):
    """The administrator's second factor is a code by e-mail, which a program cannot read."""

    exit_status = 43


class RateLimitedError(BesedkaError):
    """Rocket.Chat answers 429 and goes on doing so."""

    exit_status = 44


class StillStartingError(BesedkaError):
    """Nobody answers as Rocket.Chat within the time allowed: starting, or not running."""

    exit_status = 45


class MongoNotPrimaryError(BesedkaError):
    """The MongoDB named is no writable primary, so what it shows may be old."""

    exit_status = 47


class ForbiddenTargetError(BesedkaError):
    """The target does not look like a development stack, and nobody named it by its exact host."""

    exit_status = 48


class AccountClashError(BesedkaError):
    """A canonical user's e-mail belongs to another account, so the canonical one cannot be made."""

    exit_status = 49


class LicenceMissingError(BesedkaError):
    """This Rocket.Chat allows Custom OAuth only with a licence."""

    exit_status = 50


class NotPermittedError(BesedkaError):
    """The administrator lacks a permission that Rocket.Chat gives the role `admin` by default."""

    exit_status = 51


class JournalError(BesedkaError):
    """The journal cannot be written or read; without it nothing is changed."""

    exit_status = 52


class ProviderNotLiveError(BesedkaError):
    """The provider's settings are written, but the log-in service does not show them."""

    exit_status = 53


class LoginBlockedError(BesedkaError):
    """Rocket.Chat blocks log-ins of this account or address after too many failures."""

    exit_status = 54


class ReservedNameError(BesedkaError):
    """Rocket.Chat refuses to make an account of that name, e.g. `admin`."""

    exit_status = 46


class PersonNeededError(BesedkaError):
    """Something stands in the way that only a person can decide; nothing was changed."""

    exit_status = 57


class OtherServerError(BesedkaError):
    """Another Rocket.Chat or MongoDB answers now than the one that was read."""

    exit_status = 58


_NOTHING_WRITTEN = "nothing was changed"


def wrong_password(username: str, where: str, *, exists: bool | None) -> BesedkaError:
    """Log-in was refused with 401; `exists` says whether there is an account of that name, if known.

    From 7.0 Rocket.Chat answers "Unauthorized" to a wrong name and a wrong password alike
    (`loginErrorMessageOverride`). So it does to an account without one.
    """
    if exists is False:
        return AdminMissingError(
            f"there is no account {username!r}",
            expected="Rocket.Chat's administrator, as [chat.admin] of the contract names it",
            where=where,
            next_step="create it in Rocket.Chat (ADMIN_USERNAME/ADMIN_PASS at first boot), "
            f"or name the right one in [chat.admin]; {_NOTHING_WRITTEN}",
        )
    found = f"the password of {username!r} was refused"
    if exists is None:
        found += " (or there is no such account; Rocket.Chat does not say which)"
    return WrongPasswordError(
        found,
        expected="the password in [chat.admin] of the contract or in the variable named there",
        where=where,
        next_step="set the right password and run this again. A sign-in by SSO deletes the password of an "
        "account whose e-mail is not verified: if so, sign in by SSO and set it under My Account → Profile; "
        f"{_NOTHING_WRITTEN}",
    )


def not_admin(username: str, roles: list[str], where: str) -> AdminMissingError:
    """The account exists and signs in, but is no administrator."""
    return AdminMissingError(
        f"account {username!r} has the roles {sorted(roles)}, and `admin` is not among them",
        expected="an administrator",
        where=where,
        next_step=f"let another administrator give it the role; {_NOTHING_WRITTEN}",
    )


def nameless(where: str) -> OtherServerError:
    """Rocket.Chat at that address has no id by which it could be told from another one."""
    return OtherServerError(
        "this Rocket.Chat has no uniqueID, by which one server is told from another",
        expected="an id, which Rocket.Chat gives itself at a start",
        where=where,
        next_step="restart Rocket.Chat and run this again; if the row uniqueID of rocketchat_settings is "
        f"there and empty, delete it first; {_NOTHING_WRITTEN}",
    )


def _limited(error: RocketChatError) -> RateLimitedError:
    """REST's own limit speaks of the endpoint; the limit of one function does not.

    A second address of one account within a minute meets the latter, and no setting changes it
    (`app/lib/server/lib/RateLimiter.js`; measured on 6.13.0).
    """
    wait = "a minute" if error.retry_after is None else f"{error.retry_after:.0f} s"
    if "must wait" in error.message and "this endpoint" not in error.message:
        return RateLimitedError(
            "Rocket.Chat answers 429: this account was changed so a moment ago",
            expected="one such change of an account in a minute, which no setting alters",
            where=error.call,
            next_step=f"run this again in {wait}",
        )
    return RateLimitedError(
        "Rocket.Chat answers 429: too many calls from this address",
        expected="room within API_Enable_Rate_Limiter_Limit_Calls_Default",
        where=error.call,
        next_step=f"run this again in {wait}",
    )


def translated(error: RocketChatError, username: str) -> BesedkaError:
    """The cause behind a refusal, as its own class; the refusal itself where it is none of ours."""
    where = error.call
    if error.second_factor == "totp":
        return TotpRequiredError(
            f"{username!r} has an authenticator app as second factor, and Rocket.Chat asks for its code",
            expected="an administrator whose second factor is the password, or none",
            where=where,
            next_step="switch the authenticator app off for this account (My Account → Security), "
            "or name another administrator in [chat.admin]",
        )
    if error.second_factor == "email":
        return EmailCodeRequiredError(
            f"{username!r} has e-mail as second factor, and Rocket.Chat has sent a code there",
            expected="an administrator whose second factor is the password, or none",
            where=where,
            next_step="switch e-mail two-factor off for this account (My Account → Security), "
            "or name another administrator in [chat.admin]",
        )
    if error.status == 429:
        return _limited(error)
    if error.code in {"error-login-blocked-for-user", "error-login-blocked-for-ip"}:
        return LoginBlockedError(
            f"Rocket.Chat refuses log-ins of {username!r} for now ({error.code})",
            expected="fewer failures than Block_Multiple_Failed_Logins_Attempts_Until_Block_By_User",
            where=where,
            next_step="wait five minutes, correct the password, run this again",
        )
    if error.status == 403 or error.code in {"error-not-authorized", "error-not-allowed"}:
        return NotPermittedError(
            f"Rocket.Chat does not let {username!r} do this: {error.message}",
            expected="the permissions that the role `admin` has by default",
            where=where,
            next_step="restore them under Administration → Workspace → Permissions",
        )
    return error
