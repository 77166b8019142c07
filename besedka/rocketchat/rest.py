"""A client of Rocket.Chat's REST API, version 1.

Every answer is JSON with `success` (or `status` for log-in); anything else is an error here and never a
success. One such thing is the HTML shell that Rocket.Chat serves with 200 for any unknown page.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import requests

from besedka import http, second_ask
from besedka.errors import ServiceUnreachableError

Json = dict[str, Any]
TIMEOUT_SECONDS = 10.0
# One window of the rate limiter is a minute; a server that asks for more patience gets an error.
_LONGEST_WAIT_SECONDS = 65.0


class RocketChatError(ServiceUnreachableError):
    """Rocket.Chat refused a call.

    `status` is the HTTP status, `code` Rocket.Chat's `errorType` or `error` (such as `totp-required`),
    `details` what it added, e.g. `{"method": "password"}` for a second factor, `retry_after` the seconds
    until the rate limit's window ends where the answer named them.
    """

    @property
    def second_factor(self) -> str | None:
        """The second factor that is asked for (`password`, `totp`, `email`); None for any other refusal."""
        if self.code not in {"totp-required", "totp-invalid"}:
            return None
        return str(self.details.get("method", "password")) if isinstance(self.details, dict) else "password"

    @property
    def short_wait(self) -> float | None:
        """Seconds after which the limit lets the call pass; None where it says none, or over a minute."""
        told = self.retry_after
        return told if told is not None and told <= _LONGEST_WAIT_SECONDS else None

    exit_status = 16

    def __init__(  # noqa: PLR0913 - one argument per part of a refusal
        self,
        call: str,
        status: int,
        code: str,
        message: str,
        details: Any = None,
        *,
        retry_after: float | None = None,
    ) -> None:
        self.call = call
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after
        super().__init__(
            f"{call} answered {status} {code}: {message}",
            expected="an answer with success: true",
            where=call,
        )


class NotRocketChatError(ServiceUnreachableError):
    """Something answered at Rocket.Chat's address, but not with Rocket.Chat's JSON.

    `status` is the HTTP status: a proxy's 502 or 503 means that Rocket.Chat behind it is not up.
    """

    exit_status = 17
    status = 200


class TlsError(ServiceUnreachableError):
    """The TLS handshake failed: a certificate that is not trusted, expired, or for another name."""

    exit_status = 19


@dataclass(frozen=True)
class Credentials:
    """A log-in token and whose it is: what `X-User-Id` and `X-Auth-Token` carry."""

    user_id: str
    token: str

    def __repr__(self) -> str:
        return f"Credentials(user_id={self.user_id!r}, token=…)"


class RocketChat:
    """Rocket.Chat at one address, called as one user or as nobody.

    A `patient` client asks again before it believes a time-out. With `password` set, a call that is refused
    with `totp-required` is repeated once with the password as second factor (`x-2fa-method: password`, code =
    hex SHA-256 of the password; `apps/meteor/app/2fa/server/code/PasswordCheckFallback.ts`).
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        password: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        patient: bool = False,
    ) -> None:
        self.url = url.rstrip("/")
        self.credentials = credentials
        self._password = password
        self._timeout = timeout
        self._patient = patient
        self._http = http.session()

    @classmethod
    def sign_in(
        cls,
        url: str,
        username: str,
        password: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        patient: bool = False,
    ) -> Self:
        """Log in with a password; raises RocketChatError (401) when it is refused."""
        client = cls(url, password=password, timeout=timeout, patient=patient)
        client.credentials = client.login({"user": username, "password": password})
        return client

    def login(self, body: Json) -> Credentials:
        """`POST /api/v1/login` with any of Rocket.Chat's bodies (password, resume, oauth, access token)."""
        data = self.call("POST", "login", body)["data"]
        return Credentials(data["userId"], data["authToken"])

    def sign_out(self) -> None:
        """End this log-in; nothing happens where Rocket.Chat is gone.

        Otherwise its token lives for 90 days. An account has 50 of them at most, and each log-in after that
        ends the oldest one, which may be a person's own (`server/lib/getMaxLoginTokens.ts`; seen on 6.13.0).
        """
        with suppress(ServiceUnreachableError):
            self.call("POST", "logout", {})

    def as_user(self, credentials: Credentials) -> RocketChat:
        """A client of the same server with another session."""
        return RocketChat(self.url, credentials, timeout=self._timeout, patient=self._patient)

    def get(self, path: str, **query: str | int) -> Json:
        """`GET /api/v1/<path>`; the decoded answer."""
        return self.call("GET", path, query=query)

    def post(self, path: str, **body: Any) -> Json:
        """`POST /api/v1/<path>` with a JSON body; the decoded answer."""
        return self.call("POST", path, body)

    def info(self) -> Json:
        """`GET /api/info`; `version` is major.minor unless the caller may view statistics."""
        return self._decode("GET /api/info", self._send("GET", f"{self.url}/api/info", None, {}, {}))

    def me(self) -> Json:
        """`GET /api/v1/me`: the user this client acts as."""
        return self.get("me")

    def call(self, verb: str, path: str, body: Json | None = None, query: Json | None = None) -> Json:
        """One call; raises RocketChatError for a refusal, ServiceUnreachableError when nobody answers."""
        name = f"{verb} /api/v1/{path}"
        url = f"{self.url}/api/v1/{path}"
        try:
            return self._decode(name, self._send(verb, url, body, query or {}, {}))
        except RocketChatError as error:
            if error.second_factor != "password" or self._password is None or path == "login":
                raise
            digest = hashlib.sha256(self._password.encode()).hexdigest()
            second_factor = {"x-2fa-method": "password", "x-2fa-code": digest}
            return self._decode(name, self._send(verb, url, body, query or {}, second_factor))

    def _send(
        self, verb: str, url: str, body: Json | None, query: Json, headers: dict[str, str]
    ) -> requests.Response:
        if self.credentials:
            headers = headers | {
                "X-User-Id": self.credentials.user_id,
                "X-Auth-Token": self.credentials.token,
            }
        try:
            return second_ask.request(
                self._http,
                verb,
                url,
                timeout=self._timeout,
                # A log-in that is asked twice leaves one token more; any other POST might be done twice.
                again=self._patient and (verb == "GET" or url.endswith("/login")),
                json=body,
                params=query,
                headers=headers,
            )
        except requests.exceptions.SSLError as error:
            raise TlsError(
                f"TLS failed: {_tls_reason(error)}",
                expected="a certificate that this machine trusts, for exactly this host name",
                where=f"{verb} {url}",
                next_step="name the CA in REQUESTS_CA_BUNDLE, or use http:// if the service speaks no TLS",
            ) from error
        except requests.RequestException as error:
            raise ServiceUnreachableError(
                f"Rocket.Chat did not answer: {http.silence(error)}",
                expected="an HTTP answer",
                where=f"{verb} {url}",
                next_step="is the service running, and is the address right? See its log.",
            ) from error

    @staticmethod
    def _decode(name: str, response: requests.Response) -> Json:
        try:
            answer = response.json()
        except ValueError:
            kind = response.headers.get("Content-Type", "no content type")
            refusal = NotRocketChatError(
                f"{name} answered {response.status_code} with {kind} instead of JSON",
                expected="200 with JSON",
                where=response.url.partition("?")[0],
                next_step="a proxy, a wrong port or a wrong path; open the address in a browser",
            )
            refusal.status = response.status_code
            raise refusal from None
        if not isinstance(answer, dict):
            answer = {"value": answer}
        if response.ok and answer.get("success", answer.get("status") == "success") is not False:
            return answer
        code = answer.get("errorType") or answer.get("error") or answer.get("status") or "unknown"
        message = answer.get("message") or answer.get("error") or ""
        limited = response.status_code == 429
        retry_after = _seconds_to_wait(response.headers, str(message)) if limited else None
        raise RocketChatError(
            name,
            response.status_code,
            str(code),
            str(message),
            answer.get("details"),
            retry_after=retry_after,
        )


def _seconds_to_wait(headers: Mapping[str, str], message: str) -> float | None:
    """`X-RateLimit-Reset` is an absolute time in milliseconds (`apps/meteor/app/api/server/api.ts`).

    The limit of one function says it in words alone. An example is a second address of one account within a
    minute (measured on 6.13.0; `apps/meteor/app/lib/server/lib/RateLimiter.js`).
    """
    reset = headers.get("X-RateLimit-Reset", "")
    if reset.isdigit():
        return max(0.0, int(reset) / 1000 - time.time())
    told = re.search(r"You must wait (\d+) seconds", message)
    return float(told[1]) if told else None


def _tls_reason(error: requests.exceptions.SSLError) -> str:
    """The part of OpenSSL's complaint that a person can act on."""
    found = re.search(r"certificate verify failed: [^(\"']+|[A-Z]+_[A-Z_]{4,}", str(error), re.IGNORECASE)
    return found.group().strip().lower().replace("_", " ") if found else "the handshake was refused"
