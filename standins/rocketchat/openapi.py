"""`python -m standins.rocketchat.openapi`: the REST routes that the stand-in answers, as OpenAPI 3.1.

Made of the route table itself, so that a route cannot be left out: one without a shape is an error. Refusals
are described once; their texts and codes are Rocket.Chat's (`app/api/server/ApiClass.ts`).
"""

import json
import sys

from standins.rocketchat.app import declare_handlers
from standins.rocketchat.documents import Document
from standins.rocketchat.registry import ROUTES, Route
from standins.rocketchat.shapes import Shape, shape_of

_SESSION = ("X-Auth-Token", "X-User-Id")
_UNKNOWN: Document = {"type": "object", "required": ["success"], "properties": {"success": {"const": False}}}
_CODE = {"type": ["string", "integer"]}
_REFUSED = _UNKNOWN | {"properties": _UNKNOWN["properties"] | {"error": _CODE, "errorType": _CODE}}
_NOT_LOGGED_IN: Document = {
    "type": "object",
    "anyOf": [{"required": ["message"]}, {"required": ["error"]}],
    "properties": {"status": {"const": "error"}, "success": {"const": False}},
}


def document(version: str = "7.7.1") -> Document:
    """The whole document; raises KeyError for a route of the table that has no shape."""
    declare_handlers()
    paths: dict[str, Document] = {}
    for route in ROUTES.values():
        parts = [f"{{{part[1:]}}}" if part[0] == ":" else part for part in route.path.split("/")]
        paths.setdefault("/" + "/".join(parts), {})[route.verb.lower()] = _operation(route)
    about = f"Routes under /api/v1 of the stand-in for Rocket.Chat {version}; not Rocket.Chat's own document."
    schemes = {name: {"type": "apiKey", "in": "header", "name": name} for name in _SESSION}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rocket.Chat stand-in", "version": version, "description": about},
        "servers": [{"url": "/api/v1"}],
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": schemes},
    }


def _parameter(name: str, place: str, schema: Document, *, required: bool) -> Document:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _operation(route: Route) -> Document:
    shape, text = shape_of(route.verb, route.path), {"type": "string", "minLength": 1}
    in_path = [part[1:] for part in route.path.split("/") if part[0] == ":"]
    parameters = [_parameter(name, "path", text, required=True) for name in in_path]
    operation: Document = {"operationId": f"{route.verb} {route.path}", "responses": _responses(route, shape)}
    if route.verb == "GET":
        taken = shape.takes.items()
        parameters += [_parameter(n, "query", schema, required=n in shape.required) for n, schema in taken]
    else:
        body = {"type": "object", "properties": shape.takes, "required": shape.required}
        operation["requestBody"] = {"required": True, "content": _json(body)}
    if route.auth:
        operation["security"] = [{name: [] for name in _SESSION}]
    demands = [*route.permissions, route.needs, "a second factor" if route.two_factor else ""]
    if demands := [demand for demand in demands if demand]:
        operation["description"] = f"Demands {', '.join(demands)}."
    return operation | ({"parameters": parameters} if parameters else {})


def _responses(route: Route, shape: Shape) -> Document:
    given = {"success": {"const": True}} | shape.gives
    answers: dict[str, tuple[str, Document]] = {
        "200": ("Done.", {"type": "object", "required": [*given], "properties": given}),
        "400": ("Refused; `errorType` says why.", _REFUSED),
        "403": ("A permission is missing.", _REFUSED),
        "429": ("Too many calls of this route from this address.", _REFUSED),
    }
    if route.auth or route.path == "login":
        answers["401"] = ("Not logged in, or the log-in is refused.", _NOT_LOGGED_IN)
    if ":" in route.path:
        answers["404"] = ("A part of the path is missing.", _UNKNOWN)
    return {code: {"description": text, "content": _json(schema)} for code, (text, schema) in answers.items()}


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2, ensure_ascii=False)
