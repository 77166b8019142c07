"""A site without a status page is told from another program at its address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from besedka import contract as contracts
from besedka import site_status
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError

FORM = '<form method="post"><input name="who"><input type="password" name="word"></form>'
Reply = tuple[int, str, dict[str, str]]
Told = dict[str, Reply]
NOT_FOUND: Reply = (404, "", {})


@pytest.fixture
def serving() -> Iterator[Callable[..., Contract]]:
    """A program that answers so; the contract at its address."""
    servers = []

    def start(told: Callable[[Contract], Told], *, otherwise: Reply = NOT_FOUND) -> Contract:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, headers = answers.get(self.path.partition("?")[0], otherwise)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        plain = contracts.load(contracts.CONTRACT_FILE)
        contract = plain.at(site_url=f"http://127.0.0.1:{server.server_address[1]}", chat_url=plain.chat.url)
        answers = told(contract)
        return contract

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def own(contract: Contract) -> Told:
    """As the site answers strangers."""
    to_login = (302, "", {"Location": f"{contract.site.login_path}?next=/"})
    return {
        contract.site.login_path: (200, FORM, {}),
        contract.provider.authorize_path: to_login,
        contract.site.test_page: to_login,
    }


def login(contract: Contract) -> str:
    return contract.site.login_path


def authorize(contract: Contract) -> str:
    return contract.provider.authorize_path


def chat_page(contract: Contract) -> str:
    return contract.site.test_page


@pytest.mark.parametrize("spoilt", [login, authorize, chat_page])
@pytest.mark.parametrize("answer", [NOT_FOUND, (500, "", {}), (200, "<p>a page made by a script</p>", {})])
def test_one_mistake_of_its_own_does_not_make_it_a_stranger(
    spoilt: Callable[[Contract], str], answer: Reply, serving: Callable[..., Contract]
) -> None:
    contract = serving(lambda contract: own(contract) | {spoilt(contract): answer})

    site_status.recognise(contract, timeout=5)
    assert site_status.version(contract.site, timeout=5) == site_status.UNKNOWN


def nobody(_: Contract) -> Told:
    return {}


def of_another_login(contract: Contract) -> Told:
    """Another site of Django, whose log-in happens to be at the same place."""
    return {contract.site.login_path: (200, FORM, {})}


def of_another_gate(contract: Contract) -> Told:
    """A program that leads everybody to a log-in of its own."""
    return dict.fromkeys(own(contract), (302, "", {"Location": "/gate?next=/"}))


@pytest.mark.parametrize(
    ("told", "otherwise"),
    [
        (nobody, NOT_FOUND),
        (nobody, (200, "<html>one page for every address</html>", {})),
        (nobody, (403, "", {})),
        (of_another_login, NOT_FOUND),
        (of_another_gate, NOT_FOUND),
    ],
)
def test_another_program_is_named(
    told: Callable[[Contract], Told], otherwise: Reply, serving: Callable[..., Contract]
) -> None:
    contract = serving(told, otherwise=otherwise)

    with pytest.raises(
        ServiceUnreachableError, match="another program answers in place of the site"
    ) as raised:
        site_status.recognise(contract, timeout=5)

    assert f"{contract.site.login_path}: " in raised.value.found
    assert "BaseHTTP" in raised.value.found
    assert "--site-url" in raised.value.next_step
