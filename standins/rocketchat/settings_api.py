"""REST and DDP for settings and login services (`app/api/server/v1/settings.ts`)."""

from typing import Any

from standins.rocketchat.documents import Document, random_id
from standins.rocketchat.errors import RocketError, failure, invalid, match, not_allowed
from standins.rocketchat.json_query import narrowed
from standins.rocketchat.parameters import listing
from standins.rocketchat.registry import Call, method, route
from standins.rocketchat.twofactor import check_second_factor

_FIELDS = dict.fromkeys(("value", "enterprise", "invalidValue", "modules"), 1)
# What saveSettings checks a value for; every other type of setting is text.
_TYPES: dict[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "int": (int, float),
    "timespan": (int, float),
    "multiSelect": list,
    "roomPick": (list, str),
}
_BUTTON = ("buttonLabelText", "buttonColor", "buttonLabelColor")


async def _listed(call: Call, query: Document, **more: int) -> Document:
    """A page of rows as Mongo has them, but premium ones with the value that counts."""
    names = [name for name in call.query.get("_id", "").split(",") if name]
    if names and call.server.config.since(7):
        query |= {"_id": {"$in": names}}
    collection, query = call.server.settings.collection, narrowed(call, query | {"hidden": {"$ne": True}})
    page = await listing(call, collection, query, "settings", [("_id", 1)], _FIELDS | more)
    for row in page["settings"]:
        row["value"] = call.server.settings.effective(row)
    return page


@route("settings.public", "GET", auth=False)
async def public(call: Call) -> Document:
    unknown = set(call.query) - {"_id", "offset", "count", "sort", "query", "fields"}
    if unknown and call.server.config.since(7):
        raise invalid("must NOT have additional properties")
    return await _listed(call, {"public": True})


@route("settings", "GET")
async def listed(call: Call) -> Document:
    with_defaults = call.query.get("includeDefaults") == "true" and call.server.config.since(7)
    more = {"packageValue": 1} if with_defaults else {}
    return await _listed(call, {} if await call.may("view-privileged-setting") else {"public": True}, **more)


async def _visible(call: Call) -> Document:
    row = await call.server.settings.collection.find_one({"_id": call.query["_id"], "hidden": {"$ne": True}})
    if row is None:
        raise failure()
    return dict(row)


@route("settings/:_id", "GET", needs="view-privileged-setting")
async def one(call: Call) -> Document:
    row = await _visible(call)
    return {"_id": row["_id"], "value": row.get("value")}


@route("settings/:_id", "POST", two_factor=True, needs="edit-privileged-setting")
async def change(call: Call) -> None:
    """`{value}`; `{execute: true}` for an action, `{editor, value}` for a colour. No check of the type."""
    row, body = await _visible(call), call.body
    if row.get("type") == "action" and body.get("execute"):
        return
    if "value" not in body or not await call.server.settings.set(row["_id"], body["value"]):
        raise failure()


@method("saveSettings")
async def save_settings(call: Call, changes: Any = None, *_: Any) -> bool:
    """Several `{_id, value}`; hidden rows too, which the route refuses (lib/server/methods/saveSettings.ts).

    Values are checked by the row's type. Seen on a running 6.5.3.
    """
    changes = changes or []
    match((changes, list))
    match(*((one, dict) for one in changes))
    match(*((one.get("_id"), str) for one in changes))
    # A method over REST finds the code in the headers of its request (app/2fa/server/code/index.ts).
    code, way = call.headers.get("x-2fa-code"), call.headers.get("x-2fa-method")
    await check_second_factor(call.server, call.me, code, way, call=call)
    if not await call.may("edit-privileged-setting"):
        raise RocketError(
            "error-action-not-allowed", "Editing settings is not allowed", {"method": "saveSettings"}
        )
    for one in changes:
        row = await call.server.settings.collection.find_one({"_id": one["_id"]}) or {}
        match((one.get("value"), _TYPES.get(row.get("type", ""), str)))
    for one in changes:
        await call.server.settings.set(one["_id"], one["value"], hidden=True)
    return True


@route("fingerprint", "POST")
async def fingerprint(call: Call) -> Document:
    """Anybody's answer to the question whether the workspace has moved (v1/misc.ts, 6.5.3 and 7.7.1)."""
    if call.body["setDeploymentAs"] == "new-workspace":
        await call.server.settings.set("uniqueID", random_id())
    await call.server.settings.set("Deployment_FingerPrint_Verified", True)
    return {}


@route("settings.addCustomOAuth", "POST", two_factor=True)
async def add_custom_oauth(call: Call) -> None:
    name = call.body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RocketError("error-name-param-not-provided", 'The parameter "name" is required')
    await add_oauth_service(call, name)


@method("addOAuthService")
async def add_oauth_service(call: Call, name: Any = None, *_: Any) -> None:
    await _must_manage(call, "addOAuthService", "Adding_OAuth_Services", name)
    if call.server.config.since(9):
        # Without the module oauth-enterprise, which no stand-in has (pull request 42477).
        raise RocketError("error-action-not-allowed", "Custom OAuth requires a license")
    await call.server.services.add(name)


@method("removeOAuthService")
async def remove_oauth_service(call: Call, name: Any = None, *_: Any) -> None:
    """Remove a provider's setting rows; its service row goes two seconds later."""
    match((name, str))
    if not await call.may("add-oauth-service"):
        raise not_allowed("removeOAuthService")
    await call.server.services.remove(name)


@method("refreshOAuthService")
async def refresh_oauth_service(call: Call, *_: Any) -> None:
    """Drop every service row and build them anew from the settings."""
    await _must_manage(call, "refreshOAuthService", "Refresh_OAuth_Services", "")
    await call.server.services.collection.delete_many({})
    await call.server.services.update()


async def _must_manage(call: Call, name: str, action: str, service: Any) -> None:
    match((service, str))
    if not await call.may("add-oauth-service"):
        reason = f"{action.replace('_', ' ')} is not allowed"
        raise RocketError("error-action-not-allowed", reason, {"method": name, "action": action})


def _shown(row: Document) -> Document:
    if row.get("custom"):
        return row
    shown = {"_id": row["_id"], "name": row["service"], "clientId": row.get("clientId"), "custom": False}
    return shown | {name: row.get(name, "") for name in _BUTTON}


@route("settings.oauth", "GET", auth=False)
async def oauth_services(call: Call) -> Document:
    """Enabled log-in services; custom ones whole but for the secret."""
    return {"services": [_shown(row) for row in await call.server.services.public_rows()]}


@route("service.configurations", "GET", auth=False)
async def service_configurations(call: Call) -> Document:
    return {"configurations": await call.server.services.public_rows()}
