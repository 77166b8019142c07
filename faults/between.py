"""Faults of a proxy or a firewall before the site or the chat that loses, keeps or refuses some requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from faults import names
from faults.fault import Fault
from faults.proxy import Forward, Reply, Request, Rule
from faults.rules import (
    Matching,
    answers,
    closes_silent_sockets,
    every,
    reply_with,
    request_without,
    to,
)

# Longer than doctor waits for a word over a socket.
_MUTE_SECONDS = 6.0
_FEW_BYTES = 20
_SESSION_COOKIE = "besedka_session"
_FORBIDDEN, _NOT_ALLOWED = "<h1>403 Forbidden</h1>", "<h1>405 Not Allowed</h1>"
_CSRF = "<h1>Forbidden (403)</h1>CSRF verification failed. Request aborted."
_CSP = "Content-Security-Policy"


def _posted(request: Request) -> bool:
    return request.verb == "POST"


def _large(request: Request) -> bool:
    return len(request.body) > _FEW_BYTES


def _page(request: Request) -> bool:
    return request.path in {names.TEST_PAGE, names.INTEGRATED_PAGE}


def _styles(request: Request) -> bool:
    return request.path.endswith(".css")


def _signed_in(path: str) -> Matching:
    return lambda request: request.path == path and f"{_SESSION_COOKIE}=" in request.header("Cookie")


def _bare(request: Request, forward: Forward) -> Reply | None:
    return forward(replace(request, target=request.path))


def _mute(request: Request, forward: Forward) -> None:
    threading.Event().wait(_MUTE_SECONDS)


class _First:
    """The first good answer, for everybody after it: a cache that looks at the path alone."""

    def __init__(self) -> None:
        self._kept: Reply | None = None

    def __call__(self, request: Request, forward: Forward) -> Reply | None:
        if self._kept is not None:
            return self._kept
        answered = forward(request)
        if answered is not None and answered.status in {200, 302}:
            self._kept = answered
        return answered


def _site(name: str, cause: str, rule: Callable[[], Rule], *also: str) -> Fault:
    """The rule is made anew each time: what it has kept is gone then."""
    return Fault(name, cause, lambda one: one.ruled("site", rule()), also)


def _chat(name: str, cause: str, rule: Callable[[], Rule], *also: str) -> Fault:
    return Fault(name, cause, lambda one: one.ruled("chat", rule()), also)


def _stopped(name: str, paths: str, status: int, *also: str) -> Fault:
    rule = answers(to(f"/api/v1/{paths}"), status, _FORBIDDEN)
    return _chat(name, "services.calls.stopped", lambda: rule, *also)


_FILTERED = "provider.reachable_from_chat.filtered"
_OLD = quote(f"{names.AUTHORIZE}?state=of-somebody-else")
_CALLS = (
    _stopped("firewall_stops_calls_about_rooms", "rooms*", 403),
    _stopped("firewall_stops_calls_about_people", "users.list", 405),
    _stopped("page_in_place_of_the_public_settings", "settings.public", 200),
    _stopped("firewall_stops_the_list_of_log_in_services", "service.configurations", 404),
    _chat(
        "proxy_takes_no_post_for_the_chat",
        "services.admin.stopped",
        lambda: answers(_posted, 405, _NOT_ALLOWED),
    ),
    _chat(
        "firewall_stops_every_call",
        "services.admin.stopped",
        lambda: answers(to("/api/v1/*"), 403, _FORBIDDEN),
    ),
    _chat("proxy_loses_every_query_of_the_chat", "services.admin.query_lost", lambda: Rule(every, _bare)),
    _chat(
        "proxy_swallows_what_a_socket_says",
        "services.websocket.silent",
        lambda: Rule(lambda request: bool(request.header("Upgrade")), _mute, sockets=True),
    ),
    _chat("proxy_closes_sockets_and_says_no_name", "iframe.socket.cut", lambda: closes_silent_sockets(0.05)),
)

FAULTS = (
    *_CALLS,
    _site(
        "proxy_takes_no_post_for_the_site",
        "site.token_endpoint.status",
        lambda: answers(_posted, 405, _NOT_ALLOWED),
        "provider.reachable_from_chat.other",
    ),
    _site(
        "firewall_stops_the_token_endpoint",
        "site.token_endpoint.status",
        lambda: answers(to(names.TOKEN, "POST"), 403, _FORBIDDEN),
        _FILTERED,
    ),
    _site(
        "token_endpoint_asks_programs_for_csrf",
        "site.token_endpoint.status",
        lambda: answers(to(names.TOKEN, "POST"), 403, _CSRF),
        "provider.reachable_from_chat.other",
    ),
    _site(
        "proxy_finds_each_form_too_large",
        "sso.user.stopped",
        lambda: answers(_large, 413, "<h1>413 Request Entity Too Large</h1>"),
        "sso.client.stopped",
    ),
    _site(
        "proxy_takes_every_authorization_header",
        "sso.client.sent_via",
        lambda: request_without(every, "Authorization"),
        "sso.identity.rejected",
    ),
    _site(
        "proxy_takes_the_cookies_of_browsers",
        "site.csrf.cookie_lost",
        lambda: request_without(every, "Cookie"),
    ),
    _site(
        "authorize_kept_for_everybody",
        "site.authorize.next_lost",
        lambda: Rule(to(names.AUTHORIZE), _First()),
    ),
    _site(
        "authorize_sends_home_an_earlier_visitor",
        "sso.authorize.cached",
        lambda: answers(_signed_in(names.AUTHORIZE), 302, Location=f"{names.LOGIN}?next={_OLD}"),
    ),
    _site("token_kept_for_everybody", "sso.token.cached", lambda: Rule(to(names.TOKEN, "POST"), _First())),
    _site(
        "session_kept_for_strangers",
        "sso.site_session.other_user",
        lambda: Rule(to(names.SESSION or "/none/"), _First()),
    ),
    _site(
        "test_page_kept_as_strangers_get_it",
        "sso.test_page.status",
        lambda: Rule(to(names.TEST_PAGE), _First()),
    ),
    _site(
        "integrated_page_kept_for_everybody",
        "sso.buttons.kept",
        lambda: Rule(_signed_in(names.INTEGRATED_PAGE), _First()),
    ),
    _site(
        "site_lets_nobody_go",
        "sso.sign_out.fails",
        lambda: answers(to(names.LOGOUT), 500, "<h1>Server Error (500)</h1>"),
    ),
    _site(
        "styles_of_the_page_gone",
        "sso.frame_policy.unstyled",
        lambda: answers(_styles, 404, "<h1>Not Found</h1>"),
        "sso.frame_policy.unstyled",
    ),
    _site(
        "page_kept_from_its_styles",
        "sso.frame_policy.unstyled",
        lambda: reply_with(_page, _CSP, "style-src 'none'"),
        "sso.frame_policy.unstyled",
    ),
    _site(
        "scripts_of_the_page_lack_their_nonce",
        "sso.frame_policy.scripts",
        lambda: reply_with(_page, _CSP, "script-src 'nonce-abc' 'strict-dynamic' 'self'"),
        "sso.frame_policy.scripts",
    ),
    _site(
        "page_sandboxed_by_a_header",
        "sso.frame_policy.sandbox",
        lambda: reply_with(_page, _CSP, "sandbox allow-same-origin allow-forms"),
        "sso.frame_policy.sandbox",
    ),
)
