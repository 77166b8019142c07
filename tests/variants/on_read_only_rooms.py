"""Who may not write in a room finds its messages and no message box; asked by the overlay that has such rooms."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from besedka.contract import Contract, User
from besedka.pages.site import IntegratedPage
from besedka.rocketchat.rest import Credentials, RocketChat, RocketChatError
from tests.cases import READERS

pytestmark = pytest.mark.variants


@pytest.mark.parametrize(("username", "room"), READERS)
def test_a_member_reads_what_the_administrator_writes(
    username: str,
    room: str,
    contract: Contract,
    chat_admin: RocketChat,
    integrated: Callable[[User], IntegratedPage],
) -> None:
    text = f"объявление для {username}"
    sent = chat_admin.post("chat.postMessage", channel=f"#{room}", text=text)["message"]
    page = integrated(contract.user(username))
    chat = page.wait_for_chat()

    page.room_button(contract.channel(room).label).click()

    chat.expect_reader_of(sent["rid"])
    chat.expect_message(text)
    session = chat.session()
    assert session is not None
    client = RocketChat(contract.chat.url, Credentials(session["userId"], session["token"]))
    with pytest.raises(RocketChatError, match="readonly"):
        client.post("chat.sendMessage", message={"rid": sent["rid"], "msg": "не должно дойти"})
