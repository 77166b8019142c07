"""REST for users (`app/api/server/v1/users.ts`, `app/lib/server/functions/saveUser`), and `me`."""

import re
from typing import Any

from standins.rocketchat.access import rooms_of
from standins.rocketchat.accounts import (
    create_user,
    email_is_free,
    find_user,
    me_view,
    push_user,
    user_view,
    username_is_blocked,
    username_is_free,
)
from standins.rocketchat.documents import Document, random_secret
from standins.rocketchat.errors import MatchError, PlainError, RocketError, match, not_allowed
from standins.rocketchat.json_query import narrowed, projection
from standins.rocketchat.ownership import estate_of, refuse_last_owner, relinquish
from standins.rocketchat.parameters import listing, user_from
from standins.rocketchat.passwords import hash_password
from standins.rocketchat.presence import STATUSES, choose_status
from standins.rocketchat.registry import Call, method, route
from standins.rocketchat.rooms import join_default_channels
from standins.rocketchat.server import Server
from standins.rocketchat.sessions import end_sessions, issue_token, login_tokens, remove_tokens

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")
# What `users.update` takes over as it is.
_KEPT = "name username roles active customFields statusText bio nickname requirePasswordChange".split()
_NO_NAME = "{} is not a valid username, use only letters, numbers, dots, hyphens and underscores"


def _refused(reason: str, **details: str) -> RocketError:
    return RocketError("error-action-not-allowed", reason, details or None)


def _well_formed(server: Server, username: str) -> bool:
    return bool(re.fullmatch(str(server.settings.get("UTF8_User_Names_Validation")), username))


def _refuse_blocked(server: Server, username: str) -> None:
    if username_is_blocked(server, username):
        details = {"method": "checkUsernameAvailability", "field": username}
        raise RocketError("error-blocked-username", f"{username} is blocked and can't be used!", details)


def _check_domain(server: Server, email: str) -> None:
    """Compared letter for letter (`validateEmailDomain.js`, 6.x and 7.x)."""
    domain, get = email.rpartition("@")[2], server.settings.get
    allowed, blocked = (_listed(get(f"Accounts_{name}DomainsList")) for name in ("Allowed", "Blocked"))
    details = {"function": "RocketChat.validateEmailDomain"}
    if allowed and domain not in allowed:
        raise RocketError("error-invalid-domain", "The email domain is not in whitelist", details)
    if domain in blocked:
        raise RocketError("error-email-domain-blacklisted", "The email domain is blacklisted", details)
    if get("Accounts_UseDNSDomainCheck"):
        # Nobody here asks the DNS: it knows no mail server.
        raise RocketError("error-invalid-domain", "Invalid domain", details)


def _listed(text: object) -> list[str]:
    return [part.strip() for part in str(text or "").split(",") if part]


def _taken(value: str, **details: str) -> RocketError:
    reason = f"{value} is already in use :("
    return RocketError("error-field-unavailable", reason, details | {"field": value})


async def _check_identity(call: Call, data: Document, but_of: str | None = None) -> None:
    username, email = data.get("username"), data.get("email")
    details = {"method": "insertOrUpdateUser"}
    known = {role["_id"] async for role in call.server.roles.find({}, {"_id": 1})}
    if not set(data.get("roles") or []) <= known:
        raise _refused("The field Roles consist invalid role id", action="Assign_role", **details)
    if username is not None and not _well_formed(call.server, username):
        raise RocketError("error-input-is-not-a-valid-field", f"{username} is not a valid username", details)
    if email is not None and not _EMAIL.match(email):
        raise RocketError("error-invalid-email", f"Invalid email {email}", details)
    if username is not None:
        _refuse_blocked(call.server, username)
    if username is not None and not await username_is_free(call.server, username, but_of):
        raise _taken(username, **details)
    if email is not None and but_of is None and not await email_is_free(call.server, email):
        if not call.server.config.since(7):
            # Measured on 6.13.0; the code of 7.7.1 says the other.
            raise RocketError(403, "Email already exists.")
        raise _taken(email, **details)


