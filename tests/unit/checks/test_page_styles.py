"""Which rules of a page's styles hide a frame, read without a browser."""

from __future__ import annotations

import pytest

from besedka.checks.page_styles import Surroundings, hiding

PAGE = """<html><body class="page"><main id="chat"><img><p>Чат
<iframe class="chat-frame" src="http://chat/room"></iframe></main></body></html>"""


@pytest.mark.parametrize(
    ("style", "by"),
    [
        ("iframe { display: none }", ["iframe {display: none}"]),
        ("main > .chat-frame { height: 0; width: 100% }", ["main > .chat-frame {height: 0}"]),
        ("#chat { visibility: hidden !important }", ["#chat {visibility: hidden !important}"]),
        ("iframe { display: none } .chat-frame { display: block }", []),
        (".chat-frame { opacity: 1 } iframe { opacity: 0 !important }", ["iframe {opacity: 0 !important}"]),
        (".chat-frame { display: none } .chat-frame { display: block }", []),
        (".chat-frame[data-veiled], iframe:not(.seen) { visibility: hidden }", []),
        (".other iframe, .page .other { display: none }", []),
        ("@media print { iframe { display: none } }", []),
        ("iframe { min-height: 0; border: 0 } /* iframe { display: none } */", []),
    ],
)
def test_a_rule_that_hides_the_frame_is_named(style: str, by: list[str]) -> None:
    page = Surroundings()
    page.feed(PAGE)
    (source, elements), *_ = page.frames
    assert source == "http://chat/room"
    assert [rule for _, rule in hiding({"page": style}, elements)] == by
