"""One apply mends whatever several faults did to settings, rooms and accounts, or refuses before it begins."""

from __future__ import annotations

import random
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion

from besedka import contract as contracts
from besedka import provision
from besedka.checks.finding import Finding, Severity
from besedka.checks.run import examine
from besedka.commands import left_to_a_person
from besedka.errors import BesedkaError
from besedka.provision.action import Notice
from faults import BreakableStack, Fault, catalogue
from faults.breakable_stack import REBUILD_SECONDS, FaultError
from tests.faults.fault_lab import FaultLab

pytestmark = pytest.mark.faults

FAULTS = catalogue(contracts.load())

# What provisioning answers for; a fault of a service, a page or a proxy is nothing that it could mend.
_MENDABLE = ("application", "provider", "login_service", "integrity", "rooms", "setting")
_OF_A_PROXY = "provider.reachable_from_chat"
_SEED, _DRAWS = 18, 24
_COLLECTIONS = (
    "meteor_accounts_loginServiceConfiguration",
    "rocketchat_permissions",
    "rocketchat_roles",
    "rocketchat_room",
    "rocketchat_settings",
    "rocketchat_subscription",
    "users",
)
# One of the faults writes the last date that JavaScript knows, which Python's dates do not reach.
_ANY_DATE: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
# Reading needs a log-in, which leaves its traces in the account.
_LEFT_BY_A_LOG_IN = {"lastLogin", "_updatedAt", "status", "statusConnection"}


def _drawn() -> list[tuple[Fault, ...]]:
    """Pairs and triples of different layers."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret
    faults = [one for one in FAULTS if one.cause.startswith(_MENDABLE) and one.check != _OF_A_PROXY]
    found: list[tuple[Fault, ...]] = []
    while len(found) < _DRAWS:
        some = chance.sample(faults, chance.choice((2, 3)))
        if len({fault.layer for fault in some}) == len(some):
            found.append(tuple(some))
    return found


BY_NAME = {fault.name: fault for fault in FAULTS}
ALWAYS = [
    (BY_NAME["provider_row_in_capitals"], BY_NAME["client_id_mismatch"], BY_NAME["role_that_does_not_exist"]),
    (BY_NAME["vip_archived"], BY_NAME["client_secret_drift"]),
    (BY_NAME["restored_from_four_collections"], BY_NAME["owner_muted_in_vip"]),
    (BY_NAME["login_service_that_is_not_custom"], BY_NAME["member_missing_among_the_members"]),
]
DRAWN = _drawn()


def _named(some: tuple[Fault, ...]) -> str:
    return "+".join(fault.name for fault in some)


def _stored(breakable: BreakableStack) -> dict[str, list[str]]:
    """Every document that provisioning could change, but for what a log-in leaves."""
    held = {}
    for name in _COLLECTIONS:
        found = breakable.mongo.get_collection(name, _ANY_DATE).find().sort("_id")
        rows: list[dict[str, Any]] = list(found)
        for row in rows if name == "users" else ():
            if isinstance(row.get("services"), dict):
                row["services"].pop("resume", None)
            for field in _LEFT_BY_A_LOG_IN:
                row.pop(field, None)
        held[name] = [json_util.dumps(row, sort_keys=True) for row in rows]
    return held


def _applied(breakable: BreakableStack, folder: Path) -> BesedkaError | None:
    """One apply, as the command does it; why it refused."""
    target, contract = breakable.stack.target, breakable.contract

    def examined() -> tuple[Notice, ...]:
        return left_to_a_person.notices(examine(target.read_only, contract).findings)

    try:
        provision.bring(target, contract, journal_folder=folder, examined=examined)
    except BesedkaError as refused:
        return refused
    return None


def _a_persons(found: Finding) -> bool:
    """What an apply may leave: doctor says it, and no command mends it."""
    return found.severity is Severity.NOTE or (found.severity is Severity.RISK and not found.commands)


def _demand_all_or_nothing(lab: FaultLab, some: tuple[Fault, ...], folder: Path) -> None:
    with lab.fresh() as breakable, suppress(FaultError), ExitStack() as broken:
        for fault in some:
            # Where one has taken the ground from under the next, there is one less.
            with suppress(FaultError):
                broken.enter_context(fault.put_into(breakable))
        # Whatever the faults have set off is over before the apply begins.
        breakable.move_clock(REBUILD_SECONDS)
        breakable.examine()
        before = _stored(breakable)
        refused = _applied(breakable, folder)
        after = _stored(breakable)
        left = [one.code for one in breakable.wait_until_healed().findings if not _a_persons(one)]
        if refused:
            assert refused.next_step, "it does not say what a person must do"
        if refused or left:
            assert after == before, f"it changed something, and then {refused or left}"
        else:
            assert provision.planned(breakable.stack.target, breakable.contract).actions == ()


@pytest.mark.parametrize("some", ALWAYS, ids=_named)
def test_an_apply_mends_several_at_once_or_refuses(
    lab: FaultLab, some: tuple[Fault, ...], tmp_path: Path
) -> None:
    _demand_all_or_nothing(lab, some, tmp_path)


@pytest.mark.fixes
@pytest.mark.parametrize("some", DRAWN, ids=_named)
def test_it_does_so_for_more_of_them(lab: FaultLab, some: tuple[Fault, ...], tmp_path: Path) -> None:
    _demand_all_or_nothing(lab, some, tmp_path)