@route("me", "GET")
async def me(call: Call) -> Document:
    return me_view(call.server, call.me)


@route("users.create", "POST")
async def create(call: Call) -> Document:
    body = call.body
    if not await call.may("create-user"):
        raise _refused("Adding user is not allowed", method="insertOrUpdateUser", action="Adding_user")
    password = random_secret() if body.get("setRandomPassword") else body["password"]
    for name in ("name", "username", "email"):
        if not body[name].strip():
            raise RocketError("error-the-field-is-required", f"The field {name.capitalize()} is required")
    await _check_identity(call, body)
    if not password:
        raise RocketError("error-the-field-is-required", "The field Password is required")
    _check_domain(call.server, body["email"])
    fields: Document = {name: body.get(name) for name in ("name", "username", "customFields", "bio")}
    fields["active"] = body.get("active", True)
    fields["emails"] = [{"address": body["email"], "verified": body.get("verified", False)}]
    fields["services"] = {"password": {"bcrypt": await hash_password(password)}}
    fields["requirePasswordChange"] = body.get("requirePasswordChange") or None
    joins = body.get("joinDefaultChannels", True)
    user = await create_user(call.server, fields, roles=body.get("roles"), joins=joins)
    renamed = {"_id": user["_id"], "name": user["name"]}
    call.server.hub.publish("stream-notify-logged", "Users:NameChanged", renamed)
    return {"user": {**user_view(user, full=True), "settings": user.get("settings", {})}}


@route("users.register", "POST", auth=False)
async def register(call: Call) -> Document:
    body = call.body
    if call.server.settings.get("Accounts_RegistrationForm") == "Disabled":
        raise RocketError("error-user-registration-disabled", "User registration is disabled")
    await _check_identity(call, body)
    fields: Document = {"name": body.get("name"), "username": body["username"]}
    fields["emails"] = [{"address": body["email"], "verified": False}]
    fields["services"] = {"password": {"bcrypt": await hash_password(body["pass"])}}
    return {"user": user_view(await create_user(call.server, fields), full=True)}


@route("users.info", "GET")
async def info(call: Call) -> Document:
    names = ("userId", "username", "importId")
    field, value = next(((name, call.query[name]) for name in names if call.query.get(name)), ("", ""))
    if not field:
        raise PlainError("Invalid search query.")
    user = await find_user(call.server, **{"_id" if field == "userId" else field: value})
    if user is None:
        raise PlainError("User not found.")
    itself = user["_id"] == call.uid
    full = itself or await call.may("view-full-other-user-info")
    view = user_view(user, full) | ({"canViewAllInfo": True} if full else {})
    # The parameter came with 7.0 and took the place of a field that is none (v1/users.ts).
    asked = {"userRooms": 1} if call.query.get("includeUserRooms") == "true" else projection(call) or {}
    rooms = asked.get("userRooms") == 1 and ("includeUserRooms" in call.query) is call.server.config.since(7)
    if rooms and (itself or await call.may("view-other-user-channels")):
        fields = dict.fromkeys(("rid", "name", "t", "roles", "unread", "federated"), 1)
        mine = call.server.subscriptions.find({"u._id": user["_id"]}, fields)
        view["rooms"] = await mine.sort([("t", 1), ("name", 1)]).to_list()
    return {"user": view}


@route("users.list", "GET", permissions=("view-d-room",))
async def listed(call: Call) -> Document:
    full, order = await call.may("view-full-other-user-info"), [("username", 1)]
    page = await listing(call, call.server.users, narrowed(call, {}), "users", order, projection(call))
    # The name by which the list is sorted goes along (users.ts, `nameInsensitive`).
    shown = [
        user_view(user, full) | {"nameInsensitive": user.get("name", "").lower()} for user in page["users"]
    ]
    return page | {"users": shown}


