"""An OAuth provider small enough to hold: it answers what the test says and remembers what it was asked."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .chat import Chat, collection, eventually
from .client import Answer, Client, Json

# Not the contract's own service: on a real server that one stays as it is.
SERVICE = "tempbesedka"
MAIN = f"Accounts_OAuth_Custom-{SERVICE.capitalize()}"
CLIENT_ID, CLIENT_SECRET = "besedka-client", "besedka-secret"


@dataclass(frozen=True)
class Received:
    """A request that came to the provider."""

    verb: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class Provider:
    """`token` and `identity` are (status, body) of the next answers; a body of text is sent as it is."""

    url: str = ""
    token: tuple[int, Any] = (200, {"access_token": "provider-token"})
    identity: tuple[int, Any] = (200, {})
    received: list[Received] = field(default_factory=list)

    def last(self, path: str) -> Received:
        return [request for request in self.received if request.path == path][-1]


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider on a free port, for the length of a `with` block."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query))
            provider.received.append(
                Received(self.command, parts.path, query, dict(parse_qsl(body)), headers)
            )
            status, content = provider.token if parts.path == "/token" else provider.identity
            text = content if isinstance(content, str) else json.dumps(content)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
            """Nothing; what came is in `received`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def service_key(suffix: str) -> str:
    """A setting's suffix as the service row names it (app/custom-oauth, updateOAuthServices.ts)."""
    special = {"url": "serverURL", "id": "clientId", "groups_channel_map": "channelsMap"}
    return special.get(suffix) or re.sub("_(.)", lambda found: found[1].upper(), suffix)


class OAuth:
    """Rocket.Chat `chat` with the service SERVICE at `provider`."""

    def __init__(self, chat: Chat, provider: Provider) -> None:
        self.chat, self.provider = chat, provider

    def configure(self, **values: Any) -> None:
        """Set settings by suffix and have them take effect; back to what they were after the test."""
        for suffix, value in values.items():
            self.chat.set(f"{MAIN}-{suffix}", value)
        self.chat.advance(3)

        def effective() -> bool:
            row = self.chat.service(SERVICE) or {}
            return all(row.get(service_key(name)) == value for name, value in values.items())

        eventually(effective, "the service row follows its settings")

    def user(self, user_id: str | None) -> Json:
        """A user as the database has them."""
        with collection(self.chat.mongo_url, "users") as users:
            return users.find_one({"_id": user_id}) or {}

    def state(self, **more: Any) -> tuple[str, str]:
        """(credential token, `state`) of a log-in that begins, in redirect style."""
        return self.begin("redirect", **{"redirectUrl": f"{self.chat.url}/home"} | more)

    def begin(self, style: str, **more: Any) -> tuple[str, str]:
        """The same in any style; a client names a `redirectUrl` in redirect style only."""
        token = secrets.token_urlsafe(24)
        fields = {"loginStyle": style, "credentialToken": token, "isCordova": False} | more
        return token, base64.b64encode(json.dumps(fields).encode()).decode()

    def callback(self, state: str, **query: str) -> Answer:
        """The provider sends the browser back."""
        return self.chat.anybody().request(
            "GET", f"/_oauth/{SERVICE}", params={"code": "the-code", "state": state} | query
        )

    def come_back(self, identity: Any) -> tuple[Client, Answer]:
        """The whole round for somebody with this identity: (their client, the answer of `login`)."""
        self.provider.identity = (200, identity)
        token, state = self.state()
        config = page_config(self.callback(state))
        return self.claim(token, config.get("credentialSecret"))

    def claim(self, token: str, secret: str | None) -> tuple[Client, Answer]:
        """Log in with what the callback left."""
        client = self.chat.anybody()
        answer = client.login({"oauth": {"credentialToken": token, "credentialSecret": secret}})
        if client.user_id:
            self.chat.forget(client.user_id)
        return client, answer

    def back_unverified(self) -> Json:
        """The account of somebody who came twice, and had a password and an unverified address in between."""
        person = identity()
        client, answer = self.come_back(person)
        user_id = client.user_id
        assert user_id, answer.text
        later = {"services.password": {"bcrypt": secrets.token_urlsafe()}, "emails.0.verified": False}
        with collection(self.chat.mongo_url, "users") as users:
            users.update_one({"_id": user_id}, {"$set": later})
        assert self.come_back(person)[0].user_id == user_id
        return self.user(user_id)

    def by_access_token(self, identity: Any) -> tuple[Client, Answer]:
        """The shortcut: a log-in with the provider's own token."""
        self.provider.identity = (200, identity)
        client = self.chat.anybody()
        answer = client.login({"serviceName": SERVICE, "accessToken": "provider-token", "expiresIn": 60})
        if client.user_id:
            self.chat.forget(client.user_id)
        return client, answer


def connect(chat: Chat, provider: Provider) -> None:
    """Configure and enable the service; returns when it is there."""
    rows: Json = {"url": provider.url, "id": CLIENT_ID, "secret": CLIENT_SECRET, "login_style": "redirect"}
    rows |= {"token_path": "/token", "identity_path": "/identity", "username_field": "username"}
    rows |= {"email_field": "email", "name_field": "full_name", "avatar_field": "", "key_field": "username"}
    # The defaults, for rows that are added again under a removed name have no values (measured on 6.5.3). A value
    # that the row lacks at first would not be waited for when a test puts it back.
    rows |= {"token_sent_via": "payload", "identity_token_sent_via": "default"}
    rows |= {
        "access_token_param": "access_token",
        "merge_users": False,
        "merge_users_distinct_services": False,
    }
    chat.admin.post("settings.addCustomOAuth", {"name": SERVICE})
    for suffix, value in rows.items():
        assert chat.admin.post(f"settings/{MAIN}-{suffix}", {"value": value}).status == 200
    chat.admin.post(f"settings/{MAIN}", {"value": True})
    chat.advance(3)
    # A real server makes the row once per setting: the first one is not yet whole (measured on 6.5.3).
    known = {service_key(suffix): value for suffix, value in rows.items() if suffix != "secret"}
    eventually(lambda: known.items() <= (chat.service(SERVICE) or {}).items(), "the service comes, whole")


def disconnect(chat: Chat) -> None:
    """Disable the service, if it is there, and remove its settings; returns when it is gone."""
    chat.admin.post(f"settings/{MAIN}", {"value": False})
    chat.advance(3)
    eventually(lambda: chat.service(SERVICE) is None, "the service goes")
    chat.admin.method("removeOAuthService", SERVICE)


def page_config(answer: Answer) -> Json:
    """What the callback's page hands to its script."""
    assert answer.status == 200
    found = re.search(r'<div id="config"[^>]*>(.*?)</div>', answer.text)
    assert found, answer.text
    assert "/" not in found[1], "slashes are escaped too"
    config: Json = json.loads(html.unescape(found[1]))
    return config


def identity(**more: Any) -> Json:
    """An identity as the site gives one."""
    name = f"temp_{secrets.token_hex(5)}"
    return {
        "id": f"id-{name}",
        "username": name,
        "email": f"{name}@besedka.test",
        "full_name": f"Гость {name}",
    } | more
