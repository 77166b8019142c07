"""Provisioning of Rocket.Chat fresh from its first boot: apply, apply again, undo, death half-way."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from besedka import provision
from besedka.contract import PROJECT_ROOT
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from tests import bare_chat
from tests.bare_chat import BareChat

# One server for the file: with `--dist loadgroup` one worker has it, else each that takes a test starts one.
pytestmark = [pytest.mark.provision, pytest.mark.xdist_group("provision")]
KILLS = 3
SECONDS = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareChat]:
    # Twenty log-ins a minute from one address are this file's own doing.
    with bare_chat.running(tmp_path_factory.mktemp("chat"), API_Enable_Rate_Limiter="false") as running:
        yield running


@pytest.fixture
def fresh(server: BareChat) -> Iterator[BareChat]:
    """The server as after its first boot, and again so after the test."""
    before = server.snapshot()
    yield server
    while undo(server).writes:
        pass
    assert settled(server, before) == before


def undo(chat: BareChat) -> provision.Undoing:
    return provision.undo(chat.target, chat.contract, journal_folder=chat.journal)


def settled(chat: BareChat, wanted: dict[str, object]) -> dict[str, object]:
    """The snapshot, once the log-in services have followed their settings (2.5 s after the last write)."""
    chat.age(5)
    with ChatDatabase(chat.mongo_url) as database:
        for _ in range(200):
            if sorted(row["service"] for row in database.login_services()) == wanted["services"]:
                break
            RocketChat(chat.url).info()
    return chat.snapshot()


def test_a_fresh_chat_is_brought_to_the_contract_and_a_second_apply_writes_nothing(fresh: BareChat) -> None:
    first = provision.bring(fresh.target, fresh.contract, journal_folder=fresh.journal)
    assert first.remaining == first.unstored == ()
    assert first.writes >= len(first.actions) > 30
    snapshot = fresh.snapshot()
    wanted = {(user.username, channel.name) for user, channel in fresh.contract.subscriptions}
    assert {pair for pair in snapshot["members"] if pair[0] != "rocket.cat"} == wanted
    assert snapshot["services"] == [fresh.contract.provider.name]
    second = fresh.bring()
    assert (second.writes, second.actions, second.notices) == (0, (), ())


def test_undo_leaves_every_setting_user_room_and_membership_as_before(fresh: BareChat) -> None:
    before = fresh.snapshot()
    fresh.bring()
    assert undo(fresh).left == []
    assert settled(fresh, before) == before


@pytest.mark.skipif(
    sys.platform != "linux", reason="the killer holds its victim by a pidfd, which is Linux's"
)
def test_killed_at_any_moment_undo_restores_and_apply_fulfils(fresh: BareChat) -> None:
    before = fresh.snapshot()
    moments = random.Random(4)  # noqa: S311 - moments, no secrets
    for _ in range(KILLS):
        lines = moments.randint(1, 85)
        fresh.bring_until_killed(lines, moments.uniform(0, 0.01))
        undo(fresh)
        assert settled(fresh, before) == before, f"killed after {lines} lines of the journal"
    fresh.bring_until_killed(40, 0)
    assert fresh.bring().remaining == ()


def test_an_old_administrator_is_asked_for_the_password_and_gives_it(fresh: BareChat) -> None:
    """From the thirtieth minute of an account on, `totp-required` (`apps/meteor/app/2fa/server/code`)."""
    fresh.age(3600)
    assert fresh.bring().remaining == ()


def test_a_twin_of_a_room_is_reported_and_nothing_is_made(fresh: BareChat) -> None:
    name = f"{fresh.contract.channels[-1].name}-chat"
    fresh.bring()
    admin = fresh.contract.chat.admin
    chat = RocketChat.sign_in(fresh.url, admin.username, admin.secret)
    twin = chat.post("groups.create", name=name)["group"]
    try:
        outcome = fresh.bring()
        assert outcome.writes == 0
        assert ("room-twin", name) in [(notice.code, notice.target) for notice in outcome.notices]
    finally:
        chat.post("groups.delete", roomId=twin["_id"])


def test_the_command_plans_in_json_without_secrets_and_says_so_by_its_status(fresh: BareChat) -> None:
    planned = command(fresh, "--plan", "--json")
    assert planned.returncode == 2, planned.stderr
    kinds = [action["kind"] for action in json.loads(planned.stdout)["actions"]]
    assert {"setting", "provider", "user", "room"} <= set(kinds)
    for secret in fresh.contract.secrets:
        assert secret not in planned.stdout + planned.stderr
    fresh.bring()
    assert command(fresh, "--plan").returncode == 0


def test_the_command_writes_nothing_to_a_stack_nobody_named(fresh: BareChat) -> None:
    refused = command(fresh, "--apply", "--yes-this-is", "chat.besedka.com")
    assert refused.returncode == 48
    assert "Traceback" not in refused.stderr
    assert fresh.bring().writes > 0


def command(chat: BareChat, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`besedka provision` as typed."""
    fixed = ["--chat-url", chat.url, "--journal", str(chat.journal)]
    return subprocess.run(
        [sys.executable, "-m", "besedka.cli", "provision", *arguments, *fixed],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
