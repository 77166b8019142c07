"""What an inventory takes for a change, and what not."""

from __future__ import annotations

from typing import Any

import bson
import pytest

from besedka.restart.inventory import Inventory

SERVICE = {
    "id": "7",
    "email": "owner@besedka.example",
    "accessToken": "a",
    "refreshToken": "b",
    "expiresAt": 1,
}
HASH = {"bcrypt": "$2b$10$first"}


def digest(service: dict[str, Any], password: dict[str, Any]) -> str:
    inventory = Inventory()
    user = {"_id": "u", "username": "owner", "services": {"besedka": service, "password": password}}
    inventory.add_document("users", bson.encode(user))
    return inventory.digest("chat users")


def test_a_log_in_through_the_provider_is_no_change() -> None:
    again = SERVICE | {"accessToken": "c", "refreshToken": "d", "idToken": "e", "expiresAt": 2}

    assert digest(again, HASH) == digest(SERVICE, HASH)


@pytest.mark.parametrize(
    ("service", "password"),
    [
        (SERVICE | {"id": "8"}, HASH),
        (SERVICE | {"email": "x@besedka.example"}, HASH),
        (SERVICE, {"bcrypt": "-"}),
    ],
)
def test_another_person_or_password_is_a_change(service: dict[str, Any], password: dict[str, Any]) -> None:
    assert digest(service, password) != digest(SERVICE, HASH)
