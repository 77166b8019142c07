"""Commands that lead to a target: what is printed runs as pasted, and holds no password."""

from __future__ import annotations

import shlex

import pytest

from besedka import contract as contracts
from besedka.contract import CONTRACT_ENV, CONTRACT_FILE
from besedka.target import Target, besedka_command

ELSEWHERE = Target("http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.fixture(autouse=True)
def _own_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONTRACT_ENV, raising=False)


def test_a_command_for_another_stack_carries_its_addresses() -> None:
    assert shlex.split(besedka_command(ELSEWHERE, "provision", "--apply")) == [
        *("python3", "run.py", "provision", "--apply"),
        *("--site-url", ELSEWHERE.site_url, "--chat-url", ELSEWHERE.chat_url),
    ]


def test_a_command_carries_the_address_that_rocket_chat_reaches_the_site_by() -> None:
    inside = "http://host.docker.internal:1"
    target = Target("http://127.0.0.1:1", "http://127.0.0.1:2", provider_url=inside)
    assert shlex.split(besedka_command(target, "doctor"))[-2:] == ["--provider-url", inside]


def test_a_contract_keeps_its_own_provider_where_the_target_says_none() -> None:
    contract, elsewhere = contracts.load(), "http://provider.invalid:1"
    provider = contract.provider.model_copy(update={"url": elsewhere})
    moved = ELSEWHERE.moved(contract.model_copy(update={"provider": provider}))
    assert (moved.site.url, moved.provider.url) == (ELSEWHERE.site_url, elsewhere)
    assert ELSEWHERE.moved(contract).provider.url == ELSEWHERE.site_url


@pytest.mark.parametrize(
    ("mongo_url", "shown"),
    [("mongodb://127.0.0.1:3/rocketchat", True), ("mongodb://root:hunter2@127.0.0.1:3/rocketchat", False)],
)
def test_a_command_shows_no_password_of_a_database(mongo_url: str, shown: bool) -> None:
    site = mongo_url.replace("mongodb", "postgres")
    command = besedka_command(Target("http://127.0.0.1:1", "http://127.0.0.1:2", mongo_url, site), "doctor")
    assert ("--mongo-url" in command) == ("--site-database-url" in command) == shown
    assert "hunter2" not in command


def test_a_command_names_the_contract_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONTRACT_ENV, str(CONTRACT_FILE))
    assert besedka_command(ELSEWHERE, "doctor").startswith(f"{CONTRACT_ENV}={CONTRACT_FILE} python3 run.py")
