"""What handlers raise: Meteor's errors with a code, JavaScript's without, and the refusals met most often."""

from typing import Any


class RocketError(Exception):
    """A Meteor.Error: `code` (string, or 403 as an int for log-in failures), `reason`, `details`.

    `status` is the HTTP status REST answers with; DDP ignores it.
    """

    def __init__(self, code: str | int, reason: str = "", details: Any = None, *, status: int = 400) -> None:
        self.code, self.reason, self.details, self.status = code, reason, details, status
        super().__init__(f"{reason} [{code}]")


class PlainError(Exception):
    """A JavaScript `Error`, not a Meteor.Error: it has a message and no code.

    `kind` is the `errorType` that `API.v1.failure(message, errorType)` is given beside the message; several
    of Rocket.Chat's own calls have the two the wrong way round, and so has the stand-in.
    """

    def __init__(self, message: str, kind: str | None = None) -> None:
        self.kind = kind
        super().__init__(message)


class MatchError(PlainError):
    """Meteor's Match.Error: its message by REST, 400 "Match failed" by DDP (`check`, sanitizedError)."""


def forbidden(message: str = "unauthorized") -> RocketError:
    """What `API.v1.unauthorized()` answers: 403 up to 7.x."""
    return RocketError("unauthorized", message, status=403)


def failure() -> RocketError:
    """A bare 400 `{success: false}`."""
    return RocketError("")


def invalid(*problems: str) -> RocketError:
    """A schema's refusal, in ajv's words."""
    return RocketError("invalid-params", "\n ".join(problems))


def not_allowed(method: str) -> RocketError:
    return RocketError("error-not-allowed", "Not allowed", {"method": method})


def match(*pairs: tuple[Any, type | tuple[type, ...]]) -> None:
    """Meteor's `check`: raises error 400 `Match failed` unless each value is of its type."""
    if not all(isinstance(value, kind) for value, kind in pairs):
        raise RocketError(400, "Match failed")


def message_of(error: Exception) -> str:
    """`reason [code]`, Meteor.Error's message."""
    if not isinstance(error, RocketError):
        return str(error)
    return f"{error.reason} [{error.code}]" if error.reason else f"[{error.code}]"
