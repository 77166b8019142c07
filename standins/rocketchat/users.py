"""REST for users (`app/api/server/v1/users.ts`, `app/lib/server/functions/saveUser`), and `me`."""

from __future__ import annotations

import re
from typing import Any

from standins.rocketchat.accounts import (
    create_user,
    email_is_free,
    find_user,
    join_channels,
    me_view,
    push_user,
    user_view,
    username_is_free,
)
from standins.rocketchat.documents import random_secret
from standins.rocketchat.envelope import PlainError, forbidden
from standins.rocketchat.json_query import narrowed, projection
from standins.rocketchat.ownership import estate_of, refuse_last_owner, relinquish
from standins.rocketchat.parameters import listing, user_from
from standins.rocketchat.passwords import hash_password
from standins.rocketchat.permissions import has_permission
from standins.rocketchat.presence import STATUSES, choose_status
from standins.rocketchat.registry import Call, Document, RocketError, method, route
from standins.rocketchat.sessions import issue_token, remove_tokens, token_entry

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")
_TEXT, _FLAG = (str, "string"), (bool, "boolean")
# Fields and types that the schemas of `packages/rest-typings/src/v1/users` allow.
_COMMON: dict[str, tuple[type, str]] = (
    dict.fromkeys(("email", "name", "password", "username", "statusText", "bio", "nickname"), _TEXT)
    | dict.fromkeys(("active", "verified", "requirePasswordChange", "sendWelcomeEmail"), _FLAG)
    | dict.fromkeys(("joinDefaultChannels", "setRandomPassword"), _FLAG)
    | {"roles": (list, "array"), "customFields": (dict, "object")}
)


def _check(values: Any, required: tuple[str, ...], allowed: dict[str, tuple[type, str]]) -> Document:
    """The schema of a body; raises `invalid-params` with ajv's words."""
    if not isinstance(values, dict):
        raise RocketError("invalid-params", "must be object")
    problems = [f"must have required property '{name}'" for name in required if name not in values]
    problems += ["must NOT have additional properties"] * bool(set(values) - set(allowed))
    problems += [
        f"must be {allowed[n][1]}"
        for n in values
        if n in allowed and not isinstance(values[n], allowed[n][0])
    ]
    roles = values.get("roles")
    if isinstance(roles, list) and not all(isinstance(role, str) for role in roles):
        problems.append("must be string")
    if problems:
        raise RocketError("invalid-params", "\n ".join(problems))
    return values


async def _check_identity(call: Call, data: Document, but_of: str | None = None) -> None:
    username, email = data.get("username"), data.get("email")
    details = {"method": "insertOrUpdateUser"}
    if username is not None and not re.fullmatch(
        str(call.server.settings.get("UTF8_User_Names_Validation")), username
    ):
        raise RocketError("error-input-is-not-a-valid-field", f"{username} is not a valid username", details)
    if email is not None and not _EMAIL.match(email):
        raise RocketError("error-invalid-email", f"Invalid email {email}", details)
    for value, free in ((username, username_is_free), (email, email_is_free)):
        if value is not None and not await free(call.server, value, but_of):
            raise RocketError(
                "error-field-unavailable", f"{value} is already in use :(", details | {"field": value}
            )


@route("me", "GET")
async def me(call: Call) -> Document:
    return me_view(call.server, call.user or {})


@route("users.create", "POST")
async def create(call: Call) -> Document:
    body = _check(call.body, ("email", "name", "password", "username"), _COMMON)
    if not await has_permission(call.server, call.user, "create-user"):
        reason = "Adding user is not allowed"
        raise RocketError(
            "error-action-not-allowed", reason, {"method": "insertOrUpdateUser", "action": "Adding_user"}
        )
    for name in ("name", "username", "email"):
        if not body[name].strip():
            raise RocketError("error-the-field-is-required", f"The field {name.capitalize()} is required")
    await _check_identity(call, body)
    password = random_secret() if body.get("setRandomPassword") else body["password"]
    if not password:
        raise RocketError("error-the-field-is-required", "The field Password is required")
    fields: Document = {
        name: body.get(name) for name in ("name", "username", "active", "customFields", "bio")
    }
    fields["active"] = body.get("active", True)
    fields["emails"] = [{"address": body["email"], "verified": body.get("verified", False)}]
    fields["services"] = {"password": {"bcrypt": await hash_password(password)}}
    if body.get("requirePasswordChange"):
        fields["requirePasswordChange"] = True
    joins = body.get("joinDefaultChannels", True)
    user = await create_user(call.server, fields, roles=body.get("roles"), join_default_channels=joins)
    call.server.hub.publish(
        "stream-notify-logged", "Users:NameChanged", {"_id": user["_id"], "name": user["name"]}
    )
    return {"user": {**user_view(user, full=True), "settings": user.get("settings", {})}}


