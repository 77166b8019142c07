"""Faults of the chat pages as somebody signed in gets them: the frame, the buttons, the scripts."""

from __future__ import annotations

import re
from dataclasses import replace

from faults import names
from faults.fault import Fault
from faults.proxy import Forward, Reply, Request, Rule
from faults.rules import answers, changed, rewritten, to

_TEST_PAGE, _INTEGRATED_PAGE = names.TEST_PAGE, names.INTEGRATED_PAGE
# web/config/settings.py
_SESSION_COOKIE = "besedka_session"
_FRAME = "<iframe "
# As the page of June 2025 had it: a callback that does not exist, and no state.
_HIDDEN_FRAME = (
    f'<iframe hidden src="{names.AUTHORIZE}?response_type=code'
    f"&amp;client_id={names.CONTRACT.provider.client_id}"
    f'&amp;redirect_uri={names.CONTRACT.chat.url}/_oauth-apps/{names.SERVICE}"></iframe><iframe '
)
_LOAD_AGAIN = "\nsetInterval(() => { frame.src = frame.src; }, 2000);\n"
_LOAD_ALL = 'const frame = document.querySelector("iframe"); frame.src = frame.dataset.chatUrl + this.path'
_SHARED, _PRIVATE = names.SHARED.name, names.PRIVATE.name
_MODERATORS, _VIP = (f'data-channel="{name}"'.encode() for name in (_SHARED, _PRIVATE))
_LOOK_INSIDE = "\nsetTimeout(() => frame.contentDocument.querySelector('.join').click(), 0);\n"


def _signed_in(path: str, request: Request) -> bool:
    return request.path == path and f"{_SESSION_COOKIE}=" in request.header("Cookie")


def _page(name: str, path: str, cause: str, pattern: str, text: str) -> Fault:
    """Wherever the pattern stands in the page of somebody signed in, it says another thing."""
    rule = rewritten(lambda request: _signed_in(path, request), pattern, text)
    return Fault(name, f"sso.{cause}", lambda one: one.ruled("site", rule))


def _test(name: str, kind: str, pattern: str, text: str) -> Fault:
    return _page(name, _TEST_PAGE, f"test_page.{kind}", pattern, text)


def _integrated(name: str, kind: str, pattern: str, text: str) -> Fault:
    return _page(name, _INTEGRATED_PAGE, f"integrated_page.{kind}", pattern, text)


def _first_visit_fails() -> Rule:
    """Each session's first look at the page fails, the second goes well, as with a flag set in `finally`."""
    seen: set[str] = set()

    def treat(request: Request, forward: Forward) -> Reply | None:
        cookie = re.search(rf"{_SESSION_COOKIE}=([^;]+)", request.header("Cookie"))
        if cookie is None or cookie[1] in seen:
            return forward(request)
        seen.add(cookie[1])
        return Reply(500, (("Content-Type", "text/html"),), b"<h1>'Collection' is not callable</h1>")

    return Rule(to(_TEST_PAGE), treat)


def _of_a_moderator(name: str, cause: str, pattern: str, text: str) -> Fault:
    """The page of a user who has the moderators' button and not the owner's says another thing."""

    def change(reply: Reply) -> Reply:
        if _MODERATORS not in reply.body or _VIP in reply.body:
            return reply
        body = re.sub(pattern, text, reply.body.decode(), flags=re.DOTALL)
        return replace(reply, body=body.encode())

    rule = changed(to(_INTEGRATED_PAGE), change)
    return Fault(name, f"sso.buttons.{cause}", lambda one: one.ruled("site", rule))


def _with_more_script(name: str, kind: str, script: str) -> Fault:
    """The script of the integrated page goes on with that."""
    rule = changed(
        to("/static/besedka_chat/js/chat-integrated.js"),
        lambda reply: replace(reply, body=reply.body + script.encode()),
    )
    return Fault(name, f"sso.commands.{kind}", lambda one: one.ruled("site", rule))


