"""What is asked of every variant's stack; run by test_variants.py, which is why its name is no test's."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from besedka import provision
from besedka.checks.finding import Status
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.stacks.model import Stack
from tests.variants.beside import BESIDE_ENV, MAKERS

pytestmark = [pytest.mark.doctor, pytest.mark.usefixtures("beside")]

_UNASKED = {Status.BLOCKED, Status.CRASH}


@pytest.fixture(scope="module")
def beside(stack: Stack, contract: Contract, chat_admin: RocketChat) -> None:
    """What stands in Rocket.Chat beside the contract's things, and is nobody's business."""
    for kind, names in json.loads(os.environ.get(BESIDE_ENV, "{}")).items():
        for name in names:
            MAKERS[kind](chat_admin, stack, name)


def test_doctor_finds_nothing(stack: Stack, contract: Contract) -> None:
    report = examine(replace(stack.target, may_write=True), contract)

    found = [f"{found.code}: {found.seen}; expected {found.expected}" for found in report.findings]
    assert found == []
    unasked = [f"{row.check}: {row.reason}" for row in report.results if row.status in _UNASKED]
    assert unasked == []
    assert report.leftovers == ()


def test_provisioning_changes_nothing_the_second_time(stack: Stack, contract: Contract) -> None:
    plan = provision.planned(stack.target, contract)

    assert [action.text() for action in plan.actions] == []
    assert [f"{notice.code} {notice.target}: {notice.text}" for notice in plan.notices] == []


def test_memberships_are_the_contracts(contract: Contract, chat_data: ChatDatabase) -> None:
    held = {
        (user.username, row["name"])
        for user in contract.users
        for row in chat_data.subscriptions(user.username)
        if row["name"] in {channel.name for channel in contract.channels}
    }

    belong = {(user.username, channel.name) for user, channel in contract.subscriptions}
    assert belong <= held
    # Who makes the rooms is in them, whatever the role on the site.
    assert [name for name, _ in held - belong if not contract.is_administrator(name)] == []
