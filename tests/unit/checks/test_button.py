"""How bad a log-in page without its button is: the style of the log-in decides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from besedka.checks import provider
from besedka.checks.finding import Findings, Severity, finding
from besedka.checks.severity import severity_of
from besedka.contract import Contract


@pytest.mark.parametrize(
    ("style", "code", "severity"),
    [
        ("redirect", "provider.show_button.wrong", Severity.RISK),
        ("popup", "provider.show_button.hidden", Severity.BROKEN),
    ],
)
def test_nobody_opens_a_window_without_the_button(
    monkeypatch: pytest.MonkeyPatch, contract: Contract, style: str, code: str, severity: Severity
) -> None:
    wrong = [finding("provider.show_button.wrong", "is False", "True", "here")]
    monkeypatch.setattr(provider, "three_ways", lambda *_: wrong)
    own = contract.provider.model_copy(update={"login_style": style})
    examination: Any = SimpleNamespace(
        contract=contract.model_copy(update={"provider": own}), effective={}, stored={}
    )
    told = provider._value_check("show_button")(examination)
    assert isinstance(told, Findings)
    assert [one.code for one in told.found] == [code]
    assert severity_of(code, told.found[0].severity) is severity
