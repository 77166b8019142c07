"""The pipeline of `/api/v1`: session, rate limit, permissions, second factor, handler, envelope.

The order is Rocket.Chat's (`app/api/server/ApiClass.ts`, addRoute); so is that a failing handler answers
400, not 500. A body that does not parse counts as empty since the router of 7.6 (`router.ts`,
parseBodyParams). Before, it is 400 with a page (measured on 6.13.0).
"""

import hashlib
import logging
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from standins.rocketchat.documents import Document, ejson_dumps, ejson_loads, hash_token, json_loads
from standins.rocketchat.envelope import answer, error_document, not_logged_in, refusal
from standins.rocketchat.errors import PlainError, RocketError, forbidden, invalid
from standins.rocketchat.forms import form
from standins.rocketchat.registry import ANONYMOUS_METHODS, METHODS, ROUTES, Call, Route, route
from standins.rocketchat.schemas import schema_of
from standins.rocketchat.server import Server
from standins.rocketchat.sessions import user_by_hash
from standins.rocketchat.twofactor import check_second_factor

_METHOD_ROUTES = ("method.call/:method", "method.callAnon/:method")
_MAX_BODY = 10_000_000
_CORS_OFF = 'CORS not enabled. Go to "Admin > General > REST Api" to enable it.'
_CORS_NAMES = (
    "Origin, X-Requested-With, Content-Type, Accept, X-User-Id, X-Auth-Token, x-visitor-token, Authorization"
)
# Meteor's own rule for signing in, which no setting changes (accounts-base, addDefaultRateLimit).
_SIGN_IN = ("login", "createUser", "resetPassword", "forgotPassword")
_SIGN_INS, _SIGN_IN_WINDOW = 5, 10_000
_TOO_MANY = "Error, too many requests. Please slow down. You must wait {} seconds before trying {}."
_log = logging.getLogger("api")


def _find(path: str) -> tuple[str, dict[str, str]] | None:
    """The declared path that this one fits, and its `:name` part, which is always the last."""
    known = {declared for declared, _ in ROUTES}
    if path in known:
        return path, {}
    first, _, last = path.partition("/")
    fitting = [declared for declared in known if declared.startswith(f"{first}/:") and "/" not in last]
    return (fitting[0], {fitting[0].partition(":")[2]: last}) if fitting else None


def client_address(server: Server, headers: Any, peer: str) -> str:
    """X-Real-IP is trusted blindly; X-Forwarded-For as far as HTTP_FORWARDED_COUNT says."""
    if headers.get("x-real-ip"):
        return str(headers["x-real-ip"])
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    count = server.config.forwarded_count
    return hops[-count] if 0 < count <= len(hops) else peer


class _BadJsonError(Exception):
    """A body that is no JSON, where that is more than an empty body."""


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


async def _body(server: Server, request: Request) -> Document:
    too_long = int(request.headers.get("content-length") or 0) > _MAX_BODY
    if request.method not in {"POST", "PUT", "DELETE"} or too_long:
        return {}
    kind, raw = request.headers.get("content-type", ""), await request.body()
    if "multipart/form-data" in kind:
        return form(kind, raw)
    text = raw.decode("utf-8", "replace")
    if "application/json" in kind:
        try:
            parsed = json_loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError):
            if not server.config.since(7, 6):
                raise _BadJsonError from None
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
    if found.auth and await call.may("api-bypass-rate-limit"):
        return {}
    verdict = server.limiter.count((found.path, found.verb, call.address), server.now(), calls, window)
    if verdict.wait_seconds:
        reason = _TOO_MANY.format(verdict.wait_seconds, "this endpoint again")
        raise RocketError("error-too-many-requests", reason, verdict.headers)
    return verdict.headers


async def sign_in(server: Server, call: Call) -> None:
    """Put the user whom the headers X-Auth-Token and X-User-Id name into the call; both are needed."""
    token, user_id = call.headers.get("x-auth-token"), call.headers.get("x-user-id")
    if token and user_id:
        call.user = await user_by_hash(server, hash_token(token), user_id)
        call.token_hash = hash_token(token) if call.user else None


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
        return await _no_route(request)
    found = ROUTES.get((match[0], "GET" if request.method == "HEAD" else request.method))
    if found is None:
        _log.warning("no such method: %s /api/v1/%s", request.method, path)
        return answer({"status": "error", "message": "API endpoint does not exist"}, 405)
    peer = request.client.host if request.client else "127.0.0.1"
    call = Call(server, query=_query(request) | match[1], headers=dict(request.headers))
    call.address = client_address(server, request.headers, peer)
    await sign_in(server, call)
    if found.auth and call.user is None:
        return not_logged_in(server.config)
    return await _begin(call, found, request)


async def _no_route(request: Request) -> Response:
    """JSON 404 since the router of 7.6; before, the client's page, or 405 (measured on 6.13.0)."""
    _log.warning("no such route: %s %s", request.method, request.url.path)
    if request.app.state.server.config.since(7, 6):
        return answer({"success": False, "error": "Resource not found"}, 404)
    page: Response = await request.app.state.page(request)
    return page


async def _begin(call: Call, found: Route, request: Request) -> Response:
    try:
        call.body = await _body(call.server, request)
        headers = await _limit(call, found)
    except _BadJsonError:
        return HTMLResponse("Bad Request", 400)
    except RocketError as error:
        return refusal(call.server.config, error, error.details)
    return await _run(call, found, headers)


