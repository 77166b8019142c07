"""Examinations without a stack: answers are put where the clients would have fetched them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from besedka import contract as contracts
from besedka.checks.examination import Examination
from besedka.contract import Contract
from besedka.target import Target

SITE, CHAT = "http://127.0.0.1:8001", "http://127.0.0.1:3000"


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The project's own contract."""
    return contracts.load(contracts.CONTRACT_FILE)


@pytest.fixture
def examine_with(contract: Contract) -> Callable[..., Examination]:
    """An examination that knows these answers already, e.g. `effective={...}`."""

    def make(version: str = "7.7", **answers: Any) -> Examination:
        addresses = Target(SITE, CHAT, "mongodb://127.0.0.1:1/rocketchat", "sqlite:////nowhere")
        examination = Examination(addresses, contract)
        for name, value in ({"info": {"version": version}} | answers).items():
            setattr(examination, name, value)
        return examination

    return make


@pytest.fixture
def holding(examine_with: Callable[..., Examination]) -> Callable[..., Examination]:
    """An examination of a database with these rows alone."""

    def make(**rows: Any) -> Examination:
        empty: dict[str, Any] = {name: [] for name in ("chat_users", "chat_rooms", "chat_subscriptions")}
        more = {
            "stored": {},
            "effective": {},
            "other_room_ids": set(),
            "site_users": [],
            "site_tokens": set(),
        }
        return examine_with(**(empty | more | rows))

    return make
