"""REST and DDP for settings and login services (`app/api/server/v1/settings.ts`)."""

from __future__ import annotations

from typing import Any

from standins.rocketchat.envelope import failure, forbidden
from standins.rocketchat.json_query import narrowed
from standins.rocketchat.parameters import paging
from standins.rocketchat.permissions import has_permission
from standins.rocketchat.registry import Call, Document, RocketError, method, route

_FIELDS = ("_id", "value", "enterprise", "invalidValue", "modules")


async def _listed(call: Call, query: Document, *fields: str) -> Document:
    """A page of rows as Mongo has them, but premium ones with the value that counts."""
    offset, count = paging(call)
    names = [name for name in call.query.get("_id", "").split(",") if name]
    if names and call.server.config.since(7):
        query |= {"_id": {"$in": names}}
    query = narrowed(call, query)
    collection = call.server.db["rocketchat_settings"]
    rows = await collection.find(query).sort("_id", 1).skip(offset).limit(count).to_list()
    kept = (*_FIELDS, *fields)
    shown = [{name: row[name] for name in kept if name in row} for row in rows]
    for row in shown:
        row["value"] = call.server.settings.effective(row)
    total = await collection.count_documents(query)
    return {"settings": shown, "count": len(shown), "offset": offset, "total": total}


@route("settings.public", "GET", auth=False)
async def public(call: Call) -> Document:
    unknown = set(call.query) - {"_id", "offset", "count", "sort", "query", "fields"}
    if unknown and call.server.config.since(7):
        raise RocketError("invalid-params", "must NOT have additional properties")
    return await _listed(call, {"hidden": {"$ne": True}, "public": True})


@route("settings", "GET")
async def listed(call: Call) -> Document:
    query: Document = {"hidden": {"$ne": True}}
    if not await has_permission(call.server, call.user, "view-privileged-setting"):
        query["public"] = True
    with_defaults = call.query.get("includeDefaults") == "true" and call.server.config.since(7)
    return await _listed(call, query, *(("packageValue",) if with_defaults else ()))


@route("settings/:_id", "GET")
async def one(call: Call) -> Document:
    if not await has_permission(call.server, call.user, "view-privileged-setting"):
        raise forbidden()
    row = await _visible(call)
    return {"_id": row["_id"], "value": row.get("value")}


async def _visible(call: Call) -> Document:
    query = {"_id": call.query["_id"], "hidden": {"$ne": True}}
    row = await call.server.db["rocketchat_settings"].find_one(query)
    if row is None:
        raise failure()
    return dict(row)


@route("settings/:_id", "POST", two_factor=True)
async def change(call: Call) -> Document:
    """`{value}`; `{execute: true}` for an action, `{editor, value}` for a colour. No check of the type."""
    if not await has_permission(call.server, call.user, "edit-privileged-setting"):
        raise forbidden()
    row, body = await _visible(call), call.body
    if row.get("type") == "action" and body.get("execute"):
        return {}
    if "value" not in body or not await call.server.settings.set(row["_id"], body["value"]):
        raise failure()
    return {}


@route("settings.addCustomOAuth", "POST", two_factor=True)
async def add_custom_oauth(call: Call) -> Document:
    name = call.body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RocketError("error-name-param-not-provided", 'The parameter "name" is required')
    await add_oauth_service(call, name)
    return {}


@method("addOAuthService")
async def add_oauth_service(call: Call, name: Any = None, *_: Any) -> None:
    await _must_manage(call, "addOAuthService", "Adding_OAuth_Services", name)
    await call.server.services.add(name)


@method("removeOAuthService")
async def remove_oauth_service(call: Call, name: Any = None, *_: Any) -> None:
    """Remove a provider's setting rows; its service row goes two seconds later."""
    await _must_manage(call, "removeOAuthService", "Remove_OAuth_Services", name)
    await call.server.services.remove(str(name))


@method("refreshOAuthService")
async def refresh_oauth_service(call: Call, *_: Any) -> None:
    """Drop every service row and build them anew from the settings."""
    await _must_manage(call, "refreshOAuthService", "Refresh_OAuth_Services", "")
    await call.server.services.collection.delete_many({})
    await call.server.services.update()


async def _must_manage(call: Call, name: str, action: str, service: Any) -> None:
    if not isinstance(service, str):
        raise RocketError(400, "Match failed")
    if not await has_permission(call.server, call.user, "add-oauth-service"):
        words = action.replace("_", " ")
        raise RocketError(
            "error-action-not-allowed", f"{words} is not allowed", {"method": name, "action": action}
        )


@route("settings.oauth", "GET", auth=False)
async def oauth_services(call: Call) -> Document:
    """Enabled log-in services; custom ones whole but for the secret."""
    rows = await call.server.services.public_rows()
    names = ("buttonLabelText", "buttonColor", "buttonLabelColor")
    return {
        "services": [
            row
            if row.get("custom")
            else {"_id": row["_id"], "name": row["service"], "clientId": row.get("clientId"), "custom": False}
            | {name: row.get(name, "") for name in names}
            for row in rows
        ]
    }


@route("service.configurations", "GET", auth=False)
async def service_configurations(call: Call) -> Document:
    return {"configurations": await call.server.services.public_rows()}
