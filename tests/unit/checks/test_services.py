"""What answers at Rocket.Chat's and the site's addresses: each kind of silence has a text of its own."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from besedka.checks import examination as examination_module
from besedka.checks.catalogue import checks_for
from besedka.checks.examination import Examination, gateway
from besedka.checks.finding import Finding, Findings, Ok
from besedka.commands import doctor as command
from besedka.contract import Contract
from besedka.stacks import versions
from besedka.target import Target

Reply = tuple[int, str, Any]
FORM = '<form><input name="u"><input name="p" type="password"></form>'
INFO: Reply = (200, "application/json", {"version": "7.7", "success": True})


@contextmanager
def server(replies: dict[str, Reply], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers these paths, and HTML like Rocket.Chat's shell on all others."""

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            status, kind, body = replies.get(self.path.partition("?")[0], (200, "text/html", "<html>"))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            raw = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            if status == 302 and body:
                self.send_header("Location", body)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = reply  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        running.socket = tls.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()


@pytest.fixture
def ask(contract: Contract) -> Callable[..., list[Finding]]:
    """Ask one check about the chat (or site) at an address."""

    def one(check: str, url: str, site_url: str = "http://127.0.0.1:9") -> list[Finding]:
        moved = contract.at(site_url=site_url, chat_url=url)
        answered = next(row for row in checks_for(moved) if row.name == check).ask(
            Examination(Target(site_url, url), moved)
        )
        return list(answered.found) if isinstance(answered, Findings) else []

    return one


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_healthy_answer_is_no_finding(ask: Callable[..., list[Finding]]) -> None:
    with server({"/api/info": INFO}) as url:
        assert ask("services.chat", url) == []
        assert ask("services.chat_version", url) == []


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        ((200, "text/html", "<html>"), "not_json", "text/html instead of JSON"),
        ((502, "text/html", "Bad Gateway"), "starting", "a proxy answers 502"),
        ((503, "application/json", {"success": False, "error": "wait"}), "starting", "503"),
        ((200, "application/json", {"success": True}), "refused", "version"),
        ((403, "application/json", {"success": False, "error": "no"}), "refused", "403"),
    ],
)
def test_what_answers_in_place_of_rocket_chat_is_named(
    ask: Callable[..., list[Finding]], reply: Reply, code: str, text: str
) -> None:
    with server({"/api/info": reply}) as url:
        (found,) = ask("services.chat", url)
    assert found.code == f"services.chat.{code}"
    assert text in found.seen
    assert found.advice


def test_nobody_at_the_address(ask: Callable[..., list[Finding]]) -> None:
    (found,) = ask("services.chat", free_address())
    assert found.code == "services.chat.unanswered"


