"""Each cell of docs/browsers.md is what is seen, and no cell that fails is without words."""

from __future__ import annotations

import pytest
from playwright.sync_api import Playwright

from tests.browsers.situations import SITUATIONS
from tests.browsers.table import BROWSERS, here, measure, stacks, stored

pytestmark = pytest.mark.browsers


@pytest.mark.parametrize("name", stacks())
@pytest.mark.parametrize("named", BROWSERS)
def test_what_the_page_says_of_a_browser_is_what_is_seen(
    playwright: Playwright, named: str, name: str
) -> None:
    kind = here(playwright).get(named)
    if kind is None:
        pytest.skip(f"Playwright's {named} is not on this machine")
    assert named in stored(), "measure it: python -m tests.browsers.table"
    known = stored()[named]["cells"]

    assert measure(name, kind) == {one.name: known[one.name] for one in SITUATIONS if one.stack == name}