@route("users.register", "POST", auth=False)
async def register(call: Call) -> Document:
    names = {**_COMMON, "pass": _TEXT, "secretURL": _TEXT, "reason": _TEXT}
    body = _check(call.body, ("username", "email", "pass", "name"), names)
    if call.server.settings.get("Accounts_RegistrationForm") == "Disabled":
        raise RocketError("error-user-registration-disabled", "User registration is disabled")
    await _check_identity(call, body)
    emails = [{"address": body["email"], "verified": False}]
    services = {"password": {"bcrypt": await hash_password(body["pass"])}}
    fields = {"name": body["name"], "username": body["username"], "emails": emails, "services": services}
    return {"user": user_view(await create_user(call.server, fields), full=True)}


@route("users.info", "GET")
async def info(call: Call) -> Document:
    user = await user_from(call, call.query)
    itself = user["_id"] == call.uid
    full = itself or await has_permission(call.server, call.user, "view-full-other-user-info")
    view = user_view(user, full) | ({"canViewAllInfo": True} if full else {})
    old_form = call.server.config.unsafe_query and '"userRooms"' in call.query.get("fields", "")
    rooms = old_form or call.query.get("includeUserRooms") == "true"
    if rooms and (itself or await has_permission(call.server, call.user, "view-other-user-channels")):
        found = call.server.db["rocketchat_subscription"].find({"u._id": user["_id"]})
        view["rooms"] = [
            {n: row[n] for n in ("_id", "rid", "name", "t", "unread") if n in row} async for row in found
        ]
    return {"user": view}


@route("users.list", "GET")
async def listed(call: Call) -> Document:
    if not await has_permission(call.server, call.user, "view-d-room"):
        raise forbidden()
    full = await has_permission(call.server, call.user, "view-full-other-user-info")
    users, order = call.server.db["users"], [("username", 1)]
    page = await listing(call, users, narrowed(call, {}), "users", order, projection(call))
    return page | {"users": [user_view(user, full) for user in page["users"]]}


@route("users.update", "POST", two_factor=True)
async def update(call: Call) -> Document:
    body = _check(call.body, ("userId", "data"), {"userId": _TEXT, "data": (dict, "object"), **_COMMON})
    data = _check(body["data"], (), _COMMON)
    user = await user_from(call, {"userId": body["userId"]})
    if user["_id"] != call.uid and not await has_permission(call.server, call.user, "edit-other-user-info"):
        raise RocketError(
            "error-action-not-allowed", "Editing user is not allowed", {"action": "Editing_user"}
        )
    if "roles" in data and not await has_permission(call.server, call.user, "assign-roles"):
        raise RocketError("error-action-not-allowed", "Assign role is not allowed", {"action": "Assign_role"})
    await _check_identity(call, data, user["_id"])
    kept = (
        "name",
        "username",
        "roles",
        "active",
        "customFields",
        "statusText",
        "bio",
        "nickname",
        "requirePasswordChange",
    )
    change: Document = {name: data[name] for name in kept if name in data}
    if "email" in data or "verified" in data:
        old = (user.get("emails") or [{}])[0]
        address = data.get("email", old.get("address"))
        verified = data.get("verified", old.get("verified", False) and address == old.get("address"))
        change["emails"] = [{"address": address, "verified": verified}]
    if data.get("password"):
        change["services.password.bcrypt"] = await hash_password(data["password"])
    await call.server.db["users"].update_one(
        {"_id": user["_id"]}, {"$set": change | {"_updatedAt": call.server.clock.now()}}
    )
    if data.get("password") or data.get("active") is False:
        await end_sessions(call, user, keep=call.token_hash)
    shown = {name: value for name, value in change.items() if not name.startswith("services")}
    push_user(call.server, user["_id"], shown)
    return {"user": user_view(await find_user(call.server, _id=user["_id"]) or {}, full=True)}


async def end_sessions(call: Call, user: Document, keep: str | None = None) -> None:
    """Every token of the user dies, but the caller's own."""
    for entry in user.get("services", {}).get("resume", {}).get("loginTokens") or []:
        if entry["hashedToken"] != keep:
            await remove_tokens(call.server, user["_id"], entry["hashedToken"])


@route("users.delete", "POST")
async def delete(call: Call) -> Document:
    if not await has_permission(call.server, call.user, "delete-user"):
        raise forbidden()
    user, db = await user_from(call, call.body), call.server.db
    if "admin" in user.get("roles", []) and await db["users"].count_documents({"roles": "admin"}) == 1:
        raise RocketError(
            "error-action-not-allowed", "Leaving the app without an active admin is not allowed"
        )
    estate = await estate_of(call.server, user)
    if not call.body.get("confirmRelinquish"):
        await refuse_last_owner(call.server, estate)
    await relinquish(call.server, estate)
    subscriptions = await db["rocketchat_subscription"].find({"u._id": user["_id"]}).to_list()
    await db["rocketchat_subscription"].delete_many({"u._id": user["_id"]})
    rooms = [row["rid"] for row in subscriptions]
    await db["rocketchat_room"].update_many({"_id": {"$in": rooms}}, {"$inc": {"usersCount": -1}})
    if call.server.settings.get("Message_ErasureType") == "Delete":
        await db["rocketchat_message"].delete_many({"u._id": user["_id"]})
    await db["users"].delete_one({"_id": user["_id"]})
    await end_sessions(call, user)
    call.server.hub.publish("stream-notify-logged", "Users:Deleted", {"userId": user["_id"]})
    return {"deletedRooms": estate.removed}


