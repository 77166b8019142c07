"""Options of pytest-playwright that would have no effect are refused by name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from playwright.sync_api import BrowserType

from besedka.errors import UsageError
from fixtures.browser import remote
from fixtures.options import refuse_endless_wait, refuse_playwrights

DEFAULTS = {
    "--video": "off",
    "--output": "test-results",
    "--base-url": None,
    "--playwright-debug": None,
    "--browser": [],
}


class Given:
    """A configuration with these options."""

    def __init__(self, **options: Any) -> None:
        self._options = DEFAULTS | {f"--{name.replace('_', '-')}": value for name, value in options.items()}

    def getoption(self, name: str, default: Any = None) -> Any:
        return self._options.get(name, default)


@pytest.mark.parametrize(
    "given",
    [
        {"video": "on"},
        {"output": "/somewhere"},
        {"base_url": "http://site.test"},
        {"playwright_debug": "cli"},
    ],
)
def test_an_option_without_effect_is_refused_by_name(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_playwrights(Given(**given))  # type: ignore[arg-type]

    assert f"--{next(iter(given)).replace('_', '-')}=" in refused.value.found
    assert refused.value.next_step


def test_what_is_left_out_or_works_is_taken() -> None:
    refuse_playwrights(Given(browser=["chromium"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(("ci", "terminal"), [("true", True), ("", False)])
def test_a_stack_is_not_kept_where_nobody_can_end_it(
    ci: str, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("fixtures.options._has_terminal", lambda: terminal)

    with pytest.raises(UsageError, match="nobody is there to press it"):
        refuse_endless_wait(Given(keep=True))  # type: ignore[arg-type]

    refuse_endless_wait(Given(keep=False))  # type: ignore[arg-type]


def test_a_stack_is_kept_where_somebody_sits_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")
    monkeypatch.setattr("fixtures.options._has_terminal", lambda: True)

    refuse_endless_wait(Given(keep=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("built", [False, True])
def test_another_browser_is_taken_where_its_build_is(built: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.options.browser.has_build", lambda _: built)
    given = Given(browser=["chromium", "webkit"])
    if built:
        refuse_playwrights(given)  # type: ignore[arg-type]
        return
    with pytest.raises(UsageError, match="--browser=webkit: Playwright's build of it is not on this machine"):
        refuse_playwrights(given)  # type: ignore[arg-type]


def test_a_browser_of_another_machine_is_asked_for_in_playwrights_own_words() -> None:
    told = remote("ws://127.0.0.1:9323/")

    assert told is not None
    inspect.signature(BrowserType.connect).bind(None, **told)
    assert remote(None) is None
