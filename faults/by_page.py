"""Faults of answers that work now and then, or in another way: pages that lead on, half of the processes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from besedka import address
from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.hops import own_callback, with_a_code, with_a_token
from faults.proxy import Forward, Reply, Request, Rule, without_header
from faults.rules import answers, answers_json, changed, every, fields, reply_with, to

# web/config/settings.py
_SESSION = "besedka_session"
_SWELL = "x" * 4200
_HTML = ("Content-Type", "text/html; charset=utf-8")
_SCRIPT = '<!doctype html><script>location.replace("{}")</script>'
_META = '<!doctype html><meta http-equiv="refresh" content="0; url={}">'
# One form without its token, and an empty one.
_OF_THE_CSRF_CHECK = 2
_TAKEN = 3


def _by_page(which: Callable[[Request], bool], page: str, **headers: str) -> Rule:
    """What answers with a redirect shows a page that leads there by itself."""

    def change(reply: Reply) -> Reply:
        if not (location := reply.header("Location")):
            return reply
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = [
            row
            for row in reply.headers
            if row[0].lower() not in {"location", "content-type", *map(str.lower, given)}
        ]
        escaped = location.replace("&", "\\u0026") if "script" in page else location.replace("&", "&amp;")
        return Reply(200, (*kept, _HTML, *given.items()), page.format(escaped).encode())

    return changed(which, change)


def _site(name: str, cause: str, rule: Callable[[], Rule]) -> Fault:
    return Fault(name, cause, lambda one: one.ruled("site", rule()))


def _page(name: str, cause: str, which: Callable[[Request], bool], page: str, **headers: str) -> Fault:
    return _site(name, cause, lambda: _by_page(which, page, **headers))


def _nobody(path: str) -> Callable[[Request], bool]:
    """Requests of strangers."""
    return lambda request: request.path == path and "session" not in request.header("Cookie")


def _turns(forms: int) -> Rule:
    """So many log-in forms are taken. Of the later ones three of four meet a process that knows no cookie."""
    number = itertools.count()

    def treat(request: Request, forward: Forward) -> Reply | None:
        turn = next(number)
        lost = turn >= forms and (turn - forms) % 4 != _TAKEN
        return forward(without_header(request, "Cookie") if lost else request)

    return Rule(to(names.LOGIN, "POST"), treat)


def _of_its_page(request: Request) -> bool:
    """What the chat's own page posts, as browsers mark it."""
    return request.verb == "POST" and bool(request.header("Origin"))


def _refused_sockets(origin: str) -> Rule:
    """Handshakes that name this origin get 403."""
    reply = Reply(403, (_HTML,), b"<h1>403 Forbidden</h1>")

    def matches(request: Request) -> bool:
        return bool(request.header("Upgrade")) and request.header("Origin") == origin

    return Rule(matches, lambda request, forward: reply, sockets=True)


def _cookies(which: Callable[[Request], bool], change: Callable[[str], str]) -> Rule:
    """Each Set-Cookie of the answer reads otherwise."""

    def treat(reply: Reply) -> Reply:
        rows = (
            (name, change(text) if name.lower() == "set-cookie" else text) for name, text in reply.headers
        )
        return replace(reply, headers=tuple(rows))

    return changed(which, treat)


def _swollen(one: BreakableStack) -> AbstractContextManager[None]:
    """A session kept in a cookie longer than browsers keep; the site reads it all the same."""

    def treat(request: Request, forward: Forward) -> Reply | None:
        headers = tuple((name, text.replace(_SWELL, "")) for name, text in request.headers)
        reply = forward(replace(request, headers=headers))
        if reply is None:
            return None
        rows = tuple(
            (name, text.replace(f"{_SESSION}=", f"{_SESSION}={_SWELL}", 1) if name == "Set-Cookie" else text)
            for name, text in reply.headers
        )
        return replace(reply, headers=rows)

    return one.ruled("site", Rule(every, treat))


_LOGIN_FORM, _ROOM = to(names.LOGIN), to(names.DEFAULT_PATH)

