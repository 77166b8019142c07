"""The server under test (`chat`) and stand-ins of the tests' own (`own`, `standins`).

`chat` is the stack's: embedded, or with `--stack=attached` whatever runs there. What needs a setting
changed, the clock moved or a fresh database asks for `own`, which is a stand-in always; on an attached
stack those tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from besedka.contract import Contract
from besedka.stack.model import Stack

from .chat import Chat, eventually
from .client import Json
from .provider import OAuth, Provider, connect, providing
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .standin import standins as run_standins


@pytest.fixture(scope="session")
def _stack_chat(stack: Stack, contract: Contract) -> Iterator[Chat]:
    admin = contract.chat.admin
    chat = Chat(contract.chat.url, admin.username, admin.secret, mongo_url=stack.mongo_url)
    yield chat
    chat.close()


@pytest.fixture
def chat(_stack_chat: Chat, writable: None) -> Iterator[Chat]:
    """The stack's Rocket.Chat, where temporary accounts and rooms may be made."""
    yield _stack_chat
    _stack_chat.clean()


@pytest.fixture(scope="session")
def standins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standins]:
    """Makes stand-ins."""
    if request.config.getoption("--stack") == "attached":
        pytest.skip("needs a Rocket.Chat of its own, with a clock that can be moved")
    with run_standins(tmp_path_factory.mktemp("standins")) as made:
        yield made


@pytest.fixture(scope="session")
def _own_chat(standins: Standins) -> Iterator[Chat]:
    with standins.running() as standin:
        yield Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)


@pytest.fixture
def own(_own_chat: Chat) -> Iterator[Chat]:
    """A stand-in with Rocket.Chat's default settings; changed ones are put back after the test."""
    yield _own_chat
    _own_chat.clean()


@pytest.fixture(scope="session")
def _served(standins: Standins) -> Iterator[tuple[Chat, Provider, Json]]:
    with providing() as provider, standins.running() as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        connect(chat, provider)
        # Under the default, e-mail 2FA refuses every OAuth log-in; its tests turn it on again.
        chat.admin.post("settings/Accounts_TwoFactorAuthentication_By_Email_Enabled", {"value": False})
        yield chat, provider, chat.service() or {}


@pytest.fixture
def oauth(_served: tuple[Chat, Provider, Json]) -> Iterator[OAuth]:
    """A stand-in whose service `besedka` works, with a provider of the test's own."""
    chat, provider, usual = _served
    provider.token, provider.identity = (200, {"access_token": "provider-token"}), (200, {})
    provider.received.clear()
    yield OAuth(chat, provider)
    chat.clean()
    chat.advance(3)
    eventually(lambda: (chat.service() or {}) | {"_id": usual["_id"]} == usual, "the usual service")