@route("users.update", "POST", two_factor=True)
async def update(call: Call) -> Document:
    data, user = call.body["data"], await user_from(call, {"userId": call.body["userId"]})
    if data.get("verified") and user["_id"] == call.uid:
        # `saveUser.js`, later `validateUserData.ts`; measured on 6.13.0.
        raise _refused("Editing email verification is not allowed", action="Editing_user")
    if user["_id"] != call.uid and not await call.may("edit-other-user-info"):
        raise _refused("Editing user is not allowed", action="Editing_user")
    if "roles" in data and not await call.may("assign-roles"):
        raise _refused("Assign role is not allowed", action="Assign_role")
    await _check_identity(call, data, user["_id"])
    change: Document = {name: data[name] for name in _KEPT if name in data}
    if "email" in data or "verified" in data:
        old = (user.get("emails") or [{}])[0]
        address = data.get("email", old.get("address"))
        if "email" in data:
            _check_domain(call.server, address)
            # In other letters the account itself counts as the owner, too. The question to MongoDB takes no
            # notice of case (6.13.0, setEmail.ts and checkEmailAvailability.ts).
            if address != old.get("address") and not await email_is_free(call.server, address):
                raise _taken(address, function="_setEmail")
        verified = data.get("verified", old.get("verified", False) and address == old.get("address"))
        change["emails"] = [{"address": address, "verified": verified}]
    secret = (
        {"services.password.bcrypt": await hash_password(data["password"])} if data.get("password") else {}
    )
    fields = change | secret | {"_updatedAt": call.server.now()}
    await call.server.users.update_one({"_id": user["_id"]}, {"$set": fields})
    await _call_so(call.server, user, str(change.get("username", user.get("username"))))
    if secret or data.get("active") is False:
        await end_sessions(call.server, user, keep=call.token_hash)
    push_user(call.server, user["_id"], change)
    return {"user": user_view(await find_user(call.server, _id=user["_id"]) or {}, full=True)}


async def _call_so(server: Server, user: Document, name: str) -> None:
    """Write an account's new name wherever it is named (`saveUserIdentity.ts`, 6.14)."""
    old, own = user.get("username"), {"u._id": user["_id"]}
    if old == name:
        return
    for table in (server.subscriptions, server.rooms, server.messages):
        await table.update_many(own, {"$set": {"u.username": name}})
    for field in ("usernames", "muted"):
        await server.rooms.update_many({field: old}, {"$set": {f"{field}.$": name}})


@route("users.delete", "POST", permissions=("delete-user",))
async def delete(call: Call) -> None:
    server, user = call.server, await user_from(call, call.body)
    if "admin" in user.get("roles", []) and await server.users.count_documents({"roles": "admin"}) == 1:
        raise _refused("Leaving the app without an active admin is not allowed")
    estate = await estate_of(server, user)
    if not call.body.get("confirmRelinquish"):
        await refuse_last_owner(server, estate)
    await relinquish(server, estate)
    rooms = await rooms_of(server, user["_id"])
    await server.subscriptions.delete_many({"u._id": user["_id"]})
    await server.rooms.update_many({"_id": rooms}, {"$inc": {"usersCount": -1}})
    if server.settings.get("Message_ErasureType") == "Delete":
        await server.messages.delete_many({"u._id": user["_id"]})
    await server.users.delete_one({"_id": user["_id"]})
    await end_sessions(server, user)
    server.hub.publish("stream-notify-logged", "Users:Deleted", {"userId": user["_id"]})


@route("users.createToken", "POST")
async def create_token(call: Call) -> Document:
    """A log-in token for another user; needs the environment variable as well as the permission."""
    config, named = call.server.config, call.body
    allowed = config.create_tokens_for_users
    if config.since(8):
        wanted = config.environ.get("CREATE_TOKENS_FOR_USERS_SECRET")
        allowed, named = bool(wanted) and call.body.get("secret") == wanted, {"userId": named.get("userId")}
    user = await user_from(call, named)
    if not allowed or (user["_id"] != call.uid and not await call.may("user-generate-access-token")):
        raise RocketError("error-not-authorized", "Not authorized", {"method": "createToken"})
    token, _ = await issue_token(call.server, user)
    return {"data": {"userId": user["_id"], "authToken": token}}


def _token_name(call: Call) -> str:
    name = call.body.get("tokenName")
    if not isinstance(name, str) or not name:
        raise PlainError("The 'tokenName' param is required")
    return name


