"""Doctor on a healthy stack of its own; `tests/faults/` shows that each of its checks can fail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from besedka import provision
from besedka.checks.finding import Status
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.stacks import embedded
from besedka.target import Target
from faults import BreakableStack
from fixtures.options import CONTRACT_KEY

# Each brings up a stack with the site in web/.
pytestmark = [pytest.mark.doctor, pytest.mark.feature("own_urls")]


@pytest.fixture(scope="module")
def breakable(request: pytest.FixtureRequest) -> Iterator[BreakableStack]:
    """One stack for this file; every test leaves it as it was."""
    contract = request.config.stash[CONTRACT_KEY]
    with embedded.running(contract) as running, BreakableStack.of(running, contract) as breakable:
        yield breakable


def examined(breakable: BreakableStack, *, only: Iterable[str] = (), write: bool = True) -> Report:
    """The report with a temporary user's sign-in, unless `write` says no."""
    target = replace(breakable.stack.target, may_write=write)
    return examine(target, breakable.contract, only=only)


def temporary_accounts(breakable: BreakableStack) -> list[str]:
    return [str(user["username"]) for user in breakable.mongo.users.find({"username": {"$regex": "^temp_"}})]


def test_a_healthy_stack_has_no_finding(breakable: BreakableStack) -> None:
    report = examined(breakable)
    assert report.findings == ()
    assert report.count(Status.CRASH) == report.count(Status.BLOCKED) == 0
    assert report.exit_status == 0
    assert [row.check for row in report.results if row.status is Status.SKIPPED] == []


def test_the_hops_of_sso_end_in_a_session_and_leave_nobody_behind(breakable: BreakableStack) -> None:
    report = examined(breakable, only=["sso"])
    assert report.result("sso.session").status is Status.OK
    assert f"services.{breakable.contract.provider.name}.id" in report.result("sso.session").evidence
    assert report.result("sso.rooms").evidence == breakable.contract.default_channel.name
    assert report.leftovers == ()
    assert temporary_accounts(breakable) == []


def test_reading_alone_checks_the_hops_as_far_as_that_goes(breakable: BreakableStack) -> None:
    report = examined(breakable, write=False)
    assert report.findings == ()
    assert report.result("sso.client").status is Status.OK
    assert report.result("sso.user").status is Status.SKIPPED
    assert "--write" in report.result("sso.rooms").reason


def test_another_version_than_the_contracts_is_one_finding_and_blocks_nothing(
    breakable: BreakableStack,
) -> None:
    wanted = {"version": "7.10.2"}
    other = breakable.contract.model_copy(update={"chat": breakable.contract.chat.model_copy(update=wanted)})
    report = examine(breakable.stack.target, other)
    assert [found.code for found in report.findings] == ["services.contract_version.differs"]
    assert report.count(Status.BLOCKED) == report.count(Status.CRASH) == 0


def test_without_databases_what_needs_them_is_skipped_and_says_so(breakable: BreakableStack) -> None:
    report = examine(Target(breakable.stack.site_url, breakable.stack.chat_url), breakable.contract)
    assert report.findings == ()
    assert "--mongo-url" in report.result("integrity.ids").reason
    assert "--site-database-url" in report.result("application.secret").reason
    assert report.result("rooms.members").status is Status.OK
    assert "provider.secret" not in report.unwatched


_PASSWORD = {"password": {"bcrypt": "$2b$10$"}}
# What Rocket.Chat keeps of people who are none of the contract's, and of their rooms.
_OTHERS: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"username": "@bob:matrix.example", "federated": True},
        {"username": "imported", "importIds": ["U012"], "active": False},
        {"username": "by.cas", "services": {"cas": {"external_id": "by.cas"}}},
        {"username": "poll.bot", "type": "app", "roles": ["app"]},
        {"emails": [{"address": "no.name.yet@elsewhere.example", "verified": False}], "services": _PASSWORD},
        {"username": "boss", "banners": {"versionUpdate-9": {"read": False}}, "services": _PASSWORD},
    ],
    "rocketchat_room": [
        {"t": "p", "name": "room-of-others"},
        {"t": "p", "name": "old-room-of-others", "archived": True},
        {"t": "p", "name": "a-discussion", "fname": "VIP", "prid": "GENERAL"},
        {"t": "d", "uids": []},
        {"t": "l", "fname": "A visitor", "v": {"username": "guest-1"}},
    ],
    "rocketchat_banner": [{"active": False}],
}


@pytest.mark.parametrize("with_data", [True, False], ids=["data", "calls alone"])
def test_other_people_of_the_workspace_and_their_rooms_are_nothing_wrong(
    breakable: BreakableStack, with_data: bool
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    common = {
        "users": {"type": "user", "active": True, "roles": ["user"], "createdAt": now, "__rooms": []},
        "rocketchat_room": {"ts": now, "msgs": 0, "usersCount": 0},
        "rocketchat_banner": {},
    }
    whole = breakable.stack.target
    target = whole if with_data else Target(whole.site_url, whole.chat_url)
    with ExitStack() as there:
        for collection, rows in _OTHERS.items():
            for number, row in enumerate(rows):
                document = {"_id": f"of-others-{number}"} | common[collection] | row
                there.enter_context(breakable.inserted(collection, document))
        report = examine(target, breakable.contract)
        plan = provision.planned(target, breakable.contract)

    assert report.findings == ()
    assert report.count(Status.BLOCKED) == report.count(Status.CRASH) == 0
    assert [action.text() for action in plan.actions] == []
    assert plan.notices == ()


def test_lists_are_read_whole_where_rocketchat_gives_them_in_pages(breakable: BreakableStack) -> None:
    few = breakable.setting("API_Default_Count", 2)
    with breakable.setting("API_Allow_Infinite_Count", False), few:
        by_rest = Target(breakable.stack.site_url, breakable.stack.chat_url)
        assert examine(by_rest, breakable.contract).findings == ()


def test_the_administrators_log_in_is_taken_back(breakable: BreakableStack) -> None:
    def tokens() -> int:
        admin = breakable.mongo.users.find_one({"username": breakable.contract.chat.admin.username})
        assert admin is not None
        return len(admin["services"]["resume"]["loginTokens"])

    before = tokens()
    examined(breakable, only=["services"])
    assert tokens() == before


def test_secrets_stay_inside(breakable: BreakableStack) -> None:
    report = examined(breakable).to_json()
    assert [secret for secret in breakable.contract.secrets if secret in report] == []
    assert json.loads(report)["coverage"]["watched"] > 90


def test_a_log_in_service_that_is_gone_though_its_settings_are_right(breakable: BreakableStack) -> None:
    own = {"service": breakable.contract.provider.name}
    with breakable.removed("meteor_accounts_loginServiceConfiguration", own):
        report = examined(breakable, write=False)
    assert [found.code for found in report.findings] == ["login_service.present.absent"]
    assert report.result("sso.callback").root == "login_service.present"
