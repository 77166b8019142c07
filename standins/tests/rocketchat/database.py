"""What the database behind a server has to do, or an answer says nothing about Rocket.Chat.

A server that stands in for MongoDB can be used with Rocket.Chat and lack what some of its calls rest on. One
that was asked refused the first and found nothing for the second (29 November 2026, see docs/real-parts.md).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from .chat import Chat, collection
from .client import Json

_TOKENS = "services.resume.loginTokens"


def updates_by_position(temporary: Collection[Json]) -> bool:
    """Whether `$` names the element that the query found, as in a token's row of its account (models/Users)."""
    temporary.insert_one({"services": {"resume": {"loginTokens": [{"hashedToken": "a"}]}}})
    try:
        found = temporary.update_one({f"{_TOKENS}.hashedToken": "a"}, {"$set": {f"{_TOKENS}.$.seen": True}})
    except OperationFailure:
        return False
    return found.modified_count == 1


def finds_in_any_case(temporary: Collection[Json]) -> bool:
    """Whether a regular expression finds in an indexed field, as names of accounts are looked up."""
    temporary.create_index("username", unique=True, sparse=True)
    temporary.insert_one({"username": "anna"})
    return temporary.find_one({"username": re.compile("^ANNA$", re.IGNORECASE)}) is not None


# Why a question is not asked where the database cannot do it.
_LACKS: dict[Callable[[Collection[Json]], bool], str] = {
    updates_by_position: "its database refuses updates by position, so it is not MongoDB's",
    finds_in_any_case: "its database finds nothing by a regular expression in an indexed field, so it is not "
    "MongoDB's",
}


def needs(chat: Chat, ability: Callable[[Collection[Json]], bool]) -> None:
    """Skip a question that such a database would answer; a stand-in's is asked whatever it can do."""
    if chat.has_clock or chat.mongo_url is None:
        return
    with collection(chat.mongo_url, f"temp_{secrets.token_hex(4)}") as temporary:
        try:
            able = ability(temporary)
        finally:
            temporary.drop()
    if not able:
        pytest.skip(_LACKS[ability])