FAULTS = (
    _integrated("hidden_frame_starts_oauth_itself", "extra_frame", _FRAME, _HIDDEN_FRAME),
    _test(
        "frame_on_rocketchats_own_authorize",
        "not_a_room",
        rf"{names.DEFAULT_PATH}\?layout=embedded",
        "/oauth/authorize?response_type=code&amp;client_id=somebody",
    ),
    _test("frame_on_an_invented_embed_page", "not_a_room", names.DEFAULT_PATH, "/embed"),
    _test("frame_on_the_id_of_the_room", "room_id", names.DEFAULT_PATH, "/channel/GENERAL"),
    _integrated("integrated_page_shows_the_menus", "layout", r"\?layout=embedded", ""),
    _integrated(
        "page_inside_a_page",
        "nested",
        '<main class="chat">',
        '<html><body class="chat-page"><main class="chat">',
    ),
    _test("frame_under_another_id", "frame_id", 'id="rocketChatFrame"', 'id="rocketchat-iframe"'),
    _of_a_moderator(
        "moderators_button_takes_no_click",
        "idle",
        rf'(<button)([^>]*data-channel="{_SHARED}")',
        r"\1 disabled\2",
    ),
    _page(
        "commands_for_another_address",
        _TEST_PAGE,
        "commands.target",
        r'data-chat-url="[^"]*"',
        'data-chat-url="http://localhost:1"',
    ),
    _integrated(
        "switchers_are_links",
        "links",
        r'<button type="button" class="channel"',
        '<a href="?channel=vip" class="channel"',
    ),
    _integrated(
        "button_leads_to_a_room_that_is_gone",
        "paths",
        f'data-path="{names.DEFAULT_PATH}',
        'data-path="/channel/lobby',
    ),
    _of_a_moderator(
        "moderator_taken_for_a_guest",
        "missing",
        rf'<button[^>]*data-channel="{_SHARED}".*?</button>',
        "",
    ),
    Fault(
        "private_rooms_opened_as_public_ones",
        "sso.buttons.paths",
        lambda one: one.ruled(
            "site",
            rewritten(
                lambda request: _signed_in(_INTEGRATED_PAGE, request),
                'data-path="/group/',
                'data-path="/channel/',
            ),
        ),
        ("sso.buttons.paths",) * 2,
    ),
    _of_a_moderator(
        "moderator_gets_the_vip_button",
        "too_many",
        rf'(<button[^>]*data-channel="){_SHARED}(".*?data-path="/group/){_SHARED}(.*?</button>)',
        rf"\g<0>\g<1>{_PRIVATE}\g<2>{_PRIVATE}\g<3>",
    ),
    Fault(
        "test_page_fails_at_the_first_visit",
        "sso.test_page.status",
        lambda one: one.ruled("site", _first_visit_fails()),
    ),
    Fault(
        "script_of_the_test_page_gone",
        "sso.commands.no_script",
        lambda one: one.ruled(
            "site", answers(to("/static/besedka_chat/js/chat-test.js"), 404, "<h1>Not Found</h1>")
        ),
    ),
    Fault(
        "page_sends_a_command_of_its_own",
        "sso.commands.none",
        lambda one: one.ruled(
            "site",
            rewritten(
                to("/static/besedka_chat/js/chat-test.js"),
                'externalCommand: "call-custom-oauth-login"',
                'type: "AUTO_JOIN_CHANNEL"',
            ),
        ),
    ),
    Fault(
        "click_loads_all_of_rocketchat",
        "sso.commands.no_switch",
        lambda one: one.ruled(
            "site",
            rewritten(
                to("/static/besedka_chat/js/channel-switch.js"),
                r'this\.send\(\{ externalCommand: "go", path: this\.path \}\)',
                _LOAD_ALL,
            ),
        ),
    ),
    _with_more_script("page_looks_into_the_frame", "reads_frame", _LOOK_INSIDE),
    _with_more_script("page_reloads_its_frame_on_a_timer", "reloads_frame", _LOAD_AGAIN),
)
