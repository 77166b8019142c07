"""Server-side log-in to Rocket.Chat with an access token of this site's own provider.

No admin rights are needed: `POST /api/v1/login` with `serviceName`, `accessToken` and `expiresIn` makes
Rocket.Chat ask our identity address and answer with a login token
(apps/meteor/app/lib/server/oauth/oauth.js, apps/meteor/app/custom-oauth/server/custom_oauth_server.js).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

log = logging.getLogger("besedka.chat")

# Rocket.Chat gives the identity request 20 s (Meteor's serverFetch); a page cannot wait that long.
TIMEOUT_SECONDS = 10.0
# What Rocket.Chat says of one person (app/authentication/server/startup/index.js, 7.7): our code and status.
# A refusal of the log-in itself is `Unauthorized` since 7.0, whatever the reason.
_OF_THE_PERSON = {
    "error-user-is-not-activated": ("chat_deactivated", 502),
    "error-login-blocked-for-user": ("chat_blocked", 503),
    "error-login-blocked-for-ip": ("chat_address_blocked", 503),
    "totp-required": ("chat_second_factor", 502),
}
# The access token lives this long at most, should its revocation fail.
TOKEN_SECONDS = 300


@dataclass(frozen=True)
class ChatLogin:
    """A session in the chat. `token` is as good as a password: hand it to its user only."""

    token: str
    user_id: str
    username: str


class ChatLoginError(Exception):
    """The chat gave no login token.

    `code` is stable, `status` what our own answer should be, `found` what the chat said (no secrets),
    `retry_after` seconds where the chat asked for patience.
    """

    def __init__(self, code: str, status: int, found: str, retry_after: int | None = None) -> None:
        super().__init__(f"{code}: {found}")
        self.code = code
        self.status = status
        self.found = found
        self.retry_after = retry_after


class ChatClient(requests.Session):
    """A client of the chat's server: no proxy of the environment, no redirect, and an end to every wait.

    The chat's certificate is checked against SSL_CERT_FILE or SSL_CERT_DIR, else the usual authorities.
    """

    def __init__(self, base_url: str, seconds: float = TIMEOUT_SECONDS) -> None:
        super().__init__()
        self.base_url = base_url.rstrip("/")
        self.seconds = seconds
        self.trust_env = False
        self.verify = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or True

    def request(self, method: str | bytes, url: str | bytes, *rest: Any, **more: Any) -> requests.Response:
        """As `requests` has it, of a path."""
        told = {"timeout": self.seconds, "allow_redirects": False} | more
        return super().request(method, f"{self.base_url}{url!s}", *rest, **told)


def log_in(base_url: str, service: str, access_token: str, username: str) -> ChatLogin:
    """Exchange an access token for a login token of that user; raises ChatLoginError.

    Blocks for TIMEOUT_SECONDS at most. While it waits, the chat calls this site's identity address: the
    caller must hold no database transaction.
    """
    body = {"serviceName": service, "accessToken": access_token, "expiresIn": TOKEN_SECONDS}
    with ChatClient(base_url) as client:
        login = _read(answer_of(lambda: client.post("/api/v1/login", json=body)))
        if login.username.casefold() != username.casefold():
            _end(client, login)
            raise ChatLoginError("chat_wrong_user", 502, f"the chat answered for {login.username!r}")
        return login


def answer_of(ask: Callable[[], requests.Response]) -> dict[str, Any]:
    """What the chat answers, if that is success; raises ChatLoginError otherwise."""
    try:
        response = ask()
    except requests.Timeout:
        raise ChatLoginError("chat_timeout", 504, f"no answer in {TIMEOUT_SECONDS:.0f} s") from None
    except requests.RequestException as error:
        raise ChatLoginError("chat_unreachable", 502, type(error).__name__) from None
    try:
        answer: Any = response.json()
    except ValueError:
        kind = response.headers.get("content-type", "no content type")
        raise ChatLoginError("chat_not_json", 502, f"HTTP {response.status_code}, {kind}") from None
    if response.status_code == 429:
        seconds = _patience(response, answer)
        raise ChatLoginError("chat_rate_limited", 503, "HTTP 429, too many log-ins", seconds)
    if response.status_code != 200 or not isinstance(answer, dict):
        said = str(answer.get("error")) if isinstance(answer, dict) else ""
        code, status = _OF_THE_PERSON.get(said, ("chat_refused", 502))
        raise ChatLoginError(code, status, _reason(response.status_code, answer))
    return answer


def _read(answer: dict[str, Any]) -> ChatLogin:
    data = answer.get("data")
    if not isinstance(data, dict):
        raise ChatLoginError("chat_refused", 502, _reason(200, answer))
    try:
        return ChatLogin(str(data["authToken"]), str(data["userId"]), str(data["me"]["username"]))
    except (KeyError, TypeError):
        raise ChatLoginError(
            "chat_refused", 502, "HTTP 200 without authToken, userId or me.username"
        ) from None


def _reason(status: int, answer: Any) -> str:
    """HTTP status and Rocket.Chat's own error text, shortened."""
    fields = answer if isinstance(answer, dict) else {}
    texts = [str(fields[key]) for key in ("error", "message") if fields.get(key)]
    return f"HTTP {status} {' / '.join(dict.fromkeys(texts))}"[:300].strip()


def _patience(response: requests.Response, answer: Any) -> int:
    """Seconds to wait, from the error's text ("You must wait N seconds"); a minute where it says nothing.

    The window of Rocket.Chat's limiter is a minute by default (API_Enable_Rate_Limiter_Limit_Time_Default).
    """
    match = re.search(r"wait (\d+) seconds", _reason(response.status_code, answer))
    return max(1, int(match[1])) if match else 60


def rooms_of(base_url: str, login: ChatLogin) -> frozenset[str] | None:
    """Names of the rooms that the user is in; None where the chat does not say."""
    try:
        with ChatClient(base_url) as client:
            answer = client.get("/api/v1/subscriptions.get", headers=_signed_in(login)).json()
        return frozenset(str(row["name"]) for row in answer["update"] if "name" in row)
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        log.warning("the chat did not say which rooms %s is in: %s", login.username, type(error).__name__)
        return None


def _signed_in(login: ChatLogin) -> dict[str, str]:
    return {"X-Auth-Token": login.token, "X-User-Id": login.user_id}


def end(base_url: str, login: ChatLogin) -> None:
    """End a session that nobody gets; a failure is only logged."""
    with ChatClient(base_url) as client:
        _end(client, login)


def _end(client: ChatClient, login: ChatLogin) -> None:
    try:
        client.post("/api/v1/logout", headers=_signed_in(login))
    except requests.RequestException as error:
        log.warning("the chat kept a session of %s: %s", login.username, type(error).__name__)
