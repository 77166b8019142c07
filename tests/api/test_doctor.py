"""Doctor on a stack of its own: silent on a healthy one, and on a broken one it begins with the cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from besedka.checks.examination import Addresses
from besedka.checks.finding import Status
from besedka.checks.run import examine
from besedka.rocketchat.rest import RocketChat
from besedka.stack import embedded
from fixtures.options import CONTRACT_KEY
from tests.api.broken import BROKEN, Broken, Patient

pytestmark = pytest.mark.doctor


@pytest.fixture(scope="module")
def patient(request: pytest.FixtureRequest) -> Iterator[Patient]:
    """One stack for this file; every test leaves it as it was."""
    own = request.config.stash[CONTRACT_KEY]
    with embedded.running(own) as running:
        stack = running.stack
        assert stack is not None
        assert stack.mongo_url is not None
        contract = stack.contract(own)
        account = contract.chat.admin
        admin = RocketChat.sign_in(stack.chat_url, account.username, account.secret)
        with MongoClient[dict[str, Any]](stack.mongo_url, directConnection=True) as client:
            yield Patient(running, contract, stack, admin, client.get_default_database("rocketchat"))


def temporary_accounts(patient: Patient) -> list[str]:
    return [str(user["username"]) for user in patient.mongo.users.find({"username": {"$regex": "^temp_"}})]


def test_a_healthy_stack_has_no_finding(patient: Patient) -> None:
    report = patient.examine()
    assert report.findings == ()
    assert report.count(Status.CRASH) == report.count(Status.BLOCKED) == 0
    assert report.exit_status == 0
    assert [row.check for row in report.results if row.status is Status.SKIPPED] == ["integrity.migration"]


def test_the_hops_of_sso_end_in_a_session_and_leave_nobody_behind(patient: Patient) -> None:
    report = patient.examine(only=["sso"])
    assert report.result("sso.session").status is Status.OK
    assert "services.besedka.id" in report.result("sso.session").evidence
    assert report.result("sso.rooms").evidence == patient.contract.default_channel.name
    assert report.leftovers == ()
    assert temporary_accounts(patient) == []


def test_reading_alone_checks_the_hops_as_far_as_that_goes(patient: Patient) -> None:
    report = patient.examine(write=False)
    assert report.findings == ()
    assert report.result("sso.client").status is Status.OK
    assert report.result("sso.user").status is Status.SKIPPED
    assert "--write" in report.result("sso.rooms").reason


def test_without_databases_what_needs_them_is_skipped_and_says_so(patient: Patient) -> None:
    report = examine(Addresses(patient.stack.site_url, patient.stack.chat_url), patient.contract)
    assert report.findings == ()
    assert "--mongo-url" in report.result("integrity.ids").reason
    assert "--site-database-url" in report.result("application.secret").reason
    assert report.result("rooms.members").status is Status.OK
    assert "provider.secret" not in report.unwatched


def test_the_administrators_log_in_is_taken_back(patient: Patient) -> None:
    def tokens() -> int:
        admin = patient.mongo.users.find_one({"username": patient.contract.chat.admin.username})
        assert admin is not None
        return len(admin["services"]["resume"]["loginTokens"])

    before = tokens()
    patient.examine(only=["services"])
    assert tokens() == before


def test_secrets_stay_inside(patient: Patient) -> None:
    report = patient.examine().to_json()
    assert [secret for secret in patient.contract.secrets if secret in report] == []
    assert json.loads(report)["coverage"]["watched"] > 90


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_one_cause_gives_one_finding_and_comes_first(patient: Patient, broken: Broken) -> None:
    broken.break_it(patient)
    try:
        report = patient.examine(write=False)
    finally:
        broken.heal(patient)
    assert [found.code for found in report.findings] == [broken.cause]
    assert report.first_cause is not None
    assert report.first_cause.fix
    assert report.exit_status == 1
    assert patient.examine(write=False).findings == ()


def test_a_membership_taken_out_of_mongo(patient: Patient) -> None:
    taken = patient.mongo.rocketchat_subscription.find_one_and_delete({"u.username": "owner", "name": "vip"})
    assert taken is not None
    try:
        report = patient.examine(write=False)
    finally:
        patient.mongo.rocketchat_subscription.insert_one(taken)
    assert [found.code for found in report.findings] == ["rooms.members.missing"]
    assert "owner is not in vip" in report.findings[0].seen


def test_a_setting_written_straight_into_mongo_is_told_from_an_effective_one(patient: Patient) -> None:
    settings = patient.mongo.rocketchat_settings
    settings.update_one({"_id": "Iframe_Restrict_Access"}, {"$set": {"value": True}})
    try:
        report = patient.examine(write=False)
    finally:
        settings.update_one({"_id": "Iframe_Restrict_Access"}, {"$set": {"value": False}})
    assert [found.code for found in report.findings] == ["setting.Iframe_Restrict_Access.not_stored"]


def test_a_log_in_service_that_is_gone_though_its_settings_are_right(patient: Patient) -> None:
    services = patient.mongo.meteor_accounts_loginServiceConfiguration
    taken = services.find_one_and_delete({"service": patient.contract.provider.name})
    assert taken is not None
    try:
        report = patient.examine(write=False)
    finally:
        services.insert_one(taken)
    assert [found.code for found in report.findings] == ["login_service.present.absent"]
    assert report.result("sso.client").root == "login_service.present"


@pytest.mark.parametrize(
    ("name", "cause"),
    [("site", "services.site.unanswered"), ("rocketchat", "services.chat.unanswered")],
)
def test_a_service_that_is_gone(patient: Patient, name: str, cause: str) -> None:
    patient.running.processes[name].stop()
    try:
        report = patient.examine()
    finally:
        patient.running.restart(name)
    assert [found.code for found in report.findings] == [cause]
    assert report.count(Status.BLOCKED) > 20
