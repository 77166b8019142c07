"""Faults of what stands on the site's chat pages beside the frame: scripts that do not run, and styles."""

from __future__ import annotations

from dataclasses import replace

from faults import names
from faults.fault import Fault
from faults.proxy import Reply, Request, Rule
from faults.rules import changed, reply_with, rewritten, to

# The module that both chat pages import.
_SHARED = to("/static/besedka_chat/js/chat-frame.js")
_MODULE = 'type="module"'


def _shown(request: Request) -> bool:
    """The test page itself, as somebody signed in gets it."""
    return request.path == names.TEST_PAGE and bool(request.header("Cookie"))


def _page(name: str, cause: str, rule: Rule, *also: str) -> Fault:
    return Fault(name, f"sso.{cause}", lambda one: one.ruled("site", rule), also)


def _half(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _styled(name: str, style: str) -> Fault:
    """Both pages have that stylesheet; styles in the page itself are kept out by the site's policy."""
    cause = "frame_policy.hidden"
    rule = rewritten(to("/static/besedka_chat/css/chat.css"), r"\Z", f"\n{style}")
    return _page(name, cause, rule, f"sso.{cause}")


_ELSEWHERE = (
    # The site's own policy lets no <base> be.
    reply_with(_shown, "Content-Security-Policy", "frame-ancestors 'self'"),
    rewritten(_shown, "<head>", '<head><base href="https://elsewhere.invalid/">'),
)
FAULTS = (
    _page(
        "script_of_the_page_is_misspelt",
        "commands.syntax",
        rewritten(to("/static/besedka_chat/js/chat-test.js"), r"\Z", "\nfunction ( {"),
    ),
    _page("script_of_both_pages_is_cut", "commands.syntax", changed(_SHARED, _half), "sso.commands.syntax"),
    _page("modules_of_the_page_are_no_modules", "commands.syntax", rewritten(_shown, _MODULE, "")),
    _page("scripts_of_a_type_of_their_own", "commands.unrun", rewritten(_shown, _MODULE, 'type="a1-module"')),
    Fault("page_begins_elsewhere", "sso.commands.unread", lambda one: one.ruled("site", *_ELSEWHERE)),
    _styled("style_takes_the_frame_away", ".chat > iframe { display: none }"),
    _styled("style_makes_the_frame_transparent", ".chat > iframe { opacity: 0 }"),
    _styled("style_leaves_the_frame_no_height", ".chat-frame { flex: none; height: 0 }"),
    _styled("style_hides_what_the_frame_stands_in", "main, .chat { visibility: hidden }"),
)
