"""An upgrade of Rocket.Chat on the same data: what was written stays, and after `provision` all is right.

Here the stand-in speaks the one version, then the other; the nightly does the same with the images.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka import provision
from besedka.contract import OVERLAYS_ENV
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import embedded, versions
from besedka.stacks.embedded import EmbeddedStack
from besedka.stacks.model import Stack
from fixtures.options import STACK_OPTION
from tests import inner
from tests.variants.table import ALWAYS

pytestmark = pytest.mark.variants
OVERLAY = '[overlay]\nname = "after an upgrade"\nreason = "the next line"\n\n[chat]\nversion = "{version}"\n'


@pytest.mark.parametrize(("old", "new"), versions.upgrades())
def test_everything_is_right_after_an_upgrade(old: str, new: str, tmp_path: Path) -> None:
    text, overlay, told = secrets.token_hex(8), tmp_path / "overlay.toml", tmp_path / "stack.json"
    overlay.write_text(OVERLAY.format(version=new), "utf-8")
    with embedded.running(versions.of_contract(contracts.load(), old)) as running:
        admin, room = running.contract.chat.admin, running.contract.default_channel.name
        chat = RocketChat.sign_in(running.contract.chat.url, admin.username, admin.secret)
        assert old.startswith(str(chat.info()["version"])), "the old version does not run"
        chat.post("chat.postMessage", channel=f"#{room}", text=text)

        stack = upgraded(running, new)

        assert new.startswith(stack.service("rocketchat").version), "the new version does not run"
        assert stack.mongo_url
        with ChatDatabase(stack.mongo_url) as data:
            assert [row["msg"] for row in data.messages(room, text)] == [text], "what was written is lost"
        # A start takes Show_Setup_Wizard back in a workspace that is not registered, in any version.
        provision.bring(stack.target, running.contract, journal_folder=tmp_path / "journal")
        told.write_text(stack.to_json(), "utf-8")
        finished = inner.run(*ALWAYS, f"{STACK_OPTION}={told}", more={OVERLAYS_ENV: str(overlay)})

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert " skipped" not in finished.stdout.splitlines()[-1], finished.stdout


def upgraded(running: EmbeddedStack, version: str) -> Stack:
    """The stack with that version of Rocket.Chat on the same data."""
    running.contract = versions.of_contract(running.contract, version)
    running.restart("rocketchat")
    now = RocketChat(running.contract.chat.url).info()["version"]
    assert running.stack
    rows = running.stack.services
    return replace(
        running.stack,
        services=tuple(replace(row, version=now) if row.name == "rocketchat" else row for row in rows),
    )
