"""User × room, a user of each role: rooms that can be written in, and rooms that stay closed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import Contract, User
from besedka.pages.patience import PATIENCE
from besedka.pages.rocketchat_frame import RocketChatFrame
from besedka.pages.site import ChatPage, main_page
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import Credentials, RocketChat, RocketChatError
from fixtures.report import Prove
from tests.cases import EXCLUSIONS, MEMBERSHIPS

pytestmark = pytest.mark.e2e

OpenRoom = Callable[[User, str], RocketChatFrame]


@pytest.fixture
def enter_room(
    contract: Contract,
    at_home: Callable[[User], ChatPage],
    person: Callable[..., Page],
) -> Iterator[OpenRoom]:
    """A member's chat on the main page, in one room; canonical users are at home again afterwards."""
    away: list[ChatPage] = []

    def enter(user: User, room: str) -> RocketChatFrame:
        if user not in contract.users:
            visited = main_page(contract)(person(user), contract).open()
            visited.wait_for_chat()
            return visited.enter(contract.channel(room))
        page = at_home(user)
        away.append(page)
        return page.enter(contract.channel(room))

    yield enter
    for page in away:
        page.enter(contract.default_channel)


@pytest.fixture
def try_room(contract: Contract, at_home: Callable[[User], ChatPage]) -> Iterator[OpenRoom]:
    """A signed-in user whose chat is told to go to a room, as by a link, without a button."""
    away: list[ChatPage] = []

    def enter(user: User, room: str) -> RocketChatFrame:
        page = at_home(user)
        away.append(page)
        page.command(externalCommand="go", path=f"{contract.channel(room).path}?layout=embedded")
        return page.chat

    yield enter
    for page in away:
        page.command(externalCommand="go", path=f"{contract.default_channel.path}?layout=embedded")
        page.chat.expect_member_of(contract.default_channel.shown)


@pytest.fixture
def reader_of(contract: Contract, request: pytest.FixtureRequest) -> Callable[[User, str], User]:
    """Another member of the room: a canonical one, or a temporary one where there is no second.

    A temporary one is asked for only then: not every stack can make one.
    """

    def find(writer: User, room: str) -> User:
        others = [user for user in contract.users if room in user.channels and user != writer]
        return others[0] if others else request.getfixturevalue("temp_member")(room)

    return find


@pytest.mark.usefixtures("writable")
@pytest.mark.parametrize(("username", "room"), MEMBERSHIPS)
def test_a_member_writes_and_another_member_reads(
    username: str,
    room: str,
    contract: Contract,
    enter_room: OpenRoom,
    reader_of: Callable[[User, str], User],
    chat_data: ChatDatabase,
    writable: None,
    proves: Prove,
) -> None:
    proves("wrote", username, room)
    writer = contract.user(username)
    reader = reader_of(writer, room)
    reading = enter_room(reader, room)
    writing = enter_room(writer, room)
    text = f"проверка {room} {secrets.token_hex(6)}"

    writing.send(text)

    reading.expect_message(text)
    stored = chat_data.messages(room, text)
    assert [message["u"]["username"] for message in stored] == [username]


@pytest.mark.usefixtures("writable")
@pytest.mark.parametrize(("username", "room"), EXCLUSIONS)
def test_an_outsider_sees_and_reads_nothing(
    username: str,
    room: str,
    contract: Contract,
    try_room: OpenRoom,
    chat_admin: RocketChat,
    chat_data: ChatDatabase,
    writable: None,
    proves: Prove,
) -> None:
    proves("closed", username, room)
    secret = f"не для всех {secrets.token_hex(6)}"
    sent = chat_admin.post("chat.postMessage", channel=f"#{room}", text=secret)["message"]

    chat = try_room(contract.user(username), room)

    expect(chat.room_not_found).to_be_visible(timeout=PATIENCE.load)
    expect(chat.composer).to_have_count(0)
    rooms = {subscription["name"] for subscription in chat_data.subscriptions(username)}
    assert room not in rooms
    session = chat.session()
    assert session is not None
    client = RocketChat(contract.chat.url, Credentials(session["userId"], session["token"]))
    assert client.me()["username"] == username
    for path, query in (
        ("groups.messages", {"roomName": room}),
        ("groups.history", {"roomId": sent["rid"]}),
        ("rooms.info", {"roomId": sent["rid"]}),
        ("chat.getMessage", {"msgId": sent["_id"]}),
    ):
        with pytest.raises(RocketChatError) as refusal:
            client.get(path, **query)
        assert refusal.value.status in {400, 403}, f"{path}: {refusal.value}"


def test_everybody_is_where_the_contract_says(contract: Contract, chat_data: ChatDatabase) -> None:
    known = {channel.name for channel in contract.channels}
    found = {
        (user.username, subscription["name"])
        for user in contract.users
        for subscription in chat_data.subscriptions(user.username)
        if subscription["name"] in known
    }
    wanted = {(user.username, channel.name) for user, channel in contract.subscriptions}
    # Who makes the rooms is in them, whatever the role on the site.
    found = {
        (name, room) for name, room in found if (name, room) in wanted or not contract.is_administrator(name)
    }

    missing, more = sorted(wanted - found), sorted(found - wanted)
    assert (missing, more) == ([], []), f"missing memberships: {missing}; too many: {more}"
