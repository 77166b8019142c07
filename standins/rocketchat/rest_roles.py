"""roles.* and permissions.* of the REST API (`app/api/server/v1/roles.ts`, `permissions.ts`)."""

from typing import Any

from standins.rocketchat.access import change_subscription, subscription_of
from standins.rocketchat.documents import Document
from standins.rocketchat.errors import PlainError, RocketError
from standins.rocketchat.parameters import listing, typed, user_from
from standins.rocketchat.registry import Call, route

_USER_FIELDS = dict.fromkeys(("name", "username", "emails", "avatarETag", "createdAt", "_updatedAt"), 1)


@route("roles.list", "GET")
async def roles_list(call: Call) -> Document:
    return {"roles": await call.server.roles.find({}, {"_updatedAt": 0}).to_list()}


async def _role(call: Call, values: Document, missing: Exception) -> Document:
    """The role that `roleId` names, or before 8.0 the deprecated `roleName`; raises `missing` for none."""
    key = values.get("roleId")
    if not key and not call.server.config.since(8):
        key = values.get("roleName")
    if not key:
        raise PlainError("error-invalid-role-properties")
    role = await call.server.roles.find_one({"_id": key})
    if role is None:
        raise missing
    return role


async def _change(call: Call, user: Document, role: Document, rid: Any, *, given: bool) -> None:
    """Give or take a role: on the user, or for a room's role on the subscription."""
    change: Document = {"$addToSet" if given else "$pull": {"roles": role["_id"]}}
    if role["scope"] == "Subscriptions" and rid:
        mine = {"rid": rid, "u._id": user["_id"]}
        if await change_subscription(call.server, mine, change) is None:
            raise RocketError("error-user-not-in-room", "User is not in this room")
    else:
        stamped = change | {"$set": {"_updatedAt": call.server.now()}}
        await call.server.users.update_one({"_id": user["_id"]}, stamped)
    who = {"_id": user["_id"], "username": user["username"]}
    event = {"type": "added" if given else "removed", "_id": role["_id"], "u": who}
    call.server.hub.publish("stream-notify-logged", "roles-change", event | ({"scope": rid} if rid else {}))


async def _held(call: Call, user: Document, role: Document, rid: Any) -> bool:
    holder: Document | None = user
    if role["scope"] == "Subscriptions" and rid:
        holder = await subscription_of(call.server, rid, user["_id"])
    return role["_id"] in ((holder or {}).get("roles") or [])


@route("roles.addUserToRole", "POST")
async def add_user_to_role(call: Call) -> Document:
    body = typed(call.body, "username")
    user = await user_from(call, {"username": body["username"]})
    # The two are the wrong way round in Rocket.Chat itself (v1/roles.ts).
    role = await _role(call, body, PlainError("error-role-not-found", "Role not found"))
    if await _held(call, user, role, body.get("roomId")):
        raise RocketError("error-user-already-in-role", "User already in role")
    needed = ["access-permissions"] + (["assign-admin-role"] if role["_id"] == "admin" else [])
    if not all([await call.may(name) for name in needed]):
        raise RocketError("error-action-not-allowed", "Accessing permissions is not allowed")
    await _change(call, user, role, body.get("roomId"), given=True)
    return {"role": role}


@route(
    "roles.removeUserFromRole",
    "POST",
    permissions=("access-permissions",),
    older=lambda: RocketError("error-not-allowed", "Accessing permissions is not allowed"),
)
async def remove_user_from_role(call: Call) -> Document:
    body = typed(call.body, "username")
    user = await call.server.users.find_one({"username": body["username"]})
    if user is None:
        raise RocketError("error-invalid-user", "There is no user with this username")
    role = await _role(call, body, RocketError("error-invalid-roleId", "This role does not exist"))
    if not await _held(call, user, role, body.get("scope")):
        raise RocketError("error-user-not-in-role", "User is not in this role")
    if role["_id"] == "admin" and await call.server.users.count_documents({"roles": "admin"}) == 1:
        raise RocketError("error-admin-required", "You need to have at least one admin")
    await _change(call, user, role, body.get("scope"), given=False)
    return {"role": role}


@route(
    "roles.getUsersInRole",
    "GET",
    permissions=("access-permissions",),
    older=lambda: RocketError("error-not-allowed", "Not allowed"),
)
async def users_in_role(call: Call) -> Document:
    name, rid = call.query.get("role"), call.query.get("roomId")
    if not name:
        raise RocketError("error-param-not-provided", 'Query param "role" is required')
    if rid and not await call.may("view-other-user-channels"):
        raise RocketError("error-not-allowed", "Not allowed")
    role = await call.server.roles.find_one({"_id": name})
    if role is None:
        raise RocketError("error-invalid-roleId", "")
    query: Document = {"roles": name}
    if role["scope"] == "Subscriptions":
        rows = call.server.subscriptions.find(query | ({"rid": rid} if rid else {}), {"u._id": 1})
        query = {"_id": {"$in": [row["u"]["_id"] async for row in rows]}}
    page = await listing(call, call.server.users, query, "users", [("username", 1)], _USER_FIELDS)
    return {"users": page["users"], "total": page["total"]}


@route(
    "permissions.update",
    "POST",
    permissions=("access-permissions",),
    older=lambda: PlainError("Editing permissions is not allowed", "error-edit-permissions-not-allowed"),
)
async def permissions_update(call: Call) -> Document:
    """Replace the roles of each named permission; nothing is written unless all rows are right.

    No rows are right, and a row that changes nothing is not pushed (measured on 6.13.0).
    """
    rows, permissions = call.body.get("permissions"), call.server.permissions
    if set(call.body) != {"permissions"} or not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise PlainError("Invalid body params", "error-invalid-body-params")
    known = {role["_id"] async for role in call.server.roles.find({}, {"_id": 1})}
    stored = await permissions.stored()
    if not all(row["_id"] in stored for row in rows):
        raise PlainError("Invalid permission", "error-invalid-permission")
    if not all(set(row["roles"]) <= known for row in rows):
        raise PlainError("Invalid role", "error-invalid-role")
    for row in rows:
        if stored[row["_id"]].get("roles") != row["roles"]:
            saved = await permissions.set_roles(row["_id"], row["roles"], call.server.now())
            call.server.hub.publish("stream-notify-logged", "permissions-changed", "updated", saved)
    return {"permissions": list((await permissions.stored()).values())}


def _is_row(row: Any) -> bool:
    usable = isinstance(row, dict) and isinstance(row.get("_id"), str) and isinstance(row.get("roles"), list)
    return usable and all(isinstance(role, str) for role in row["roles"])
