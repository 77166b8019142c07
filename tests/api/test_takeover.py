"""Nobody can claim a user's name in Rocket.Chat before that user's first sign-in."""

from __future__ import annotations

import secrets

import pytest
import requests

from besedka.contract import Contract
from besedka.rocketchat.database import ChatDatabase

pytestmark = pytest.mark.api


@pytest.mark.usefixtures("writable")
def test_a_stranger_registers_no_account(contract: Contract, chat_data: ChatDatabase) -> None:
    username = f"temp_{secrets.token_hex(4)}"

    answer = requests.post(
        f"{contract.chat.url}/api/v1/users.register",
        json={
            "username": username,
            "email": f"{username}@elsewhere.example",
            "pass": secrets.token_urlsafe(16),
            "name": "Stranger",
        },
        timeout=10,
    )

    assert chat_data.users_named(username) == [], "a stranger made an account"
    if answer.status_code == 429:
        pytest.skip("Rocket.Chat takes one registration a minute, and this is the second: nothing was asked")
    said = f"users.register answered {answer.status_code}: {answer.text[:200]}"
    assert answer.status_code in {400, 401, 403}, said
    assert answer.json()["success"] is False, said
