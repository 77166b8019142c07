"""A password that provisioning makes is one that Rocket.Chat's policy takes."""

from __future__ import annotations

import re

import pytest

from besedka.rocketchat import passwords

_PREFIX = "Accounts_Password_Policy_"


@pytest.mark.parametrize(
    ("rules", "length"),
    [
        ({}, 36),
        ({"Enabled": True, "MinLength": 60}, 60),
        ({"Enabled": False, "MinLength": 60}, 36),
        ({"Enabled": True, "MinLength": 14, "MaxLength": 16}, 16),
        ({"Enabled": True, "MinLength": 14, "MaxLength": -1}, 36),
        ({"Enabled": True, "MinLength": "14"}, 36),
    ],
)
def test_it_is_as_long_as_the_policy_wants(rules: dict[str, object], length: int) -> None:
    password = passwords.fitting({_PREFIX + name: value for name, value in rules.items()})

    assert len(password) == length


def test_it_has_every_kind_and_repeats_nothing() -> None:
    password = passwords.fitting({_PREFIX + "Enabled": True, _PREFIX + "MaxLength": 4})

    for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9 ]"):
        assert re.search(kind, password)
    assert not re.search(r"(.)\1", passwords.fitting({}))
    assert passwords.fitting({}) != passwords.fitting({})
