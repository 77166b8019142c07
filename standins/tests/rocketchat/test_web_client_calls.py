"""Rocket.Chat's web client walks through all its calls (`web_client_rows.py`), in its order.

They go over both transports, with methods over REST and over the socket. They are made after OAuth in both
styles, and with a stored session on the stack's server. For OAuth, the service and the client's folder need a
stand-in of the test's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from besedka.contract import Contract

from . import web_browser
from .chat import Chat
from .provider import SERVICE, OAuth, connect, identity, page_config, providing
from .sockets import socket
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .web_client import WebClient
from .web_client_rows import ROWS, Walk

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "its provider and the client's folder are the test's own"


def test_no_row_is_missing() -> None:
    """31 of them (the measured contract of the client)."""
    assert sorted(ROWS) == list(range(1, 32))


def _walk(
    chat: Chat,
    sign_in: Callable[[WebClient], str],
    service: str,
    *,
    sockjs: bool,
    by_rest: bool,
    bundle: bool,
) -> None:
    speaker = chat.person()
    room, coded, private = chat.room(speaker), chat.room(speaker), chat.room(speaker, private=True)
    assert speaker.post("channels.setJoinCode", {"roomId": coded["_id"], "joinCode": "wort"}).status == 200
    said = ["раз", "два"]
    for text in said:
        assert speaker.post("chat.sendMessage", {"message": {"rid": room["_id"], "msg": text}}).status == 200
    with socket(chat.url, sockjs=sockjs) as opened:
        client = WebClient(chat, opened, methods_by_rest=by_rest)
        walk = Walk(client, sign_in, (room, coded, private), speaker, service, bundle=bundle, said=said)
        for number in sorted(ROWS):
            ROWS[number](walk)


_TRANSPORTS = pytest.mark.parametrize("sockjs", [True, False], ids=["sockjs", "websocket"])
_METHODS = pytest.mark.parametrize("by_rest", [True, False], ids=["REST", "socket"])


@pytest.fixture(scope="module")
def behind_a_client(standins: Standins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OAuth]:
    """A stand-in with a client's folder in front and a provider behind."""
    folder = web_browser.write(tmp_path_factory.mktemp("bundle") / "programs" / "web.browser")
    web_browser.write_server(folder)
    with providing() as provider, standins.running(options=("--chat-client", str(folder))) as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        connect(chat, provider)
        # The calls of one walk are more than a minute and an address may have.
        chat.set("DDP_Rate_Limit_Connection_By_Method_Enabled", False)
        chat.set("Accounts_TwoFactorAuthentication_By_Email_Enabled", False)
        yield OAuth(chat, provider)


@pytest.mark.trap("Real-time", "after OAuth, both styles")
@_TRANSPORTS
@_METHODS
@pytest.mark.parametrize("style", ["redirect", "popup"])
def test_the_walk_after_oauth(behind_a_client: OAuth, sockjs: bool, by_rest: bool, style: str) -> None:
    """Rows 1–31. The page of the callback names its script by style (oauth_server.js)."""

    def sign_in(client: WebClient) -> str:
        behind_a_client.provider.identity = (200, identity())
        back = (
            {"redirectUrl": f"{client.chat.url}/channel/general?layout=embedded"}
            if style == "redirect"
            else {}
        )
        token, state = behind_a_client.begin(style, **back)
        page = behind_a_client.callback(state)
        config = page_config(page)
        assert f"/packages/oauth/end_of_{style}_response.js" in page.text
        assert config.get("redirectUrl") == back.get("redirectUrl")
        assert (config["setCredentialToken"], config["credentialToken"]) == (True, token)
        claimed = client.result(
            "login", {"oauth": {"credentialToken": token, "credentialSecret": config["credentialSecret"]}}
        )
        assert (claimed["type"], set(claimed["tokenExpires"])) == (SERVICE, {"$date"})
        client.chat.forget(claimed["id"])
        return str(claimed["token"])

    _walk(behind_a_client.chat, sign_in, SERVICE, sockjs=sockjs, by_rest=by_rest, bundle=True)


@pytest.mark.trap("Real-time", "the 31 calls of the web client")
@_TRANSPORTS
@_METHODS
def test_the_walk_with_a_stored_session(chat: Chat, contract: Contract, sockjs: bool, by_rest: bool) -> None:
    """Rows any server can be asked: no modules (2), no OAuth (10); methods by ddpOverREST.ts or the socket."""
    service = contract.provider.name
    _walk(chat, lambda _: str(chat.person().token), service, sockjs=sockjs, by_rest=by_rest, bundle=False)
