"""`--chat-client DIR`: found and judged before anything starts; its version is the contract's from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka.errors import StackStartError, UsageError
from besedka.stacks import kind
from besedka.stacks.model import WEB_CLIENT, Service, Stack
from besedka.stacks.services import chat_client, options
from standins.tests.rocketchat import web_browser

CONTRACT = contracts.load()


def test_the_contract_speaks_the_version_of_the_client(tmp_path: Path) -> None:
    """A 6.5.3 client crashes on answers of 7.7.1 (measured), whatever [chat] version says."""
    folder = web_browser.write(tmp_path / "bundle" / "programs" / "web.browser", version="6.5.3")

    client = chat_client.find(str(tmp_path / "bundle"))

    assert client.version == "6.5.3"
    assert client.contract(CONTRACT).chat.version == "6.5.3"
    assert chat_client.find(str(folder)).version == "6.5.3"


@pytest.mark.parametrize(("version", "lines"), [("6.5.3", 1), (CONTRACT.chat.version, 0)])
def test_a_client_of_another_version_than_the_contracts_is_one_line(
    tmp_path: Path, version: str, lines: int
) -> None:
    web_browser.write(tmp_path / "programs" / "web.browser", version=version)
    said: list[str] = []

    options.find(options.ServiceOptions(chat_client=str(tmp_path)), CONTRACT, say=said.append)

    told = f"besedka.toml targets Rocket.Chat {CONTRACT.chat.version}, --chat-client is {version}"
    assert [line.partition(";")[0] for line in said] == [told] * lines


def test_a_client_that_says_no_version_leaves_the_contracts(tmp_path: Path) -> None:
    folder = web_browser.write(tmp_path / "web.browser", version="unreadable")

    assert chat_client.find(str(folder)).contract(CONTRACT) == CONTRACT


@pytest.mark.parametrize(
    ("version", "words"),
    [("5.4.0", "the client of Rocket.Chat 5.4.0"), ("9.0.0", "the client of Rocket.Chat 9.0.0")],
)
def test_a_client_of_an_unknown_version_is_refused(tmp_path: Path, version: str, words: str) -> None:
    folder = web_browser.write(tmp_path / "web.browser", version=version)

    with pytest.raises(StackStartError, match=words):
        chat_client.find(str(folder))


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "it has no web client: it lacks program.json"),
        (("main.js",), "it has no web client: it lacks programs/web.browser/program.json"),
        (("bundle/main.js",), "it has no web client: it lacks programs/web.browser/program.json"),
        (None, "there is no such folder"),
    ],
    ids=["empty", "server-alone", "above-a-server", "no-folder"],
)
def test_a_folder_without_a_client_is_refused_in_one_line(
    files: tuple[str, ...] | None, says: str, tmp_path: Path
) -> None:
    folder = tmp_path / "given"
    if files is not None:
        folder.mkdir()
    for name in files or ():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()

    with pytest.raises(StackStartError) as refusal:
        chat_client.find(str(folder))

    assert refusal.value.found == f"--chat-client: {says}"
    assert refusal.value.where == str(folder)


def test_a_file_that_the_client_lacks_is_named(tmp_path: Path) -> None:
    folder = web_browser.write(tmp_path / "web.browser")
    (folder / "head.html").unlink()

    with pytest.raises(StackStartError) as refusal:
        chat_client.find(str(folder))

    assert refusal.value.found == "--chat-client: it lacks head.html"


def test_a_bundle_brings_its_own_client(tmp_path: Path) -> None:
    wanted = options.ServiceOptions(bundle="/some/bundle", chat_client=str(tmp_path))

    with pytest.raises(UsageError, match="--rocketchat-bundle=/some/bundle with --chat-client="):
        options.find(wanted, CONTRACT, say=print)


@pytest.mark.parametrize("other", ["containers", "attached"])
def test_only_an_embedded_stack_obeys(other: str) -> None:
    wanted = options.ServiceOptions(chat_client="/some/client")

    assert kind.resolved("auto", CONTRACT, None, wanted.given())[0] == "embedded"
    with pytest.raises(UsageError, match="--chat-client=/some/client with --stack="):
        kind.reject_unsupported_options(other, None, wanted.given())


@pytest.mark.parametrize(("said", "spoken"), [("6.5.3", "6.5.3"), ("7.11", CONTRACT.chat.version)])
def test_who_is_handed_a_stack_speaks_its_version(said: str, spoken: str) -> None:
    """As an xdist worker, which has not looked at the client; `/api/info` tells strangers two numbers only."""
    chat = Service("rocketchat", "http://127.0.0.1:3000", said, real=False)
    url = "http://127.0.0.1:1"
    stack = Stack("embedded", "run", "/tmp/run", url, url, None, None, None, (chat,))

    assert stack.contract(CONTRACT).chat.version == spoken


def test_the_head_of_a_run_names_the_client() -> None:
    chat = Service("rocketchat", "http://127.0.0.1:3000", "6.5.3", real=False)
    client = Service(WEB_CLIENT, "/some/bundle", "6.5.3", real=True)
    url = "http://127.0.0.1:1"
    own = Stack("embedded", "run", "/tmp/run", url, url, None, None, None, (chat,))
    foreign = Stack("embedded", "run", "/tmp/run", url, url, None, None, None, (chat, client))

    assert (own.client_is_real, foreign.client_is_real) == (False, True)
    assert any(line.split() == ["web", "client", "6.5.3", "real", "/some/bundle"] for line in foreign.lines())


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (options.ServiceOptions(client_mood="cheerful"), "--client-mood=cheerful"),
        (options.ServiceOptions(client_mood="late", chat_client="/some"), "--client-mood=late with /some"),
        (options.ServiceOptions(client_mood="late", bundle="/some"), "--client-mood=late with /some"),
    ],
    ids=["no mood", "the real client", "a bundle"],
)
def test_a_mood_is_one_of_our_own_clients(wanted: options.ServiceOptions, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        options.find(wanted, CONTRACT, say=print)
