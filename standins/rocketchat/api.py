"""The pipeline of `/api/v1`: session, rate limit, permissions, second factor, handler, envelope.

The order is Rocket.Chat's (`app/api/server/ApiClass.ts`, addRoute); so is that a failing handler answers
400, not 500, and that a body that does not parse counts as empty (`router.ts`, parseBodyParams).
"""

from __future__ import annotations

import functools
import hashlib
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from standins.rocketchat.documents import ejson_dumps, ejson_loads, json_loads
from standins.rocketchat.envelope import PlainError, answer, error_document, not_logged_in, refusal
from standins.rocketchat.permissions import has_permission
from standins.rocketchat.registry import (
    ANONYMOUS_METHODS,
    METHODS,
    ROUTES,
    Call,
    Document,
    RocketError,
    Route,
    route,
)
from standins.rocketchat.sessions import user_by_token
from standins.rocketchat.twofactor import check_second_factor

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

_VERBS = ("GET", "POST", "PUT", "DELETE")
_METHOD_ROUTES = ("method.call/:method", "method.callAnon/:method")
_MAX_BODY = 10_000_000
_CORS_OFF = 'CORS not enabled. Go to "Admin > General > REST Api" to enable it.'
_log = logging.getLogger("api")


@functools.cache
def _patterns() -> list[tuple[list[str], str]]:
    return [(path.split("/"), path) for path in {path for path, _ in ROUTES} if ":" in path]


def _find(path: str) -> tuple[str, dict[str, str]] | None:
    """The declared path that this one fits, and its `:name` parts."""
    if any((path, verb) in ROUTES for verb in _VERBS):
        return path, {}
    parts = path.split("/")
    for wanted, declared in _patterns():
        if len(wanted) == len(parts) and all(
            w == p or w[0] == ":" for w, p in zip(wanted, parts, strict=True)
        ):
            return declared, {w[1:]: p for w, p in zip(wanted, parts, strict=True) if w[0] == ":"}
    return None


def client_address(server: Server, headers: Any, peer: str) -> str:
    """X-Real-IP is trusted blindly; X-Forwarded-For as far as HTTP_FORWARDED_COUNT says."""
    if headers.get("x-real-ip"):
        return str(headers["x-real-ip"])
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    count = server.config.forwarded_count
    return hops[-count] if 0 < count <= len(hops) else peer


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


async def _body(server: Server, request: Request) -> Document:
    if request.method not in {"POST", "PUT", "DELETE"}:
        return {}
    if int(request.headers.get("content-length") or 0) > _MAX_BODY:
        return {}
    kind, raw = request.headers.get("content-type", ""), await request.body()
    text = raw.decode("utf-8", "replace")
    if "application/json" in kind:
        try:
            parsed = json_loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError):
            return {}
        return parsed if isinstance(parsed, dict) else {}
    if "application/x-www-form-urlencoded" in kind and not server.config.since(7, 6):
        return dict(parse_qsl(text))
    # Since 7.6 other bodies are a text that is spread into its characters (issue #36073).
    return {str(index): character for index, character in enumerate(text[:1000])}


async def _limit(call: Call, found: Route) -> dict[str, str]:
    """Count the call; returns the rate limit's headers, raises RocketError with them as details."""
    server, get = call.server, call.server.settings.get
    calls, window = (get(f"API_Enable_Rate_Limiter_Limit_{name}_Default") for name in ("Calls", "Time"))
    if found.path in _METHOD_ROUTES or server.config.test_mode or get("API_Enable_Rate_Limiter") is not True:
        return {}
    if found.path == "users.register":
        calls = get("Rate_Limiter_Limit_RegisterUser")
    if not isinstance(calls, int) or not isinstance(window, int) or not calls or not window:
        return {}
    # A route that asks for no session knows no user, so nobody is exempt there: `login` above all.
    if found.auth and await has_permission(server, call.user, "api-bypass-rate-limit"):
        return {}
    verdict = server.limiter.count((found.path, found.verb, call.address), server.clock.now(), calls, window)
    if verdict.wait_seconds:
        text = f"Error, too many requests. Please slow down. You must wait {verdict.wait_seconds} seconds"
        reason = f"{text} before trying this endpoint again."
        raise RocketError("error-too-many-requests", reason, verdict.headers)
    return verdict.headers


async def sign_in(server: Server, call: Call) -> None:
    """Put the user whom the headers X-Auth-Token and X-User-Id name into the call; both are needed."""
    token, user_id = call.headers.get("x-auth-token"), call.headers.get("x-user-id")
    if token and user_id:
        session = await user_by_token(server, token, user_id)
        if session is not None:
            call.user, call.token_hash = session


def _query(request: Request) -> dict[str, str]:
    """The address's parameters; of a list (`ids[]=a&ids[]=b`) all values, with commas, else the last."""
    given = request.query_params
    return {name: ",".join(given.getlist(name)) if name.endswith("[]") else given[name] for name in given}


