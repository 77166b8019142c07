"""Two faults at once: doctor names both causes, whichever was there first."""

from __future__ import annotations

from itertools import combinations

import pytest

from besedka import contract as contracts
from faults import catalogue
from faults.fault import Fault
from tests.faults.ward import Ward

pytestmark = pytest.mark.faults

BY_NAME = {fault.name: fault for fault in catalogue(contracts.load())}
# One or more of each layer that can fail beside another: none of them takes another's ground away.
DOZEN = (
    "chat_thinks_it_lives_elsewhere",
    "test_page_gone",
    "site_password_changed",
    "redirect_uri_empty",
    "consent_page",
    "provider_secret",
    "setting_Iframe_Restrict_Access",
    "setting_First_Channel_After_Login",
    "iframe_login_of_rocketchat_on",
    "invented_setting",
    "account_without_a_way_in",
    "owner_unsubscribed_from_vip",
)
PAIRS = [(BY_NAME[one], BY_NAME[other]) for one, other in combinations(DOZEN, 2)]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{one.name}+{other.name}" for one, other in PAIRS])
def test_both_causes_are_named(ward: Ward, one: Fault, other: Fault) -> None:
    with ward.fresh() as patient:
        with one.put_into(patient), other.put_into(patient):
            report = patient.examine()
        codes = [found.code for found in report.findings]
        assert codes[0] in {one.cause, other.cause}
        assert sorted(codes) == sorted([one.cause, other.cause, *one.also, *other.also])
