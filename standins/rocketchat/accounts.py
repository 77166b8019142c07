"""Users: how they come to be, and how much of one each caller is shown.

Creation after `app/authentication/server/startup/index.js` (onCreateUser, insertUserDoc, validateNewUser).
"""

import re
from typing import Any

from pymongo.errors import DuplicateKeyError

from standins.rocketchat.documents import Document, random_id
from standins.rocketchat.errors import RocketError
from standins.rocketchat.passwords import password_hash
from standins.rocketchat.rooms import join_default_channels
from standins.rocketchat.server import Server
from standins.rocketchat.twofactor import is_oauth_user, verified_emails

_PREFERENCES = "Accounts_Default_User_Preferences_"
# getBaseUserFields and getDefaultUserFields of `app/utils/server/functions`.
_ME = """_id name username nickname emails status statusDefault statusText statusConnection bio avatarOrigin
    avatarETag utcOffset language enableAutoAway idleTimeLimit active defaultRoom customFields roles
    requirePasswordChange requirePasswordChangeReason statusLivechat banners _updatedAt""".split()
# getFullUserDataByIdOrUsername: what anybody sees, and what `view-full-other-user-info` or oneself adds.
_PUBLIC = "_id name username nickname status utcOffset type active bio reason statusText avatarETag".split()
_FULL = """emails phone statusConnection createdAt lastLogin requirePasswordChange
    requirePasswordChangeReason roles customFields _updatedAt""".split()


def exactly(text: str) -> Document:
    """A query for a string whatever its case."""
    return {"$regex": f"^{re.escape(text)}$", "$options": "i"}


def _list_of(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(",") if part.strip()]


def _document(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def me_view(server: Server, user: Document) -> Document:
    """What `login` and `me` show a user of themselves (`helpers/getUserInfo.ts`)."""
    view = {name: user[name] for name in _ME if name in user}
    # What is no document is passed over (measured on 6.13.0).
    get, own = server.settings.get, _document(user.get("settings"))
    wanted = [setting_id for setting_id in server.settings.ids() if setting_id.startswith(_PREFERENCES)]
    defaults = {setting_id.removeprefix(_PREFERENCES): get(setting_id) for setting_id in wanted}
    view["settings"] = {"profile": {}} | own | {"preferences": defaults | _document(own.get("preferences"))}
    view["avatarUrl"] = f"{server.root_url}/avatar/{user.get('username', '')}"
    services = user.get("services", {})
    factors = {name: services.get(name, {}) for name in ("totp", "email2fa")}
    enabled = {name: {"enabled": it["enabled"]} for name, it in factors.items() if "enabled" in it}
    view["services"] = {"password": {"exists": password_hash(user) is not None}} | enabled
    if verified := verified_emails(user):
        view["email"] = verified[0]
    if server.config.since(6, 13):
        view["isOAuthUser"] = is_oauth_user(user)
    return view


def user_view(user: Document, full: bool) -> Document:
    """A user as `users.info` shows it."""
    return {name: user[name] for name in (*_PUBLIC, *(_FULL if full else ())) if name in user}


async def find_user(server: Server, **fields: Any) -> Document | None:
    return await server.users.find_one(fields)


def _validate(server: Server, user: Document) -> None:
    get = server.settings.get
    closed = (
        get("Accounts_Registration_AuthenticationServices_Enabled") is False and get("LDAP_Enable") is False
    )
    if closed and "password" not in user["services"]:
        reason = "User registration is disabled for authentication services"
        raise RocketError("registration-disabled-authentication-services", reason)
    domains = tuple(f"@{domain}" for domain in _list_of(get("Accounts_AllowedDomainsList")))
    address = user["emails"][0]["address"] if user.get("emails") else None
    if address and domains and not address.endswith(domains):
        raise RocketError("error-invalid-domain")


async def insert_user(server: Server, user: Document) -> None:
    """Insert; a taken username or address is Meteor's 403."""
    try:
        await server.users.insert_one(user)
    except DuplicateKeyError as error:
        what = "Email" if "emails" in str(error) else "Username"
        raise RocketError(403, f"{what} already exists.") from error


async def create_user(
    server: Server, fields: Document, *, roles: list[str] | None = None, joins: bool = True
) -> Document:
    """Create a user from its own fields (name, username, emails, services, ...) and return the document.

    Without `roles` the defaults by kind of registration apply; the first user of a server without an
    administrator becomes one. Default channels are joined here and never again, and only with a username.
    """
    get, now = server.settings.get, server.now()
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
    admins = {"roles": "admin", "type": "user"}
    if "admin" not in roles and await server.users.find_one(admins, {"_id": 1}) is None:
        roles = [*roles, "admin"]
        if get("Show_Setup_Wizard") == "pending":
            await server.settings.force("Show_Setup_Wizard", "in_progress")
    user["roles"] = roles
    await insert_user(server, user)
    if user.get("username") and joins:
        await join_default_channels(server, user)
    return user


def username_is_blocked(server: Server, username: str) -> bool:
    """Whether the name is reserved (`checkUsernameAvailability.ts`; `all` measured on 6.13.0)."""
    lists = ("Accounts_SystemBlockedUsernameList", "Accounts_BlockedUsernameList")
    reserved = [name for setting in lists for name in _list_of(server.settings.get(setting))]
    return username.strip().lower() in {name.lower() for name in ("all", "here", *reserved)}


async def username_is_free(server: Server, username: str, but_of: str | None = None) -> bool:
    """Whether nobody else has the name (`checkUsernameAvailability.ts`)."""
    return await find_user(server, username=exactly(username), _id={"$ne": but_of}) is None


async def email_is_free(server: Server, address: str) -> bool:
    return await server.users.find_one({"emails.address": exactly(address)}, {"_id": 1}) is None


def push_user(server: Server, user_id: str, change: Document) -> None:
    """Tell the user's own clients about changed fields (stream-notify-user `<uid>/userData`)."""
    data = {"id": user_id, "diff": change, "type": "updated", "unset": {}}
    server.hub.publish("stream-notify-user", f"{user_id}/userData", data)
