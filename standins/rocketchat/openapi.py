"""`python -m standins.rocketchat.openapi`: the REST routes that the stand-in answers, as OpenAPI 3.1.

Made of the route table itself, so that a route cannot be left out: one without a shape is an error. Refusals
are described once; their texts and codes are Rocket.Chat's (`app/api/server/ApiClass.ts`).
"""

from __future__ import annotations

import json
import sys

from standins.rocketchat.app import declare_handlers
from standins.rocketchat.registry import ROUTES, Document, Route
from standins.rocketchat.shapes import Shape, schema_of, shape_of

_SESSION = ("X-Auth-Token", "X-User-Id")
_REFUSED: Document = {
    "type": "object",
    "required": ["success"],
    "properties": {
        "success": {"const": False},
        "error": {"type": ["string", "integer"]},
        "errorType": {"type": ["string", "integer"]},
    },
}
_NOT_LOGGED_IN: Document = {
    "type": "object",
    "anyOf": [{"required": ["message"]}, {"required": ["error"]}],
    "properties": {"status": {"const": "error"}, "success": {"const": False}},
}
_UNKNOWN: Document = {"type": "object", "required": ["success"], "properties": {"success": {"const": False}}}


def document(version: str = "7.7.1") -> Document:
    """The whole document; raises KeyError for a route of the table that has no shape."""
    declare_handlers()
    paths: dict[str, Document] = {}
    for route in ROUTES.values():
        path, names = _path(route.path)
        paths.setdefault(path, {})[route.verb.lower()] = _operation(
            route, shape_of(route.verb, route.path), names
        )
    about = f"Routes under /api/v1 of the stand-in for Rocket.Chat {version}; not Rocket.Chat's own document."
    schemes = {name: {"type": "apiKey", "in": "header", "name": name} for name in _SESSION}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rocket.Chat stand-in", "version": version, "description": about},
        "servers": [{"url": "/api/v1"}],
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": schemes},
    }


def _path(declared: str) -> tuple[str, list[str]]:
    """The route's path as OpenAPI writes it, and the names in it."""
    names = [part[1:] for part in declared.split("/") if part.startswith(":")]
    parts = (f"{{{part[1:]}}}" if part.startswith(":") else part for part in declared.split("/"))
    return "/" + "/".join(parts), names


def _operation(route: Route, shape: Shape, in_path: list[str]) -> Document:
    taken = [(name.rstrip("*"), name.endswith("*")) for name in shape.takes.split()]
    parameters: list[Document] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in in_path
    ]
    operation: Document = {"operationId": f"{route.verb} {route.path}", "responses": _responses(route, shape)}
    if route.verb == "GET":
        parameters += [
            {"name": name, "in": "query", "required": needed, "schema": schema_of(shape, name)}
            for name, needed in taken
        ]
    else:
        body = {
            "type": "object",
            "properties": {name: schema_of(shape, name) for name, _ in taken},
            "required": [name for name, needed in taken if needed],
        }
        operation["requestBody"] = {"required": True, "content": _json(body)}
    if route.auth:
        operation["security"] = [{"X-Auth-Token": [], "X-User-Id": []}]
    if route.permissions or route.two_factor:
        demands = [*route.permissions, *(["a second factor"] if route.two_factor else [])]
        operation["description"] = f"Demands {', '.join(demands)}."
    return operation | ({"parameters": parameters} if parameters else {})


def _responses(route: Route, shape: Shape) -> Document:
    given = shape.gives.split()
    answered: Document = {
        "type": "object",
        "required": ["success", *given],
        "properties": {"success": {"const": True}} | {name: schema_of(shape, name) for name in given},
    }
    responses = {
        "200": _response("Done.", answered),
        "400": _response("Refused; `errorType` says why.", _REFUSED),
        "403": _response("A permission is missing.", _REFUSED),
        "429": _response("Too many calls of this route from this address.", _REFUSED),
    }
    if route.auth or route.path == "login":
        responses["401"] = _response("Not logged in, or the log-in is refused.", _NOT_LOGGED_IN)
    if ":" in route.path:
        responses["404"] = _response("A part of the path is missing.", _UNKNOWN)
    return responses


def _response(text: str, schema: Document) -> Document:
    return {"description": text, "content": _json(schema)}


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2, ensure_ascii=False)
