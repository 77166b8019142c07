"""Each cell of docs/browsers.md is what is seen, and no cell that fails is without words."""

from __future__ import annotations

import pytest
from playwright.sync_api import Playwright

from tests.browsers.situations import SITUATIONS
from tests.browsers.table import BROWSERS, here, measure, stacks, stored

pytestmark = pytest.mark.browsers


@pytest.mark.parametrize("name", stacks())
@pytest.mark.parametrize("browser", BROWSERS)
def test_what_the_page_says_of_a_browser_is_what_is_seen(
    playwright: Playwright, browser: str, name: str
) -> None:
    kind = here(playwright).get(browser)
    if kind is None:
        pytest.skip(f"Playwright's {browser} is not on this machine")
    assert browser in stored(), "measure it: python -m tests.browsers.table"
    known = stored()[browser]["cells"]

    assert measure(name, kind) == {one.name: known[one.name] for one in SITUATIONS if one.stack == name}
