"""Several faults at once: doctor names every cause. Twelve neighbouring pairs, and all twelve."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from besedka import contract as contracts
from faults import catalogue, names
from faults.fault import Fault
from tests.faults.fault_lab import FaultLab

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
    f"{names.MEMBER.username}_unsubscribed_from_{names.PRIVATE.name}",
)
FAULTS = [BY_NAME[name] for name in DOZEN]
NEIGHBOURS = [*zip(FAULTS, [*FAULTS[1:], FAULTS[0]], strict=True)]


@pytest.mark.parametrize(
    "together",
    [*NEIGHBOURS, tuple(FAULTS)],
    ids=[*(f"{one.name}+{other.name}" for one, other in NEIGHBOURS), "all_twelve"],
)
def test_every_cause_is_named(lab: FaultLab, together: tuple[Fault, ...]) -> None:
    with lab.fresh() as breakable:
        with ExitStack() as broken:
            for fault in together:
                broken.enter_context(fault.put_into(breakable))
            report = breakable.examine()
        codes = [found.code for found in report.findings]
        assert codes[0] in {fault.cause for fault in together}
        assert sorted(codes) == sorted(code for fault in together for code in (fault.cause, *fault.also))
