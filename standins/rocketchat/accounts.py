"""Users: how they come to be, and how much of one each caller is shown.

Creation after `app/authentication/server/startup/index.js` (onCreateUser, insertUserDoc, validateNewUser).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from standins.rocketchat.documents import random_id
from standins.rocketchat.passwords import password_hash
from standins.rocketchat.registry import Document, RocketError
from standins.rocketchat.twofactor import is_oauth_user

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

_PREFERENCES = "Accounts_Default_User_Preferences_"
# getBaseUserFields and getDefaultUserFields of `app/utils/server/functions`.
_ME = (
    *("_id", "name", "username", "nickname", "emails", "status", "statusDefault", "statusText"),
    *("statusConnection", "bio", "avatarOrigin", "avatarETag", "utcOffset", "language", "enableAutoAway"),
    *("idleTimeLimit", "type", "active", "defaultRoom", "customFields", "requirePasswordChange"),
    *("requirePasswordChangeReason", "statusLivechat", "banners", "roles", "createdAt", "_updatedAt"),
)
# getFullUserDataByIdOrUsername: what anybody sees, and what `view-full-other-user-info` or oneself adds.
_PUBLIC = ("_id", "name", "username", "nickname", "status", "utcOffset", "type", "active", "bio", "reason")
_FULL = (
    *("emails", "phone", "statusConnection", "createdAt", "lastLogin", "requirePasswordChange"),
    *("requirePasswordChangeReason", "roles", "customFields", "_updatedAt"),
)


def exactly(text: str) -> Document:
    """A query for a string whatever its case."""
    return {"$regex": f"^{re.escape(text)}$", "$options": "i"}


def _list_of(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(",") if part.strip()]


def me_view(server: Server, user: Document) -> Document:
    """What `login` and `me` show a user of themselves (`helpers/getUserInfo.ts`)."""
    view = {name: user[name] for name in _ME if name in user}
    verified = [email["address"] for email in user.get("emails") or [] if email.get("verified")]
    settings = user.get("settings") or {}
    defaults = {
        setting_id.removeprefix(_PREFERENCES): server.settings.get(setting_id)
        for setting_id in server.settings.ids()
        if setting_id.startswith(_PREFERENCES)
    }
    preferences = defaults | (settings.get("preferences") or {})
    view["settings"] = {"profile": {}} | settings | {"preferences": preferences}
    view["avatarUrl"] = f"{server.config.root_url}/avatar/{user.get('username', '')}"
    services = user.get("services", {})
    view["services"] = {"password": {"exists": password_hash(user) is not None}} | {
        name: {"enabled": services[name]["enabled"]}
        for name in ("totp", "email2fa")
        if "enabled" in services.get(name, {})
    }
    if verified:
        view["email"] = verified[0]
    if server.config.since(7):
        view["isOAuthUser"] = is_oauth_user(user)
    return view


def user_view(user: Document, full: bool) -> Document:
    """A user as `users.info` shows it."""
    return {
        name: user[name]
        for name in (*_PUBLIC, "statusText", "avatarETag", *(_FULL if full else ()))
        if name in user
    }


async def find_user(server: Server, **fields: Any) -> Document | None:
    return await server.db["users"].find_one(fields)


def _validate(server: Server, user: Document) -> None:
    get, services = server.settings.get, user["services"]
    closed = (
        get("Accounts_Registration_AuthenticationServices_Enabled") is False and get("LDAP_Enable") is False
    )
    if closed and "password" not in services:
        reason = "User registration is disabled for authentication services"
        raise RocketError("registration-disabled-authentication-services", reason)
    domains = _list_of(get("Accounts_AllowedDomainsList"))
    address = user["emails"][0]["address"] if user.get("emails") else None
    if address and domains and not any(address.endswith(f"@{domain}") for domain in domains):
        raise RocketError("error-invalid-domain")


async def insert_user(server: Server, user: Document) -> None:
    """Insert; a taken username or address is Meteor's 403."""
    try:
        await server.db["users"].insert_one(user)
    except DuplicateKeyError as error:
        what = "Email" if "emails" in str(error) else "Username"
        raise RocketError(403, f"{what} already exists.") from error


async def create_user(
    server: Server, fields: Document, *, roles: list[str] | None = None, join_default_channels: bool = True
) -> Document:
    """Create a user from its own fields (name, username, emails, services, ...) and return the document.

    Without `roles` the defaults by kind of registration apply; the first user of a server without an
    administrator becomes one. Default channels are joined here and never again, and only with a username.
    """
    get, now, db = server.settings.get, server.clock.now(), server.db
    user: Document = {
        "_id": random_id(),
        "createdAt": now,
        "services": {},
        "status": "offline",
        "type": "user",
    }
    user |= {"active": not get("Accounts_ManuallyApproveNewUsers"), "_updatedAt": now, "__rooms": []}
    user |= {name: value for name, value in fields.items() if value is not None}
    _validate(server, user)
    if get("Accounts_TwoFactorAuthentication_By_Email_Auto_Opt_In"):
        user["services"] = {**user["services"], "email2fa": {"enabled": True, "changedAt": now}}
    if roles is None:
        kind = "Users" if "password" in user["services"] else "AuthenticationServices"
        roles = _list_of(get(f"Accounts_Registration_{kind}_Default_Roles"))
    if (
        "admin" not in roles
        and await db["users"].find_one({"roles": "admin", "type": "user"}, {"_id": 1}) is None
    ):
        roles = [*roles, "admin"]
        if get("Show_Setup_Wizard") == "pending":
            await server.settings.force("Show_Setup_Wizard", "in_progress")
    user["roles"] = roles
    await insert_user(server, user)
    if user.get("username") and join_default_channels:
        await join_channels(server, user)
    return user


async def join_channels(server: Server, user: Document) -> None:
    """Join the default channels, as happens once in a user's life."""
    from standins.rocketchat.rooms import join_default_channels  # noqa: PLC0415 - rooms build on accounts

    await join_default_channels(server, user)


async def username_is_free(server: Server, username: str, but_of: str | None = None) -> bool:
    """Whether nobody else has the name and it is not reserved (`checkUsernameAvailability.ts`)."""
    reserved = _list_of(server.settings.get("Accounts_SystemBlockedUsernameList"))
    if username.lower() in (name.lower() for name in reserved):
        return False
    return await find_user(server, username=exactly(username), _id={"$ne": but_of}) is None


async def email_is_free(server: Server, address: str, but_of: str | None = None) -> bool:
    query = {"emails.address": exactly(address), "_id": {"$ne": but_of}}
    return await server.db["users"].find_one(query, {"_id": 1}) is None


def push_user(server: Server, user_id: str, change: Document) -> None:
    """Tell the user's own clients about changed fields (stream-notify-user `<uid>/userData`)."""
    data = {"id": user_id, "diff": change, "type": "updated", "unset": {}}
    server.hub.publish("stream-notify-user", f"{user_id}/userData", data)
