"""docs/conformance.md: as its generator writes it, each test there and with a source."""

from __future__ import annotations

import ast
import re

from docs import conformance_page

MOST_OF_A_STANDIN_ALONE = 150
LEAST_OF_ANY_SERVER = 500


def test_the_page_is_what_its_generator_writes() -> None:
    written = conformance_page.PAGE.read_text(encoding="utf-8")
    assert written == conformance_page.text(), "write it again: python -m docs.conformance_page"


def test_nearly_every_question_can_be_asked_of_any_server() -> None:
    """A fact that only our own server is asked about is our own word for it."""
    counts = conformance_page.census()
    assert sum(number for _, _, number in counts["stand-in only"]) <= MOST_OF_A_STANDIN_ALONE
    assert counts["any server"] >= LEAST_OF_ANY_SERVER


def test_every_test_of_the_page_names_its_source() -> None:
    """A file of Rocket.Chat or Meteor, a setting, a pull request, an issue, or what was measured."""
    source = re.compile(
        r"\.(ts|tsx|js)\b|PR #\d|issue #\d|[A-Z][A-Za-z]+_[A-Za-z_]+|release notes|accounts-base|oauth_server"
    )
    traps = conformance_page.traps()
    assert {trap.area for trap in traps} == set(conformance_page.AREAS)
    for trap in traps:
        module = ast.parse((conformance_page.TESTS / trap.file).read_text(encoding="utf-8"))
        said = f"{ast.get_docstring(trap.test)} {ast.get_docstring(module)}"
        assert source.search(said), f"{trap.file}::{trap.test.name}"
