"""The SSO chain on a site that is not ours: PKCE required, hand-made views, no management, a German form."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from besedka.checks import canonical, chain, run
from besedka.checks.catalogue import checks_for
from besedka.checks.finding import Status
from besedka.checks.report import Report
from besedka.contract import Contract
from besedka.target import Target

FORM = """<form><input type="search" name="q"></form><form method="post">
<label>Kennung</label><input name="kennung"><label>Geheimwort</label><input type="password" name="wort">
<input type="hidden" name="csrfmiddlewaretoken" value="made-up-token"></form>"""
PAGE = """<html><iframe id="rocketChatFrame" src="{chat}/channel/general?layout=embedded"></iframe>
<script>frame.contentWindow.postMessage({{ event: "LOGIN" }}, "*");</script></html>"""
SESSION = "sitzung"
CODE = "made-up-code"

# Path → (status, body, headers); a callable is asked with the handler.
Reply = tuple[int, str, dict[str, str]]
Told = dict[str, Reply | Callable[[Any], Reply]]
JSON = {"Content-Type": "application/json"}


class Foreign:
    """The site, and as much of Rocket.Chat as is asked before the token; `asked` are its requests."""

    def __init__(self, contract: Contract) -> None:
        self.asked: list[str] = []
        self.signed_in: list[str] = []
        own, site = contract.provider, contract.site
        self.told: Told = {
            site.login_path: self._login,
            site.adapter.logout_path: (302, "", {"Set-Cookie": f"{SESSION}=; Max-Age=0; Path=/"}),
            own.authorize_path: self._authorize,
            own.token_path: self._token,
            own.identity_path: (401, '{"error": "no"}', JSON),
            site.test_page: self._page,
            site.integrated_page: self._page,
            "/api/v1/login": (
                200,
                '{"status": "success", "data": {"userId": "u", "authToken": "admins-token"}}',
                JSON,
            ),
            "/api/v1/users.info": (200, '{"success": true, "user": {}}', JSON),
            "/api/v1/logout": (200, '{"status": "success"}', JSON),
        }

    def _login(self, asked: Any) -> Reply:
        if asked.command == "GET":
            return 200, FORM, {"Content-Type": "text/html"}
        form = parse_qs(asked.form)
        self.signed_in += form["kennung"]
        return 302, "", {"Location": "/", "Set-Cookie": f"{SESSION}=made-up-session; Path=/"}

    def _authorize(self, asked: Any) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        return 302, "", {"Location": f"{query['redirect_uri']}?code={CODE}&state={query['state']}"}

    def _token(self, asked: Any) -> Reply:
        """As oauthlib: the code comes first, then its verifier (grant_types/authorization_code.py)."""
        refused = {"error": "invalid_grant"}
        if parse_qs(asked.form)["code"] == [CODE]:
            refused = {"error": "invalid_request", "error_description": "Code verifier required."}
        return 400, json.dumps(refused), JSON

    def _page(self, asked: Any) -> Reply:
        chat = f"http://{asked.headers['Host']}"
        return 200, PAGE.format(chat=chat), {"Content-Type": "text/html"}


@pytest.fixture
def foreign(contract: Contract) -> Foreign:
    """The foreign site, which a test may change before it is examined."""
    return Foreign(contract)


@pytest.fixture
def url(foreign: Foreign) -> Iterator[str]:
    """Where the foreign site listens."""

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            path = self.path.partition("?")[0]
            foreign.asked.append(f"{self.command} {path}")
            self.form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            told = foreign.told.get(path, (404, "", {}))
            status, body, headers = told(self) if callable(told) else told
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body.encode()))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = reply  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def examined(url: str, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Report]:
    """What the hops of SSO came to, with the layers below left out."""

    def hops(contract: Contract) -> tuple[Any, ...]:
        def own(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(name for name in names if name.startswith("sso."))

        rows = (one for one in checks_for(contract) if one.layer == "sso")
        return tuple(replace(one, needs=own(one.needs), after=own(one.after)) for one in rows)

    monkeypatch.setattr(run, "checks_for", hops)
    return lambda: run.examine(Target(url, url), contract)


def test_what_is_wrong_comes_in_the_order_of_the_chain(
    examined: Callable[[], Report], contract: Contract
) -> None:
    report = examined()

    wanted = ["sso.token.pkce", "sso.identity.rejected", "sso.foreign_redirect.open", "sso.commands.none"]
    seen = dict.fromkeys(found.code for found in report.findings if found.code in wanted)
    assert list(seen) == wanted
    pkce = report.findings[0]
    assert pkce.code == wanted[0]
    assert "Code verifier required" in pkce.seen
    assert 'OAUTH2_PROVIDER["PKCE_REQUIRED"] = False' in pkce.advice[0]
    assert "below 8.7" in pkce.advice[0]
    assert chain.line(report).startswith("authorize ✓ → token ✗ 400 invalid_request Code verifier required.")
    assert canonical.chosen(contract).secret not in report.to_json()


def test_the_least_of_the_canonical_users_signs_in_and_out(
    examined: Callable[[], Report], foreign: Foreign, contract: Contract
) -> None:
    report = examined()

    assert foreign.signed_in[0] == canonical.chosen(contract).username
    assert f"POST {contract.site.adapter.logout_path}" in foreign.asked
    assert report.traces == report.leftovers == ()


def test_a_log_in_may_ask_for_the_password_on_a_page_of_its_own(
    examined: Callable[[], Report], foreign: Foreign, contract: Contract
) -> None:
    html = {"Content-Type": "text/html"}
    second = FORM.replace('<input name="kennung">', "").replace("<form", '<form action="in/"', 1)

    def first(asked: Any) -> Reply:
        if asked.command == "GET":
            return 200, FORM.replace('<input type="password" name="wort">', ""), html
        foreign.signed_in += parse_qs(asked.form)["kennung"]
        return 302, "", {"Location": "/second/"}

    def password(asked: Any) -> Reply:
        if asked.command == "GET":
            return 200, second, html
        assert "wort" in parse_qs(asked.form)
        return 302, "", {"Location": "/", "Set-Cookie": f"{SESSION}=made-up-session; Path=/"}

    foreign.told |= {contract.site.login_path: first, "/second/": password}

    assert examined().result("sso.user").status is Status.OK
    assert foreign.signed_in[0] == canonical.chosen(contract).username
    assert "POST /second/" in foreign.asked


def test_a_site_that_limits_log_ins_is_named(
    examined: Callable[[], Report], foreign: Foreign, contract: Contract
) -> None:
    page = (200, FORM, {"Content-Type": "text/html"})
    foreign.told[contract.site.login_path] = lambda asked: page if asked.command == "GET" else (429, "", {})

    (found,) = examined().result("sso.user").findings

    assert "POST answered 429" in found.seen
    assert "limits log-ins" in found.advice[0]


def test_a_session_that_cannot_be_ended_is_said(
    examined: Callable[[], Report], foreign: Foreign, contract: Contract
) -> None:
    del foreign.told[contract.site.adapter.logout_path]

    (left,) = [one for one in examined().traces if "at the site" in one]
    assert left.startswith(f"a session of {canonical.chosen(contract).username} at the site")
    assert "[site.adapter] logout_path" in left


def test_the_adapter_names_the_visitor(contract: Contract) -> None:
    named = contract.users[1].username

    adapter = contract.site.adapter.model_copy(update={"visitor": named})
    site = contract.site.model_copy(update={"adapter": adapter})

    assert canonical.chosen(contract.model_copy(update={"site": site})).username == named


def test_a_view_that_takes_tokens_is_not_blamed_for_the_token_endpoint(
    examined: Callable[[], Report], foreign: Foreign, contract: Contract
) -> None:
    bearer = {"WWW-Authenticate": 'Bearer realm="api", error="invalid_token"'}
    foreign.told[contract.provider.identity_path] = (401, "{}", JSON | bearer)

    result = examined().result("sso.identity")

    assert result.status is Status.SKIPPED
    assert "sso.token" in result.reason


def test_a_command_in_the_page_itself_is_a_command(
    examined: Callable[[], Report], foreign: Foreign, contract: Contract
) -> None:
    sent = 'send({ externalCommand: "call-custom-oauth-login" }); send({ externalCommand: "go" });'
    page = PAGE.replace("frame.contentWindow", f"{sent.replace('{', '{{').replace('}', '}}')} frame")
    html = {"Content-Type": "text/html"}
    for path in (contract.site.test_page, contract.site.integrated_page):
        foreign.told[path] = lambda asked: (200, page.format(chat=f"http://{asked.headers['Host']}"), html)

    assert examined().result("sso.commands").status is Status.OK