def _check_schema(call: Call, found: Route) -> None:
    """Refuse what the route's schema refuses; a body comes out with the types that ajv gives it."""
    schema = schema_of(found.verb, found.path, call.server.config.numbers)
    if schema is None:
        return
    in_path = found.path.partition(":")[2]
    given: Document = call.query if found.verb == "GET" else call.body
    taken, problems = schema.check({name: value for name, value in given.items() if name != in_path})
    if problems:
        _log.warning("%s /api/v1/%s: %s", found.verb, found.path, "; ".join(problems))
        raise invalid(*problems)
    if found.verb != "GET":
        call.body = taken


async def _run(call: Call, found: Route, headers: dict[str, str]) -> Response:
    try:
        _check_schema(call, found)
        if not all([await call.may(name) for name in found.permissions]):
            if not call.server.config.since(7):
                raise found.older()  # noqa: TRY301 - refused as handlers refuse
            reason = "User does not have the permissions required for this action"
            raise RocketError("error-unauthorized", reason)  # noqa: TRY301 - as above
        if found.two_factor and call.user is not None:
            code, method = call.headers.get("x-2fa-code"), call.headers.get("x-2fa-method")
            await check_second_factor(call.server, call.user, code, method, call=call)
        if found.needs and not await call.may(found.needs):
            raise forbidden()  # noqa: TRY301 - as above
        result = await found.handler(call)
    except Exception as error:
        if not isinstance(error, RocketError | PlainError):
            _log.exception("%s /api/v1/%s failed", found.verb, found.path)
        return refusal(call.server.config, error, headers)
    if isinstance(result, Response):
        result.headers.update(headers)
        return result
    return answer({**(result or {}), "success": True}, 200, headers | _cors(call.server))


def _cors(server: Server) -> dict[str, str]:
    if not server.settings.get("API_Enable_CORS"):
        return {}
    origin = str(server.settings.get("API_CORS_Origin") or "*")
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": _CORS_NAMES}


def _preflight(server: Server) -> Response:
    if not server.settings.get("API_Enable_CORS"):
        return PlainTextResponse(_CORS_OFF, 405)
    methods = {"Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, HEAD, PATCH"}
    return PlainTextResponse("", 200, _cors(server) | methods)


def _limit_method(call: Call, name: str, caller: str) -> None:
    """The rate limits of methods, per method and caller: a socket, or a token or address by REST.

    Meteor's for signing in always holds (measured on 6.13.0: the sixth log-in within ten seconds is refused).
    Rocket.Chat's (`app/lib/server/startup/rateLimiter.js`) is a setting, and off in TEST_MODE.
    """
    config, get, prefix = call.server.config, call.server.settings.get, "DDP_Rate_Limit_Connection_By_Method_"
    limits: list[tuple[str, Any, Any]] = []
    if name in _SIGN_IN and not config.unlimited_logins:
        limits.append(("signing in", _SIGN_INS, _SIGN_IN_WINDOW))
    if not config.test_mode and get(prefix + "Enabled"):
        limits.append((name, get(prefix + "Requests_Allowed"), get(prefix + "Interval_Time")))
    for what, calls, window in limits:
        if not calls or not window:
            continue
        verdict = call.server.limiter.count(
            ("method", what, caller), call.server.now(), int(calls), int(window)
        )
        if wait := verdict.wait_seconds:
            details = {"timeToReset": wait * 1000}
            raise RocketError("too-many-requests", _TOO_MANY.format(wait, "again"), details)


async def run_method(call: Call, caller: str, frame_id: Any, name: str, params: list[Any]) -> Document:
    """Run a DDP method: the `result` frame, with `error` for a refusal, 404 for a method nobody knows."""
    frame: Document = {"msg": "result", "id": frame_id}
    try:
        _limit_method(call, name, caller)
        if name not in METHODS:
            _log.warning("no such method: %s", name)
            raise RocketError(404, f"Method '{name}' not found")  # noqa: TRY301 - answered like a method's own
        if call.user is None and name not in ANONYMOUS_METHODS:
            raise RocketError("error-invalid-user", "Invalid user", {"method": name})  # noqa: TRY301
        return frame | {"result": await METHODS[name](call, *params)}
    except Exception as error:
        if not isinstance(error, RocketError | PlainError):
            _log.exception("method %s failed", name)
        return frame | {"error": error_document(error)}


def _over_rest(frame: Document) -> Document:
    """By REST an error that is no Meteor.Error has nothing left to show (v1/misc.ts; measured on 6.13.0)."""
    return frame | {"error": {}} if frame.get("error", {}).get("error") == 500 else frame


@route("method.callAnon/:method", "POST", auth=False)
@route("method.call/:method", "POST")
async def method_over_rest(call: Call) -> Document:
    """A DDP method by REST: refusals arrive with status 200, inside `message` (`v1/misc.ts`)."""
    message = call.body.get("message")
    if not isinstance(message, str):
        raise invalid("must be string" if "message" in call.body else "must have required property 'message'")
    try:
        data = ejson_loads(message)
    except (ValueError, RecursionError) as error:
        raise PlainError("Invalid method call") from error
    usable = isinstance(data, dict) and isinstance(data.get("method"), str)
    if not usable or not isinstance(data.get("params"), list):
        raise PlainError("Invalid method call")
    caller = call.token_hash or hashlib.md5(call.address.encode()).hexdigest()  # noqa: S324
    frame = await run_method(call, caller, data.get("id"), data["method"], data["params"])
    return {"message": ejson_dumps(_over_rest(frame))}
