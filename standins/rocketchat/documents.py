"""Ids, references and the two ways Rocket.Chat writes a document as JSON: REST and EJSON."""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]
# Meteor's `Random.id` leaves out letters that look alike; `Random.secret` is URL-safe base64.
_UNMISTAKABLE = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"
_SURROGATE = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
_BASE64 = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def random_id(length: int = 17) -> str:
    """An id as Meteor makes it."""
    return "".join(secrets.choice(_UNMISTAKABLE) for _ in range(length))


def random_secret(length: int = 43) -> str:
    """A log-in token or credential secret as Meteor makes it."""
    return "".join(secrets.choice(_BASE64) for _ in range(length))


def hash_token(token: str) -> str:
    """base64(sha256(token)): the form in which Meteor stores log-in tokens."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def user_ref(user: dict[str, Any]) -> dict[str, Any]:
    """`{_id, username, name}`, the way messages, rooms and subscriptions name a user."""
    return {key: user[key] for key in ("_id", "username", "name") if key in user}


def millis(moment: datetime) -> int:
    """Epoch milliseconds."""
    return round(moment.timestamp() * 1000)


def iso(moment: datetime) -> str:
    """JavaScript's `toISOString`: milliseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _encoder(date: Callable[[datetime], Any]) -> Callable[[Any], Any]:
    def encode(value: Any) -> Any:
        if isinstance(value, datetime):
            return date(value)
        if isinstance(value, bytes):
            return {"$binary": base64.b64encode(value).decode()}
        return str(value)

    return encode


def _dumps(date: Callable[[datetime], Any]) -> Callable[[Any], str]:
    return json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_encoder(date)).encode


# JSON of the REST API, whose dates are ISO strings, and of DDP, whose dates are `{"$date": ms}`.
rest_dumps = _dumps(iso)
ejson_dumps = _dumps(lambda moment: {"$date": millis(moment)})


def _revive(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if isinstance(value.get("$date"), int | float):
            return datetime.fromtimestamp(value["$date"] / 1000, UTC)
        if isinstance(value.get("$binary"), str):
            return base64.b64decode(value["$binary"])
    return value


def json_loads(text: str | bytes, **options: Any) -> Any:
    """Parse JSON; half a surrogate pair, which JSON can carry and UTF-8 cannot, becomes a question mark."""
    if _SURROGATE.search(text if isinstance(text, str) else text.decode("utf-8", "replace")):
        text = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
    return json.loads(text, **options)


def ejson_loads(text: str | bytes) -> Any:
    """Parse EJSON; raises ValueError for what is none (a date out of range included)."""
    try:
        return json_loads(text, object_hook=_revive)
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error
