"""The shapes of REST answers, by version (`app/api/server/ApiClass.ts`, before 7.6 `api.ts`)."""

from typing import Any

from starlette.responses import Response

from standins.rocketchat.config import Config
from standins.rocketchat.documents import rest_dumps
from standins.rocketchat.errors import MatchError, PlainError, RocketError, message_of

_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}
LOGIN_REQUIRED = "You must be logged in to do this."


def answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with the headers that every REST answer carries."""
    # A lone surrogate, which JSON can carry, has no UTF-8.
    text = rest_dumps(body).encode("utf-8", "replace")
    return Response(text, status, _HEADERS | (headers or {}), "application/json")


def not_logged_in(config: Config) -> Response:
    """401; assert on the code and on `error` or `message`, for the shape changed in 7.6 and 8.0."""
    body: dict[str, Any] = {} if config.since(8) else {"status": "error", "message": LOGIN_REQUIRED}
    if config.since(7, 6):
        body |= {"success": False, "error": LOGIN_REQUIRED}
    return answer(body, 401)


def refusal(config: Config, error: Exception, headers: dict[str, str] | None = None) -> Response:
    """The answer to what a handler raised. Anything that is no Meteor.Error is 400 with its message."""
    status, body = 400, {"error": message_of(error)}
    if not isinstance(error, RocketError):
        kind = error.kind if isinstance(error, PlainError) else None
        body = {"error": str(error)} | ({"errorType": kind} if kind else {})
    elif error.code in ("error-too-many-requests", "error-unauthorized"):
        status = 429 if error.code == "error-too-many-requests" else 401 if config.since(8) else 403
    elif error.status != 400:
        status, body = error.status, {"error": error.reason or str(error.code)}
    elif error.code == "":
        body = {}
    else:
        body |= {"errorType": error.code} | ({} if error.details is None else {"details": error.details})
    return answer({"success": False} | body, status, headers)


def error_document(error: Exception) -> dict[str, Any]:
    """An error as DDP sends it; what is no Meteor.Error is hidden behind 500 (`ddp-server`)."""
    if isinstance(error, MatchError):
        error = RocketError(400, "Match failed")
    if not isinstance(error, RocketError):
        error = RocketError(500, "Internal server error")
    names = {"error": error.code, "reason": error.reason, "message": message_of(error)}
    details = {} if error.details is None else {"details": error.details}
    return {"isClientSafe": True} | names | {"errorType": "Meteor.Error"} | details
