"""What a first boot leaves, and what a change of version does (measured on 6.13.0)."""

from __future__ import annotations

import pytest

from .chat import Chat, collection
from .standin import ADMIN, ADMIN_PASSWORD, Standin, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "starts servers on empty databases and restarts them"

WIZARD = "Show_Setup_Wizard"


def _asked(standin: Standin) -> Chat:
    return Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)


def _wizard(chat: Chat) -> object:
    return chat.admin.get(f"settings/{WIZARD}").body["value"]


def _migration(standin: Standin) -> object:
    with collection(standin.mongo_url, "migrations") as migrations:
        return (migrations.find_one({"_id": "control"}) or {})["version"]


def test_the_wizard_is_open_again_after_a_first_boot_and_a_change_of_version(standins: Standins) -> None:
    """server/startup/cloudRegistration.ts: `completed` becomes `in_progress`, OVERWRITE_SETTING_ or not."""
    with standins.running(version="6.12.0", **{f"OVERWRITE_SETTING_{WIZARD}": "completed"}) as standin:
        chat = _asked(standin)
        assert _wizard(chat) == "in_progress"
        with collection(standin.mongo_url, "rocketchat_settings") as settings:
            row = settings.find_one({"_id": WIZARD}) or {}
        assert row["valueSource"] == "processEnvValue"

        standin.stop()
        standin.start()
        assert _wizard(_asked(standin)) == "completed"

        standin.stop()
        standin.version = "6.13.0"
        standin.start()
        assert _wizard(_asked(standin)) == "in_progress"


def test_the_number_of_the_last_migration_comes_with_the_second_boot(standins: Standins) -> None:
    """server/lib/migrations.ts: two upserts that nobody awaits."""
    with standins.running(version="6.13.0") as standin:
        assert _migration(standin) == 0
        standin.stop()
        standin.start()
        assert _migration(standin) == 304


@pytest.mark.parametrize(
    ("word", "verified"), [("true", True), ("yes", False), ("True", False), ("1", False)]
)
def test_only_the_exact_word_true_verifies_the_administrators_address(
    standins: Standins, word: str, verified: bool
) -> None:
    """server/startup/initialData.ts:40."""
    with standins.running(ADMIN_EMAIL_VERIFIED=word) as standin:
        [address] = _asked(standin).admin.get("me").body["emails"]
        assert address["verified"] is verified


def test_the_administrator_of_the_environment_is_nothing_else_and_in_no_room(standins: Standins) -> None:
    """server/startup/initialData.ts: no role `user`, and no default channel."""
    with standins.running() as standin:
        chat = _asked(standin)
        assert chat.admin.get("me").body["roles"] == ["admin"]
        assert chat.admin.get("subscriptions.get").body["update"] == []


def test_nobody_verifies_his_own_address(standins: Standins) -> None:
    """app/lib/server/functions/saveUser.js: 400 error-action-not-allowed."""
    with standins.running() as standin:
        admin = _asked(standin).admin
        me = admin.get("me").body["_id"]
        answer = admin.post("users.update", {"userId": me, "data": {"verified": True}})
        assert (answer.status, answer.body["errorType"]) == (400, "error-action-not-allowed")
        assert admin.post("users.update", {"userId": me, "data": {"name": "Boss"}}).status == 200