def test_a_chat_that_accepts_and_says_nothing(
    ask: Callable[..., list[Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination_module, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        (found,) = ask("services.chat", f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert found.code == "services.chat.slow"
    assert "starting" in found.advice[0]


def test_a_certificate_that_nobody_trusts(ask: Callable[..., list[Finding]], tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=chat"
    request += " -keyout key.pem -out certificate.pem"
    subprocess.run(request.split(), cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with server({"/api/info": INFO}, tls) as url:
        (found,) = ask("services.chat", url)
    assert found.code == "services.chat.tls"
    assert "TLS failed" in found.seen


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("12.0", "services.chat_version.unknown"),
        ("6.4", "services.contract_version.differs"),
        ("9.0", "services.contract_version.differs"),
    ],
)
def test_another_version_is_named(ask: Callable[..., list[Finding]], version: str, code: str) -> None:
    info: Reply = (200, "application/json", {"version": version, "success": True})
    with server({"/api/info": info}) as url:
        (found,) = ask(code.rpartition(".")[0], url)
    assert found.code == code
    assert version in found.seen


def test_another_version_than_the_contracts_blocks_nothing(contract: Contract) -> None:
    grounds = {name for row in checks_for(contract) for name in (*row.needs, *row.after)}
    assert "services.contract_version" not in grounds


def test_doctor_compares_what_it_started_with_the_contract(
    monkeypatch: pytest.MonkeyPatch, contract: Contract
) -> None:
    """Its own stack goes by the client, yet besedka.toml still says what the site is meant for."""

    @contextmanager
    def started(_: object, known: Contract, *__: object) -> Iterator[tuple[Target, Contract]]:
        yield Target(url, url), versions.of_contract(known, "6.5.3")

    monkeypatch.setattr(command, "with_programs", started)
    app = typer.Typer()
    command.register(app)
    with server({"/api/info": (200, "application/json", {"version": "6.5", "success": True})}) as url:
        words = ["--chat-client", "/a/client", "--check", "services.contract_version", "--json"]
        shown = CliRunner().invoke(app, words)
    report = json.loads(shown.stdout)
    assert (shown.exit_code, report["counts"]["note"], report["counts"]["blocked"]) == (0, 1, 0)
    assert report["first_cause"]["code"] == "services.contract_version.differs"
    assert contract.chat.version in report["first_cause"]["expected"]


def test_a_contract_without_a_version_takes_any(contract: Contract) -> None:
    chat = contract.chat.model_copy(update={"version": None})
    examination = Examination(
        Target("http://127.0.0.1:9", "http://127.0.0.1:9"), contract.model_copy(update={"chat": chat})
    )
    examination.info = {"version": "6.13"}
    ask = next(row for row in checks_for(contract) if row.name == "services.contract_version").ask
    assert not isinstance(ask(examination), Findings)


def refusal(status: int, error: str, **more: Any) -> Reply:
    return (status, "application/json", {"status": "error", "success": False, "error": error, **more})


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(401, "Unauthorized", message="Unauthorized"), "wrong_password"),
        (refusal(401, "totp-required", details={"method": "totp"}), "totp"),
        (refusal(401, "totp-required", details={"method": "email"}), "email_code"),
        (refusal(429, "Error, too many requests. [error-too-many-requests]"), "rate_limited"),
        (refusal(401, "error-login-blocked-for-ip"), "blocked"),
    ],
)
def test_why_the_administrator_cannot_sign_in(
    ask: Callable[..., list[Finding]], contract: Contract, reply: Reply, code: str
) -> None:
    with server({"/api/info": INFO, "/api/v1/login": reply}) as url:
        (found,) = ask("services.admin", url)
    assert found.code == f"services.admin.{code}"
    assert contract.chat.admin.secret not in str(found)


def test_an_administrator_without_the_role(ask: Callable[..., list[Finding]]) -> None:
    login: Reply = (200, "application/json", {"status": "success", "data": {"userId": "u", "authToken": "t"}})
    me: Reply = (200, "application/json", {"roles": ["user"], "success": True})
    with server({"/api/info": INFO, "/api/v1/login": login, "/api/v1/me": me}) as url:
        (found,) = ask("services.admin", url)
    assert found.code == "services.admin.not_admin"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ((200, "text/html", "<html>"), "not_json"),
        ((503, "text/html", "starting"), "starting"),
        ((500, "application/json", {"error": "server_error"}), "not_ready"),
    ],
)
def test_what_answers_in_place_of_the_site_is_named(
    ask: Callable[..., list[Finding]], reply: Reply, code: str
) -> None:
    with server({"/api/v1/status/": reply}) as url:
        (found,) = ask("services.site", free_address(), url)
    assert found.code == f"services.site.{code}"


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        ((200, "text/html", "<h1>Беседка</h1>"), []),
        ((500, "text/html", "<h1>No</h1> servers in\n<b>mongo</b>"), ["500: No servers in mongo"]),
    ],
)
def test_a_home_page_that_fails_is_quoted(
    ask: Callable[..., list[Finding]], reply: Reply, seen: list[str]
) -> None:
    with server({"/": reply}) as url:
        assert [found.seen for found in ask("site.home", free_address(), url)] == seen


