"""The server under test, and stand-ins of the tests' own.

`chat`        the stack's Rocket.Chat: embedded, in containers, or attached; nothing of it is changed that counts
              for others
`changeable`  one whose settings a test may change, and puts back: a stand-in of its own on the embedded stack,
              the stack's server on the others (attached: with --change-settings; both: without workers)
`misused`     one that may be sent nonsense: a stand-in of its own, or the stack's by an account without rights
`oauth`       one with a log-in service and a provider of the test's own
`own`, `standins`
              stand-ins of the test's own: default settings, a clock that can be moved, an empty database. They
              say nothing about another server: on a stack that is not embedded these tests are skipped, each
              with the reason that its module gives in STANDIN_ONLY (standins/tests/conftest.py)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from besedka.contract import Contract
from besedka.provision.journal import JOURNAL_FOLDER, Journal
from besedka.provision.session import opened
from besedka.stacks.model import Stack

from . import misuse
from .chat import Chat, eventually
from .client import Json
from .misuse import Misused
from .provider import SERVICE, OAuth, Provider, connect, disconnect, providing
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .standin import standins as run_standins


@pytest.fixture(scope="session")
def _stack_chat(stack: Stack, contract: Contract) -> Iterator[Chat]:
    admin = contract.chat.admin
    server_id = opened(contract).server_id
    journal = Journal.fresh(JOURNAL_FOLDER, contract.chat.url, admin.secret, server_id)
    chat = Chat(
        contract.chat.url,
        admin.username,
        admin.secret,
        mongo_url=stack.mongo_url,
        journal=journal,
        has_clock=stack.kind == "embedded",
    )
    yield chat
    chat.close()


@pytest.fixture
def chat(_stack_chat: Chat, writable: None) -> Iterator[Chat]:
    """The stack's Rocket.Chat, where temporary accounts and rooms may be made."""
    yield _stack_chat
    _stack_chat.clean()


@pytest.fixture
def changeable(request: pytest.FixtureRequest, stack: Stack) -> Chat:
    """Rocket.Chat with settings that the test may change."""
    if stack.kind == "embedded":
        own: Chat = request.getfixturevalue("own")
        return own
    if stack.kind == "attached" and not request.config.getoption("--change-settings"):
        pytest.skip("changes settings of the attached server and puts them back: --change-settings allows it")
    workers = getattr(request.config, "workerinput", {"workercount": 1})
    if workers["workercount"] > 1:
        pytest.skip("changes settings, which count for the tests of other workers: needs -n 0")
    chat: Chat = request.getfixturevalue("chat")
    return chat


@pytest.fixture(scope="module")
def misused(request: pytest.FixtureRequest, stack: Stack, writable: None) -> Iterator[Misused]:
    """A server that may be sent nonsense."""
    made = (
        misuse.own(request.getfixturevalue("standins"))
        if stack.kind == "embedded"
        else misuse.somebodys(request.getfixturevalue("_stack_chat"))
    )
    with made as server:
        yield server


@pytest.fixture(scope="session")
def standins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standins]:
    """Makes stand-ins."""
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
        yield chat, provider, chat.service(SERVICE) or {}


@pytest.fixture(scope="module")
def _attached_to_us(_stack_chat: Chat) -> Iterator[tuple[Chat, Provider, Json]]:
    """The stack's server with a service of the tests' own beside its others, removed after the module."""
    with providing() as provider:
        connect(_stack_chat, provider)
        yield _stack_chat, provider, _stack_chat.service(SERVICE) or {}
        disconnect(_stack_chat)


@pytest.fixture
def oauth(request: pytest.FixtureRequest, stack: Stack) -> Iterator[OAuth]:
    """A server whose service SERVICE works, with a provider of the test's own: a stand-in, or the attached one."""
    if stack.kind == "containers":
        pytest.skip("its provider is on this machine's loopback, which a container does not reach")
    if stack.kind == "attached":
        request.getfixturevalue("changeable")
        if stack.mongo_url is None:
            pytest.skip("reads accounts in Rocket.Chat's database: no --mongo-url")
    name = "_served" if stack.kind == "embedded" else "_attached_to_us"
    served: tuple[Chat, Provider, Json] = request.getfixturevalue(name)
    chat, provider, usual = served
    if not chat.has_clock:
        chat.set("Accounts_TwoFactorAuthentication_By_Email_Enabled", False)
    provider.token, provider.identity = (200, {"access_token": "provider-token"}), (200, {})
    provider.received.clear()
    yield OAuth(chat, provider)
    chat.clean()
    chat.advance(3)
    # A value that was never given is an empty one afterwards, so that the row may have more than before.
    wanted = {name: value for name, value in usual.items() if name != "_id"}.items()
    eventually(lambda: wanted <= (chat.service(SERVICE) or {}).items(), "the usual service")
