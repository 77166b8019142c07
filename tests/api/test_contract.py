"""The running stack is what besedka.toml says: doctor's reading checks, one test per layer."""

from __future__ import annotations

import pytest

from besedka.checks.check import LAYERS
from besedka.checks.finding import Severity
from besedka.checks.report import Report
from besedka.checks.run import examine
from besedka.contract import Contract
from besedka.stacks.model import Stack

pytestmark = pytest.mark.api


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest, stack: Stack, contract: Contract) -> Report:
    """What doctor says of the layers that this run asks for; nothing is written."""
    asked = [item for item in request.session.items if isinstance(item, pytest.Function)]
    layers = [item.callspec.params["layer"] for item in asked if item.function is _THE_TEST]
    return examine(stack.target.read_only, contract, only=layers)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layer_is_as_the_contract_says(layer: str, report: Report, stack: Stack) -> None:
    results = [result for result in report.results if result.layer == layer]
    # Doctor ends with 0 beside a note. A stack that the suite has made itself gives no cause for one.
    passed_over = {Severity.NOTE} if stack.kind == "attached" else set()
    findings = [one for result in results for one in result.findings if one.severity not in passed_over]
    found = [f"{one.code}: {one.seen}" for one in findings]
    crashed = [f"{result.check}: {result.reason}" for result in results if result.traceback]
    blocked = [f"{result.check}: {result.reason}" for result in results if result.root]

    assert found == [], "\n".join(found)
    assert crashed == [], "\n".join(crashed)
    assert blocked == [], "not asked because of another layer"
    assert results, "nothing was asked"


_THE_TEST = test_the_layer_is_as_the_contract_says
