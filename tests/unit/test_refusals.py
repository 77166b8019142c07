"""What the web client was told of a log-in, in words: the answers of `method.callAnon/login`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from besedka.pages.refusals import refusal


def answer(**told: Any) -> dict[str, Any]:
    return {"success": True, "message": json.dumps({"msg": "result", "id": "1", **told})}


@pytest.mark.parametrize(
    ("answered", "says"),
    [
        (answer(error={"error": "too-many-requests"}), "five log-ins in ten seconds"),
        (answer(error={"error": "totp-required", "details": {"method": "email"}}), "a second factor"),
        (answer(error={"error": 403, "reason": "No matching login attempt found"}), "403 No matching"),
        # A handshake that failed between the servers (measured on 6.13.0).
        (answer(error={}), "it tells nobody"),
    ],
)
def test_a_refusal_is_said_in_words(answered: Any, says: str) -> None:
    assert says in refusal(answered)


@pytest.mark.parametrize("answered", [answer(result={"id": "x", "token": "t"}), [], {"success": False}, None])
def test_whoever_is_let_in_is_refused_nothing(answered: Any) -> None:
    assert refusal(answered) == ""
