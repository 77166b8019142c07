"""The shapes of REST answers, by version (`app/api/server/ApiClass.ts`, before 7.6 `api.ts`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from standins.rocketchat.documents import rest_dumps
from standins.rocketchat.registry import RocketError

if TYPE_CHECKING:
    from standins.rocketchat.config import Config

_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}
LOGIN_REQUIRED = "You must be logged in to do this."


class PlainError(Exception):
    """A JavaScript `Error`, not a Meteor.Error: it has a message and no code."""


class MatchError(PlainError):
    """Meteor's Match.Error: its message by REST, 400 "Match failed" by DDP (`check`, sanitizedError)."""


def answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with the headers that every REST answer carries."""
    # A lone surrogate, which JSON can carry, has no UTF-8.
    text = rest_dumps(body).encode("utf-8", "replace")
    return Response(text, status, _HEADERS | (headers or {}), "application/json")


def forbidden(message: str = "unauthorized") -> RocketError:
    """What `API.v1.unauthorized()` answers: 403 up to 7.x."""
    return RocketError("unauthorized", message, status=403)


def failure() -> RocketError:
    """A bare 400 `{success: false}`."""
    return RocketError("")


def message_of(error: Exception) -> str:
    """`reason [code]`, Meteor.Error's message."""
    if not isinstance(error, RocketError):
        return str(error)
    return f"{error.reason} [{error.code}]" if error.reason else f"[{error.code}]"


def not_logged_in(config: Config) -> Response:
    """401; assert on the code and on `error` or `message`, for the shape changed in 7.6 and 8.0."""
    body: dict[str, Any] = {} if config.since(8) else {"status": "error", "message": LOGIN_REQUIRED}
    if config.since(7, 6):
        body |= {"success": False, "error": LOGIN_REQUIRED}
    return answer(body, 401)


def refusal(config: Config, error: Exception, headers: dict[str, str] | None = None) -> Response:
    """The answer to what a handler raised. Anything that is no Meteor.Error is 400 with its message."""
    body: dict[str, Any] = {"success": False}
    if not isinstance(error, RocketError):
        return answer(body | {"error": str(error)}, 400, headers)
    if error.code == "error-too-many-requests":
        return answer(body | {"error": message_of(error)}, 429, headers)
    if error.code == "error-unauthorized":
        return answer(body | {"error": message_of(error)}, 401 if config.since(8) else 403, headers)
    if error.status != 400:
        return answer(body | {"error": error.reason or error.code}, error.status, headers)
    if error.code != "":
        body |= {"error": message_of(error), "errorType": error.code}
        body |= {} if error.details is None else {"details": error.details}
    return answer(body, 400, headers)


def error_document(error: Exception) -> dict[str, Any]:
    """An error as DDP sends it; what is no Meteor.Error is hidden behind 500 (`ddp-server`)."""
    if isinstance(error, MatchError):
        error = RocketError(400, "Match failed")
    if not isinstance(error, RocketError):
        error = RocketError(500, "Internal server error")
    document = {
        "isClientSafe": True,
        "error": error.code,
        "reason": error.reason,
        "message": message_of(error),
    }
    document |= {"errorType": "Meteor.Error"}
    return document if error.details is None else document | {"details": error.details}
