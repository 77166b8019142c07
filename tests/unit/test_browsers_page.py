"""docs/browsers.md says what was measured, and each failure has words of the page and of doctor."""

from __future__ import annotations

import re

from besedka.contract import PROJECT_ROOT
from docs import browsers_page
from tests.browsers.situations import SITUATIONS
from tests.browsers.table import stored


def test_the_page_is_what_was_measured() -> None:
    assert (PROJECT_ROOT / "docs" / "browsers.md").read_text("utf-8") == browsers_page.text()


def test_every_situation_was_measured_and_some_fail() -> None:
    cells = [
        cell
        for browser in stored().values()
        for pages in browser["cells"].values()
        for cell in pages.values()
    ]

    assert {name for browser in stored().values() for name in browser["cells"]} == {
        one.name for one in SITUATIONS
    }
    assert {cell["signed_in"] for cell in cells} == {True, False}


def test_no_failure_is_without_words() -> None:
    for browser in stored().values():
        for name, pages in browser["cells"].items():
            for page, cell in pages.items():
                if not cell["signed_in"]:
                    assert re.search("[а-яё]{4}", " ".join(cell["page"])), (
                        f"{name}, {page}: the page is silent"
                    )
                    assert len(cell["doctor"]) > 1, (
                        f"{name}, {page}: doctor finds nothing, or gives no advice"
                    )
