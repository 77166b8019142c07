"""What counts as the contract's value of a setting."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.rocketchat.settings import RECEIVE_ORIGIN, fulfils

SITE, OTHER = "http://127.0.0.1:8001", "https://intranet.test"


@pytest.mark.parametrize(
    ("value", "fulfilled"),
    [
        (SITE, True),
        (f"{OTHER},{SITE}", True),
        (f"{SITE},{OTHER}", True),
        # Rocket.Chat compares letter by letter.
        (f"{OTHER}, {SITE}", False),
        (f"{SITE}/", False),
        (OTHER, False),
        ("", False),
        (None, False),
    ],
)
def test_the_site_is_among_the_origins(value: Any, fulfilled: bool) -> None:
    assert fulfils(RECEIVE_ORIGIN, value, SITE) is fulfilled


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), (True, 1), ("true", True), (None, False), (0, False)]
)
def test_a_value_of_another_type_is_another_value(value: Any, expected: Any) -> None:
    assert not fulfils("Any_Setting", value, expected)


@pytest.mark.parametrize(
    ("value", "fulfilled"),
    [("read write", True), ("write  read ", True), ("read", False), ("read write all", False), ("", False)],
)
def test_a_scope_is_its_words(value: str, fulfilled: bool) -> None:
    assert fulfils("Accounts_OAuth_Custom-Besedka-scope", value, "read write") is fulfilled
