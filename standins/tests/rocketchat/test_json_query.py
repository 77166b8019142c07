"""`query` and `fields` in the URL (apps/meteor/app/api/server/helpers/parseJsonQuery.ts)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .chat import Chat, error_type
from .standin import ADMIN, ADMIN_PASSWORD, Standins
from .versions import at

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "wants a server of another version, or with another environment"

_ALLOWED = "ALLOW_UNSAFE_QUERY_AND_FIELDS_API_PARAMS"


def _names(chat: Chat, **asked: object) -> set[str]:
    texts = {name: json.dumps(value) for name, value in asked.items()}
    return {room["name"] for room in chat.admin.get("channels.list", **texts).body["channels"]}


@pytest.fixture(scope="module")
def old(standins: Standins) -> Iterator[Chat]:
    """A stand-in of 6.4.8, where everybody may ask."""
    with standins.running(version="6.4.8") as standin:
        yield Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)


@pytest.mark.trap("Envelopes and statuses", "`query` and `fields` are ignored since 7.0")
def test_they_are_ignored_since_7(chat: Chat) -> None:
    """Neither narrowed nor refused, not even what is no JSON (release notes of 7.0); before, both count.

    The schema of channels.list does not know `fields` any more (packages/rest-typings of 7.7.1).
    """
    room = chat.room()
    counts = at(chat.version, "query counts")
    assert _names(chat, query={"name": room["name"]}) >= {room["name"]}
    assert (_names(chat, query={"name": room["name"]}) == {room["name"]}) is counts
    assert (chat.admin.get("channels.list", query="{").status == 400) is counts
    known = (200, None) if counts else (400, "invalid-params")
    assert error_type(chat.admin.get("channels.list", fields="{}")) == known


def test_they_count_before_7(old: Chat) -> None:
    room = old.room()
    assert _names(old, query={"name": room["name"]}) == {room["name"]}
    assert _names(old, query={"$or": [{"name": {"$regex": "^gen"}}, {"_id": room["_id"]}]}) == {
        "general",
        room["name"],
    }
    shown = old.admin.get("channels.list", fields=json.dumps({"name": 1})).body["channels"]
    assert [set(row) for row in shown] == [{"_id", "name"}] * len(shown)
    users = old.admin.get("users.list", query=json.dumps({"username": ADMIN})).body
    assert ([user["username"] for user in users["users"]], users["total"]) == ([ADMIN], 1)


@pytest.mark.parametrize("text", ["{", "[]", '{"$where": "1"}', '{"$or": 5}', '{"name": {"$ne": 1}}'])
def test_what_is_no_allowed_query_is_refused(old: Chat, text: str) -> None:
    """error-invalid-query; only $or, $and and $regex pass (isValidQuery.ts)."""
    assert error_type(old.admin.get("channels.list", query=text)) == (400, "error-invalid-query")


@pytest.mark.parametrize("text", ["{", "5", '{"name": "x"}', '{"name": 1, "t": 0}'])
def test_what_are_no_fields_is_refused(old: Chat, text: str) -> None:
    assert error_type(old.admin.get("channels.list", fields=text)) == (400, "error-invalid-fields")


def test_a_query_widens_nothing_and_reads_no_secrets(old: Chat) -> None:
    """The route's own conditions stay, and credentials cannot be guessed at (clean of parseJsonQuery.ts)."""
    private = old.room(old.anna, private=True)
    asked = json.dumps({"$or": [{"t": "p"}, {"t": "c"}]})
    names = {room["name"] for room in old.boris.get("channels.list", query=asked).body["channels"]}
    assert private["name"] not in names
    guess = {"$and": [{"services.password.bcrypt": {"$regex": "^x"}}]}
    refused = old.admin.get("users.list", query=json.dumps(guess))
    assert error_type(refused) == (400, "error-invalid-query")


def test_an_environment_variable_brings_them_back(standins: Standins) -> None:
    """In 7.x and 8.x; 9.0 removed it."""
    for version, counts in (("7.7.1", True), ("9.0.0", False)):
        with standins.running(version=version, **{_ALLOWED: "true"}) as standin:
            chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
            room = chat.room()
            assert (_names(chat, query={"name": room["name"]}) == {room["name"]}) is counts
