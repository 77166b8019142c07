"""What is called Rocket.Chat: by what the server says and does, not by a header or a bundle's name."""

from __future__ import annotations

import pytest

from besedka.stacks.services import genuine_chat
from tests.unit.provision.web import Answer, HangUpError, Json, serving

# As 6.5.3 answers anybody (measured).
_OURS = {
    "info": Answer(body={"version": "6.5", "success": True}),
    "/_timesync": Answer(text="1795879243398"),
    "livechat/config": Answer(body={"config": {"enabled": True}, "success": True}),
    "/hooks/besedka/probe": Answer(
        400, {"success": False, "error": "Invalid integration id or token provided."}
    ),
}
_PAGE = Answer(text="<!DOCTYPE html><title>Rocket.Chat</title>")


def _called_real(**changed: Answer) -> bool:
    answers = _OURS | changed

    def answer(_verb: str, path: str, _body: Json, _query: Json) -> Answer:
        return answers.get(path, _PAGE)

    with serving(answer) as url:
        return genuine_chat.is_rocketchat(url)


def test_what_rocket_chat_does() -> None:
    assert _called_real()
    assert _called_real(**{"livechat/config": Answer(403)}), "a proxy may hide one"


@pytest.mark.parametrize(
    "changed",
    [
        {"info": Answer(body={"version": "of no version"})},
        {"info": Answer(body={})},
        {"/_timesync": _PAGE, "livechat/config": _PAGE},
        {"/hooks/besedka/probe": _PAGE, "livechat/config": Answer(body={"config": {}})},
        dict.fromkeys(_OURS, _PAGE),
        {path: answer for path, answer in dict.fromkeys(_OURS, _PAGE).items() if path != "info"},
    ],
)
def test_what_others_do(changed: dict[str, Answer]) -> None:
    assert not _called_real(**changed)


def test_a_server_that_hangs_up_is_nothing() -> None:
    def answer(*_: object) -> Answer:
        raise HangUpError

    with serving(answer) as url:
        assert not genuine_chat.is_rocketchat(url)
