"""Node programs of others work unchanged: `@rocket.chat/sdk` and `@rocket.chat/ddp-client` from npm.

The first is the client of the mobile applications (REST and a socket of its own). The second is the socket of
Rocket.Chat's web client from 8 on. What each does is in `node/`; here stands what it has to have seen.
"""

from __future__ import annotations

import json
import secrets

import pytest

from . import node_programs
from .chat import Chat
from .versions import at

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("program", ["sdk.cjs", "ddp-client.cjs"])
def test_a_client_from_npm_works_unchanged(chat: Chat, program: str) -> None:
    """Log in, make and list rooms, post, hear it on the socket, join, read, log out (their own sources)."""
    if why := node_programs.missing():
        pytest.skip(f"npm clients: {why}")
    person, invited = chat.person(), chat.room()["_id"]
    room, group = (f"temp-{secrets.token_hex(5)}" for _ in range(2))
    task = {"url": chat.url, "username": person.username, "password": person.password}
    try:
        saw = node_programs.run(program, task | {"room": room, "group": group, "invited": invited})
    finally:
        for name in (room, group):
            chat.forget_room(name)

    # Each library shows another part of the refusal.
    assert saw["refused"] in {"User not found", *at(chat.version, "wrong password")}
    assert saw["signed_in"] == [person.user_id, person.username]
    assert {room, "general"} <= set(saw["rooms"])
    assert {room, group} <= set(saw["joined"])
    assert saw["heard"] == {"msg": "привет", "by": person.username, "same": True, "dated": True}
    assert saw["added"] == "inserted"
    assert saw["history"][:2] == ["ещё", "привет"]
    assert saw["unknown"] == 404
    assert saw["afterwards"] == 401, "the token ended with the log-out"


def test_the_lock_pins_and_names_no_host() -> None:
    """Exact versions, a hash for each package, and no address: every npm asks its own registry."""
    wanted = json.loads((node_programs.PROGRAMS / "package.json").read_text(encoding="utf-8"))
    pins = wanted["dependencies"] | wanted["overrides"]
    assert [pin for pin in pins.values() if not pin[0].isdigit()] == []
    packages = json.loads((node_programs.PROGRAMS / "package-lock.json").read_text(encoding="utf-8"))[
        "packages"
    ]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in pins} == pins
    installed = {name: row for name, row in packages.items() if name}
    assert [name for name, row in installed.items() if "integrity" not in row] == []
    assert [name for name, row in installed.items() if "resolved" in row] == []