async def dispatch(request: Request) -> Response:
    """Answer one request under /api/v1."""
    server: Server = request.app.state.server
    if request.method == "OPTIONS":
        return _preflight(server)
    path = request.path_params["path"]
    match = _find(path)
    if match is None:
        _log.warning("no such route: %s /api/v1/%s", request.method, path)
        return answer({"success": False, "error": "Resource not found"}, 404)
    found = ROUTES.get((match[0], "GET" if request.method == "HEAD" else request.method))
    if found is None:
        _log.warning("no such method: %s /api/v1/%s", request.method, path)
        return answer({"status": "error", "message": "API endpoint does not exist"}, 405)
    peer = request.client.host if request.client else "127.0.0.1"
    call = Call(
        server=server,
        query=_query(request) | match[1],
        headers=dict(request.headers),
        address=client_address(server, request.headers, peer),
    )
    await sign_in(server, call)
    if found.auth and call.user is None:
        return not_logged_in(server.config)
    call.body = await _body(server, request)
    try:
        headers = await _limit(call, found)
    except RocketError as error:
        return refusal(server.config, error, error.details)
    return await _run(call, found, headers)


async def _run(call: Call, found: Route, headers: dict[str, str]) -> Response:
    config = call.server.config
    try:
        await _admit(call, found)
        result: Any = await found.handler(call)
    except RocketError as error:
        return refusal(config, error, headers)
    except Exception as error:
        if not isinstance(error, PlainError):
            _log.exception("%s /api/v1/%s failed", found.verb, found.path)
        return refusal(config, error, headers)
    if isinstance(result, Response):
        result.headers.update(headers)
        return result
    return answer({**(result or {}), "success": True}, 200, headers | _cors(call.server))


async def _admit(call: Call, found: Route) -> None:
    """The route's permissions and second factor; raises RocketError."""
    if found.permissions and not await _has_all(call, found.permissions):
        reason = "User does not have the permissions required for this action"
        raise RocketError("error-unauthorized", reason)
    if found.two_factor and call.user is not None:
        code, method = call.headers.get("x-2fa-code"), call.headers.get("x-2fa-method")
        await check_second_factor(call.server, call.user, code, method, call=call)


async def _has_all(call: Call, permissions: tuple[str, ...]) -> bool:
    return all([await has_permission(call.server, call.user, name) for name in permissions])


def _cors(server: Server) -> dict[str, str]:
    if not server.settings.get("API_Enable_CORS"):
        return {}
    origin = str(server.settings.get("API_CORS_Origin") or "*")
    names = "Origin, X-Requested-With, Content-Type, Accept, X-User-Id, X-Auth-Token, x-visitor-token"
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": f"{names}, Authorization"}


def _preflight(server: Server) -> Response:
    if not server.settings.get("API_Enable_CORS"):
        return PlainTextResponse(_CORS_OFF, 405)
    methods = {"Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, HEAD, PATCH"}
    return PlainTextResponse("", 200, _cors(server) | methods)


async def call_method(call: Call, name: str, params: list[Any]) -> Any:
    """Run a DDP method for this caller; raises RocketError, 404 for a method nobody knows."""
    handler = METHODS.get(name)
    if handler is None:
        _log.warning("no such method: %s", name)
        raise RocketError(404, f"Method '{name}' not found")
    if call.user is None and name not in ANONYMOUS_METHODS:
        raise RocketError("error-invalid-user", "Invalid user", {"method": name})
    return await handler(call, *params)


def _limit_method(call: Call, name: str) -> None:
    get, prefix = call.server.settings.get, "DDP_Rate_Limit_Connection_By_Method_"
    calls, window = get(prefix + "Requests_Allowed"), get(prefix + "Interval_Time")
    if call.server.config.test_mode or not get(prefix + "Enabled") or not calls or not window:
        return
    agent = call.address + call.headers.get("user-agent", "")
    connection = call.token_hash or hashlib.md5(agent.encode()).hexdigest()  # noqa: S324
    verdict = call.server.limiter.count(("method", name, connection), call.server.clock.now(), calls, window)
    if verdict.wait_seconds:
        text = "Error, too many requests. Please slow down."
        reason = f"{text} You must wait {verdict.wait_seconds} seconds before trying again."
        raise RocketError("too-many-requests", reason, {"timeToReset": verdict.wait_seconds * 1000})


@route("method.callAnon/:method", "POST", auth=False)
@route("method.call/:method", "POST")
async def method_over_rest(call: Call) -> Document:
    """A DDP method by REST: refusals arrive with status 200, inside `message` (`v1/misc.ts`)."""
    message = call.body.get("message")
    if not isinstance(message, str):
        problem = "must be string" if "message" in call.body else "must have required property 'message'"
        raise RocketError("invalid-params", problem)
    try:
        data = ejson_loads(message)
    except (ValueError, RecursionError) as error:
        raise PlainError("Invalid method call") from error
    usable = isinstance(data, dict) and isinstance(data.get("method"), str)
    if not usable or not isinstance(data.get("params"), list):
        raise PlainError("Invalid method call")
    frame: Document = {"msg": "result", "id": data.get("id")}
    try:
        _limit_method(call, data["method"])
        frame["result"] = await call_method(call, data["method"], data["params"])
    except RocketError as error:
        frame["error"] = error_document(error)
    except Exception as error:
        _log.exception("method %s failed", data["method"])
        frame["error"] = error_document(error)
    return {"message": ejson_dumps(frame)}