@route("users.createToken", "POST", auth=True)
async def create_token(call: Call) -> Document:
    """A log-in token for somebody else; needs the environment variable as well as the permission."""
    config = call.server.config
    if config.since(8):
        given, wanted = call.body.get("secret"), config.environ.get("CREATE_TOKENS_FOR_USERS_SECRET")
        allowed = bool(wanted) and given == wanted
        user = await user_from(call, {"userId": call.body.get("userId")})
    else:
        allowed, user = config.create_tokens_for_users, await user_from(call, call.body)
    mine = user["_id"] == call.uid
    if not allowed or not (
        mine or await has_permission(call.server, call.user, "user-generate-access-token")
    ):
        raise RocketError("error-not-authorized", "Not authorized", {"method": "createToken"})
    token, _ = await issue_token(call.server, user)
    return {"data": {"userId": user["_id"], "authToken": token}}


@route("users.generatePersonalAccessToken", "POST", two_factor=True)
async def generate_personal_access_token(call: Call) -> Document:
    name, details = call.body.get("tokenName"), {"method": "personalAccessTokens:generateToken"}
    if not isinstance(name, str) or not name:
        raise PlainError("The 'tokenName' param is required")
    if not await has_permission(call.server, call.user, "create-personal-access-tokens"):
        raise RocketError("not-authorized", "Not Authorized", details)
    user = call.user or {}
    entries = user.get("services", {}).get("resume", {}).get("loginTokens") or []
    if any(entry.get("name") == name for entry in entries):
        raise RocketError("error-token-already-exists", "A token with this name already exists", details)
    bypass = bool(call.body.get("bypassTwoFactor"))
    fields = {"type": "personalAccessToken", "name": name, "bypassTwoFactor": bypass}
    token, entry = await issue_token(
        call.server, user, lastTokenPart="", createdAt=call.server.clock.now(), **fields
    )
    await call.server.db["users"].update_one(
        {"_id": call.uid, "services.resume.loginTokens.hashedToken": entry["hashedToken"]},
        {"$set": {"services.resume.loginTokens.$.lastTokenPart": token[-6:]}},
    )
    return {"token": token}


@route("users.removePersonalAccessToken", "POST", two_factor=True)
async def remove_personal_access_token(call: Call) -> Document:
    name, user = call.body.get("tokenName"), call.user or {}
    if not isinstance(name, str) or not name:
        raise PlainError("The 'tokenName' param is required")
    entries = user.get("services", {}).get("resume", {}).get("loginTokens") or []
    entry = next((e for e in entries if e.get("name") == name), None)
    if entry is None or token_entry(user, entry["hashedToken"]) is None:
        raise RocketError("error-token-does-not-exists", "Token does not exist")
    await remove_tokens(call.server, call.uid, entry["hashedToken"])
    return {}


@route("users.setStatus", "POST")
async def set_status(call: Call) -> Document:
    status, text = call.body.get("status"), call.body.get("message")
    if status is not None and status not in STATUSES:
        raise RocketError(
            "error-invalid-status", "Valid status types include online, away, offline, and busy."
        )
    if text is not None and not isinstance(text, str):
        raise RocketError("invalid-params", "must be string")
    chosen = status or (call.user or {}).get("status") or "online"
    await choose_status(call.server, call.uid, chosen, text)
    return {}


@route("users.getUsernameSuggestion", "GET")
async def username_suggestion(call: Call) -> Document:
    return {"result": await suggest(call)}


@method("getUsernameSuggestion")
async def suggest(call: Call, *_: Any) -> str:
    """A free name made of the user's own, as the page "Register username" offers it."""
    user = call.user or {}
    base = re.sub(r"[^\w.-]", ".", str(user.get("name") or "user")).strip(".").lower() or "user"
    number, name = 0, base
    while not await username_is_free(call.server, name):
        number, name = number + 1, f"{base}-{number}"
    return name


@method("setUsername")
async def set_username(call: Call, username: Any = None, *_: Any) -> str:
    """Give a user without a name one; only now do they join the default channels."""
    if not isinstance(username, str):
        raise RocketError(400, "Match failed")
    user = call.user or {}
    changing = user.get("username") is not None
    if changing and not call.server.settings.get("Accounts_AllowUsernameChange"):
        raise RocketError("error-not-allowed", "Not allowed", {"method": "setUsername"})
    if not re.fullmatch(str(call.server.settings.get("UTF8_User_Names_Validation")), username):
        raise RocketError(
            "username-invalid",
            f"{username} is not a valid username, use only letters, numbers, dots, hyphens and underscores",
        )
    if not await username_is_free(call.server, username, call.uid):
        raise RocketError(
            "error-field-unavailable", f"{username} is already in use :(", {"method": "setUsername"}
        )
    await call.server.db["users"].update_one({"_id": call.uid}, {"$set": {"username": username}})
    if not changing:
        await join_channels(call.server, user | {"username": username})
    push_user(call.server, call.uid, {"username": username})
    return username