_COOKIES = (
    Fault(
        "chat_sets_the_sites_session_cookie",
        "sso.cookies.overwritten",
        lambda one: one.ruled("chat", reply_with(_ROOM, "Set-Cookie", f"{_SESSION}=balancer; Path=/")),
    ),
    Fault(
        "chat_ends_the_sites_session_cookie",
        "sso.cookies.overwritten",
        lambda one: one.ruled("chat", reply_with(_ROOM, "Set-Cookie", f"{_SESSION}=; Max-Age=0; Path=/")),
    ),
    Fault(
        "csrf_cookie_with_a_name_for_https",
        "site.login_page.prefix_cookie",
        lambda one: one.site_told(CSRF_COOKIE_NAME="__Secure-csrf"),
    ),
    Fault(
        "session_cookie_with_a_name_for_https",
        "sso.user.prefix_cookie",
        lambda one: one.site_told(SESSION_COOKIE_NAME="__Host-session"),
    ),
    Fault("session_cookie_larger_than_browsers_keep", "sso.user.large_cookie", _swollen),
    _site(
        "proxy_moves_cookies_to_another_path",
        "site.login_page.path_cookie",
        lambda: _cookies(every, lambda text: text.replace("Path=/", "Path=/app")),
    ),
    _site(
        "proxy_takes_the_path_of_cookies",
        "sso.user.path_cookie",
        lambda: _cookies(_LOGIN_FORM, lambda text: text.replace("; Path=/", "")),
    ),
)

FAULTS = (
    *_COOKIES,
    Fault(
        "site_puts_a_folder_before_its_addresses",
        "site.login_url.elsewhere",
        lambda one: one.site_told(FORCE_SCRIPT_NAME="/app"),
    ),
    _site(
        "proxy_encodes_the_query_twice",
        "sso.authorize.redirect_uri",
        lambda: Rule(
            own_callback,
            lambda request, forward: forward(replace(request, target=request.target.replace("%", "%25"))),
        ),
    ),
    _site(
        "token_beside_an_error",
        "sso.token.other",
        lambda: fields(with_a_code, error="deprecated"),
    ),
    _site("identity_of_a_made_up_id", "sso.two_people.one_id", lambda: fields(with_a_token, id="made-up")),
    _site(
        "client_not_for_this_grant",
        "sso.client.other",
        lambda: answers_json(to(names.TOKEN, "POST"), 400, error="unauthorized_client"),
    ),
    Fault(
        "firewall_stops_calls_of_the_chats_own_page",
        "iframe.client.call",
        lambda one: one.ruled("chat", answers(_of_its_page, 403, "<h1>403 Forbidden</h1>")),
    ),
    _page(
        "authorize_leads_on_by_a_script",
        "sso.authorize.page",
        own_callback,
        _SCRIPT,
        Content_Security_Policy="frame-ancestors 'self'",
    ),
    _page("authorize_leads_on_by_a_tag", "sso.authorize.page", own_callback, _META),
    _page(
        "authorize_leads_on_in_no_frame",
        "sso.authorize.unshown",
        own_callback,
        _SCRIPT,
        X_Frame_Options="DENY",
    ),
    _page(
        "authorize_leads_on_by_a_script_that_may_not_run",
        "sso.authorize.unshown",
        own_callback,
        _SCRIPT,
        Content_Security_Policy="script-src 'self'",
    ),
    _page("authorize_asks_strangers_by_a_script", "site.authorize.page", _nobody(names.AUTHORIZE), _SCRIPT),
    _page("test_page_asks_strangers_by_a_tag", "site.test_page.page", _nobody(names.TEST_PAGE), _META),
    _page(
        "integrated_page_asks_strangers_by_a_script",
        "site.integrated_page.page",
        _nobody(names.INTEGRATED_PAGE),
        _SCRIPT,
    ),
    _site("forms_of_two_processes", "site.csrf.flickers", lambda: _turns(1)),
    _site("log_ins_of_two_processes", "sso.user.flickers", lambda: _turns(_OF_THE_CSRF_CHECK)),
    _site(
        "client_refused_with_status_200",
        "sso.client.refused",
        lambda: answers_json(to(names.TOKEN, "POST"), 200, error="invalid_client"),
    ),
    Fault(
        "socket_refused_for_its_origin",
        "services.websocket.origin",
        lambda one: one.ruled("chat", _refused_sockets(address.origin(one.contract.chat.url))),
    ),
)