@route("users.generatePersonalAccessToken", "POST", two_factor=True)
async def generate_personal_access_token(call: Call) -> Document:
    name, details = _token_name(call), {"method": "personalAccessTokens:generateToken"}
    if not await call.may("create-personal-access-tokens"):
        raise RocketError("not-authorized", "Not Authorized", details)
    if any(entry.get("name") == name for entry in login_tokens(call.me)):
        raise RocketError("error-token-already-exists", "A token with this name already exists", details)
    bypass = bool(call.body.get("bypassTwoFactor"))
    fields: Document = {"type": "personalAccessToken", "name": name, "bypassTwoFactor": bypass}
    token = random_secret()
    fields |= {"lastTokenPart": token[-6:], "createdAt": call.server.now()}
    await issue_token(call.server, call.me, token, **fields)
    return {"token": token}


@route("users.removePersonalAccessToken", "POST", two_factor=True)
async def remove_personal_access_token(call: Call) -> None:
    name = _token_name(call)
    entry = next((entry for entry in login_tokens(call.me) if entry.get("name") == name), None)
    if entry is None:
        raise RocketError("error-token-does-not-exists", "Token does not exist")
    await remove_tokens(call.server, call.uid, entry["hashedToken"])


@route("users.setStatus", "POST")
async def set_status(call: Call) -> None:
    status, text = call.body.get("status"), call.body.get("message")
    if not isinstance(status, str) and not isinstance(text, str):
        raise MatchError("Match error: Failed Match.OneOf, Match.Maybe or Match.Optional validation")
    if status is not None and status not in STATUSES:
        reason = "Valid status types include online, away, offline, and busy."
        raise RocketError("error-invalid-status", reason)
    if text is not None and not isinstance(text, str):
        raise MatchError("Match error: Failed Match.OneOf, Match.Maybe or Match.Optional validation")
    await choose_status(call.server, call.uid, status or call.me.get("status") or "online", text)


@route("users.getUsernameSuggestion", "GET")
async def username_suggestion(call: Call) -> Document:
    return {"result": await suggest(call)}


@method("getUsernameSuggestion")
async def suggest(call: Call, *_: Any) -> str:
    """A free name made of the user's own, as the page "Register username" offers it."""
    base = re.sub(r"[^\w.-]", ".", str(call.me.get("name") or "user")).strip(".").lower() or "user"
    number, name = 0, base
    while username_is_blocked(call.server, name) or not await username_is_free(call.server, name):
        number, name = number + 1, f"{base}-{number}"
    return name


@method("setUsername")
async def set_username(call: Call, username: Any = None, *_: Any) -> str:
    """Give a user without a name one; only now do they join the default channels."""
    match((username, str))
    changing = call.me.get("username") is not None
    if changing and not call.server.settings.get("Accounts_AllowUsernameChange"):
        raise not_allowed("setUsername")
    if not _well_formed(call.server, username):
        raise RocketError("username-invalid", _NO_NAME.format(username))
    _refuse_blocked(call.server, username)
    if not await username_is_free(call.server, username, call.uid):
        reason = f"{username} is already in use :("
        raise RocketError("error-field-unavailable", reason, {"method": "setUsername"})
    await call.server.users.update_one({"_id": call.uid}, {"$set": {"username": username}})
    if not changing:
        await join_default_channels(call.server, call.me | {"username": username})
    push_user(call.server, call.uid, {"username": username})
    return str(username)


@method("setUserPassword")
async def set_user_password(call: Call, password: Any = None, *_: Any) -> bool:
    """Choose the password that the server demands; False where it demands none (setUserPassword.ts)."""
    match((password, str))
    if not call.me.get("requirePasswordChange"):
        return False
    chosen = {"services.password.bcrypt": await hash_password(password)}
    asked = {"requirePasswordChange": "", "requirePasswordChangeReason": ""}
    await call.server.users.update_one({"_id": call.uid}, {"$set": chosen, "$unset": asked})
    push_user(call.server, call.uid, {"requirePasswordChange": False})
    return True
