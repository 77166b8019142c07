"""REST as any program speaks it: requests in, status, body and headers out; nothing is raised for a refusal.

Each request comes from an address of its own, by `X-Real-IP`, which Rocket.Chat trusts
(apps/meteor/app/api/server/api.ts, requestIP). So rate limits per address stay out of the way of tests that
are not about them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any, Self

import requests

from besedka import http

Json = dict[str, Any]
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is the decoded JSON, otherwise `{}` with the text in `text`."""

    status: int
    body: Json
    text: str
    headers: requests.structures.CaseInsensitiveDict[str]


def random_address() -> str:
    return "10." + ".".join(str(secrets.randbelow(254) + 1) for _ in range(3))


def digest(password: str) -> str:
    """Hex SHA-256, in which passwords are sent and which is the code of the password's second factor."""
    return hashlib.sha256(password.encode()).hexdigest()


class Client:
    """One caller. `address` pins where it calls from; `second_factor` goes along with every call."""

    def __init__(self, url: str, *, address: str | None = None, agent: str = "besedka-contract") -> None:
        self.url = url
        self.address = address
        self.username = self.password = ""
        self.user_id: str | None = None
        self.token: str | None = None
        self.second_factor: dict[str, str] = {}
        self._http = http.session()
        self._http.headers["User-Agent"] = agent

    def request(self, verb: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        """Any address of the server; redirects are not followed."""
        sent = {"X-Real-IP": self.address or random_address()} | self.second_factor
        if self.token and self.user_id:
            sent |= {"X-Auth-Token": self.token, "X-User-Id": self.user_id}
        response = self._http.request(
            verb,
            self.url + path,
            headers=sent | (headers or {}),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            **more,
        )
        try:
            body = response.json()
        except ValueError:
            body = {}
        return Answer(response.status_code, body, response.text, response.headers)

    def get(self, path: str, **query: Any) -> Answer:
        return self.request("GET", f"/api/v1/{path}", params=query)

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Answer:
        return self.request("POST", f"/api/v1/{path}", json={} if body is None else body, headers=headers)

    def login(self, body: Json) -> Answer:
        """Log in with any of the bodies; a success is kept as this client's session."""
        answer = self.post("login", body)
        if answer.status == 200:
            self.user_id, self.token = answer.body["data"]["userId"], answer.body["data"]["authToken"]
        return answer

    def sign_in(self, username: str, password: str) -> Self:
        """Log in by password, and have the password's second factor ready."""
        self.username, self.password = username, password
        answer = self.login({"user": username, "password": password})
        assert answer.status == 200, answer.text
        self.second_factor = {"x-2fa-method": "password", "x-2fa-code": digest(password)}
        return self

    def method(self, name: str, *params: Any) -> Json:
        """A DDP method by REST; the frame inside `message`, whose `result` or `error` counts."""
        route = "method.call" if self.token else "method.callAnon"
        message = {"msg": "method", "id": "1", "method": name, "params": list(params)}
        answer = self.post(f"{route}/{name.replace('/', ':')}", {"message": json.dumps(message)})
        assert answer.status == 200, answer.text
        frame: Json = json.loads(answer.body["message"])
        return frame
