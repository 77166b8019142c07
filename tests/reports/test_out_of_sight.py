"""What is quoted of an element that is there, and that nobody sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from besedka.pages import out_of_sight

pytestmark = pytest.mark.reports

_MILLISECONDS, _PATIENT_MILLISECONDS = 50, 10_000
_FRAME = "<iframe id=chat style='width: 300px; height: 200px'></iframe>"


@pytest.mark.parametrize(
    ("page_text", "said"),
    [
        (_FRAME, ""),
        (
            f"<style>main {{ display: none }}</style><main>{_FRAME}</main>",
            "<main> has display none, by the rule main",
        ),
        (f"<div style='visibility: hidden'>{_FRAME}</div>", "visibility hidden, by its own style"),
        (
            f"<style>.dim {{ opacity: 0 }}</style><p class=dim>{_FRAME}</p>",
            "<p> has opacity 0, by the rule .dim",
        ),
        (
            "<iframe id=chat style='width: 300px; height: 0; border: 0'></iframe>",
            "<iframe id=chat> has height 0px",
        ),
        ("<iframe id=chat style='width: 300px; height: 0'></iframe>", "<iframe id=chat> has height 0px"),
        ("<iframe id=chat style='width: 0; height: 9px'></iframe>", "<iframe id=chat> has width 0px"),
    ],
)
def test_the_style_that_hides_it(page: Page, page_text: str, said: str) -> None:
    page.set_content(page_text)

    found = out_of_sight.rule(page.locator("#chat"), _MILLISECONDS)

    assert said in found
    assert bool(found) is bool(said)


def test_what_fades_in_is_seen(page: Page) -> None:
    fading = (
        "<style>@keyframes fade { from { opacity: 0 } } iframe { animation: fade 0.3s 0.1s both }</style>"
    )
    page.set_content(fading + _FRAME)

    assert not out_of_sight.rule(page.locator("#chat"), _PATIENT_MILLISECONDS)


@pytest.mark.parametrize(
    ("page_text", "said"),
    [
        (_FRAME, ""),
        (f"{_FRAME}<div id=veil style='position: fixed; inset: 0'></div>", "<div id=veil>"),
        (f"{_FRAME}<p class=note style='position: fixed; inset: 0'></p>", "<p class=note>"),
        (f"{_FRAME}<div style='position: fixed; inset: 0; pointer-events: none'></div>", ""),
        (f"<div style='height: 3000px'></div>{_FRAME}", ""),
    ],
)
def test_what_stands_over_it(page: Page, page_text: str, said: str) -> None:
    page.set_content(page_text)

    assert out_of_sight.over(page.locator("#chat"), _MILLISECONDS) == said