class InTurn(dict[str, Reply]):
    """Answers each look by the next of these replies."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self._replies = itertools.cycle(replies)

    def get(self, key: str, default: Any = None) -> Any:
        return next(self._replies)


@pytest.mark.parametrize(
    ("other", "codes"),
    [
        ((200, "application/json", {"status": "ok", "version": "1"}), []),
        ((200, "application/json", {"status": "ok", "version": "0.9"}), ["services.site.two_programs"]),
        ((200, "text/html", "<html>"), ["services.site.two_programs"]),
    ],
)
def test_two_programs_on_the_port_of_the_site(
    ask: Callable[..., list[Finding]], other: Reply, codes: list[str]
) -> None:
    own: Reply = (200, "application/json", {"status": "ok", "version": "1"})
    with server(InTurn(own, other)) as url:
        assert [found.code for found in ask("services.site", free_address(), url)] == codes


def test_two_spellings_of_one_machine_are_two_sites(ask: Callable[..., list[Finding]]) -> None:
    (found,) = ask("services.addresses", "http://localhost:3000", "http://127.0.0.1:8001")
    assert found.code == "services.addresses.host_mix"


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"isWritablePrimary": False, "secondary": True, "primary": "mongo:27017"}, "not_primary"),
        ({"isWritablePrimary": False}, "not_primary"),
        ({"isWritablePrimary": True}, "no_replica_set"),
    ],
)
def test_a_mongo_that_rocket_chat_cannot_use(
    examine_with: Callable[..., Examination], hello: dict[str, Any], code: str
) -> None:
    class Mongo:
        where = "mongodb://127.0.0.1:1"

        def hello(self) -> dict[str, Any]:
            return hello

        def close(self) -> None:
            """Nothing is open."""

    examination = examine_with(mongo=Mongo())
    check = next(row for row in checks_for(examination.contract) if row.name == "services.mongo")
    answered = check.ask(examination)

    assert isinstance(answered, Findings)
    assert answered.found[0].code == f"services.mongo.{code}"


@pytest.mark.parametrize(
    ("status", "kinds"), [(200, []), (302, []), (500, ["not_ready"]), (503, ["starting"])]
)
def test_a_site_without_a_status_page_is_asked_for_its_home_page(
    contract: Contract, status: int, kinds: list[str]
) -> None:
    adapter = contract.site.adapter.model_copy(update={"status_path": False})
    bare = contract.model_copy(update={"site": contract.site.model_copy(update={"adapter": adapter})})
    with server({"/": (status, "text/html", "<h1>Heim</h1>")}) as url:
        moved = bare.at(site_url=url, chat_url=url)
        check = next(row for row in checks_for(moved) if row.name == "services.site")
        answered = check.ask(Examination(Target(url, url), moved))
    found = answered.found if isinstance(answered, Findings) else ()
    assert [one.code for one in found] == [f"services.site.{kind}" for kind in kinds]


def test_an_adapter_that_points_nowhere_is_named_by_row(contract: Contract) -> None:
    adapter = contract.site.adapter.model_copy(update={"status_path": "/zustand/"})
    odd = contract.model_copy(update={"site": contract.site.model_copy(update={"adapter": adapter})})
    with server({"/zustand/": (404, "text/html", "<h1>Nicht da</h1>")}) as url:
        moved = odd.at(site_url=url, chat_url=url)
        check = next(row for row in checks_for(moved) if row.name == "services.site")
        answered = check.ask(Examination(Target(url, url), moved))
    assert isinstance(answered, Findings)
    assert "[site.adapter] status_path" in answered.found[0].where.place


def test_without_a_row_the_usual_place_is_tried_and_then_the_home_page(contract: Contract) -> None:
    with server({"/api/v1/status/": (404, "text/html", ""), "/": (200, "text/html", "Heim")}) as url:
        moved = contract.at(site_url=url, chat_url=url)
        check = next(row for row in checks_for(moved) if row.name == "services.site")
        answered = check.ask(Examination(Target(url, url), moved))
    assert answered == Ok("the home page answers 200")


@pytest.mark.parametrize(
    ("usual", "home", "login", "said"),
    [
        ((404, ""), (404, ""), (200, FORM), "the home page answers 404"),
        ((200, "<h1>Heim</h1>"), (200, "<h1>Heim</h1>"), (200, FORM), "the home page answers 200"),
        ((403, "Nein"), (401, "Nein"), (200, FORM), "the home page answers 401"),
        ((302, "/de/"), (302, "/de/"), (200, FORM), "the home page answers 302"),
    ],
    ids=["no-home", "a-page-for-all", "members-only", "prefixed"],
)
def test_other_sites_without_a_status_page(
    contract: Contract, usual: tuple[int, str], home: tuple[int, str], login: tuple[int, str], said: str
) -> None:
    replies = {"/api/v1/status/": usual, "/": home, "/accounts/login/": login}
    with server({path: (status, "text/html", body) for path, (status, body) in replies.items()}) as url:
        moved = contract.at(site_url=url, chat_url=url)
        check = next(row for row in checks_for(moved) if row.name == "services.site")
        assert check.ask(Examination(Target(url, url), moved)) == Ok(said)


def test_a_site_that_accepts_and_says_nothing(
    ask: Callable[..., list[Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination_module, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        (found,) = ask("services.site", free_address(), f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert found.code == "services.site.slow"
    assert "hangs" in found.advice[0]


def test_two_domains_are_two_sites_to_a_browser(ask: Callable[..., list[Finding]]) -> None:
    (found,) = ask("services.addresses", "https://chat.example.net", "https://example.org")
    assert found.code == "services.addresses.cross_site"
    assert ask("services.addresses", "https://chat.example.org", "https://example.org") == []


@pytest.mark.parametrize(
    ("status", "text", "named"),
    [
        (414, "", True),
        (431, "", True),
        (494, "", True),
        (400, "Request Header Or Cookie Too Large", True),
        (400, "Mismatching redirect URI", False),
        (200, "", False),
        (404, "The header is too large", False),
    ],
)
def test_a_proxy_that_finds_a_request_too_long_is_named(status: int, text: str, named: bool) -> None:
    assert ("large_client_header_buffers" in " ".join(gateway(status, text))) is named
