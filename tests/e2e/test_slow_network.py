"""`--slow-network` is slow: what the browser itself measures of the answers that it waited for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from besedka.contract import Contract
from besedka.stacks.services.options import SLOW_SECONDS
from fixtures.features import DOES_NOT_APPLY

pytestmark = pytest.mark.e2e


def test_each_answer_is_late(contract: Contract, visitor: Page, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--slow-network"):
        pytest.skip(f"{DOES_NOT_APPLY}the network is not to be slow")
    for url in (contract.site.url + contract.site.login_path, f"{contract.chat.url}/api/info"):
        answer = visitor.goto(url)
        assert answer is not None
        timing = answer.request.timing
        waited = (timing["responseStart"] - timing["requestStart"]) / 1000
        assert waited >= SLOW_SECONDS, f"{url} answered after {waited:.3f} s"
