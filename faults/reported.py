"""Faults that people reported of other sites: what a browser sends, and what a proxy makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.proxy import Forward, Reply, Request, Rule
from faults.rules import Matching, answers, every, relocated, reply_with, request_without, rewritten, to
from faults.services import now_and_then

_OPENER = "Cross-Origin-Opener-Policy"
_CSP = "Content-Security-Policy"
_JSON_ALONE = {
    "SCOPES": {"read": "Имя и почта"},
    "DEFAULT_SCOPES": ["read"],
    "READ_SCOPE": "read",
    "PKCE_REQUIRED": False,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
    "OAUTH2_BACKEND_CLASS": "oauth2_provider.oauth2_backends.JSONOAuthLibCore",
}
_FORBIDDEN = "<h1>403 Forbidden</h1>"


def _bare(request: Request, forward: Forward) -> Reply | None:
    return forward(replace(request, target=request.path))


def _led_here() -> Matching:
    """Requests that another page led to, as rules against hotlinks see them."""

    def matches(request: Request) -> bool:
        referer = request.header("Referer")
        return bool(referer) and request.header("Host") not in referer

    return matches


def _framed(request: Request) -> bool:
    return request.header("Sec-Fetch-Dest") == "iframe"


def _of_others(request: Request) -> bool:
    return request.header("Sec-Fetch-Site") in {"same-site", "cross-site"} and request.verb == "GET"


@contextmanager
def _own_pages_alone(one: BreakableStack) -> Iterator[None]:
    """The site's pages say where one comes from, which Django's own policy does not."""
    with (
        one.ruled("site", reply_with(every, "Referrer-Policy", "strict-origin")),
        one.ruled("chat", answers(_led_here(), 403, _FORBIDDEN)),
    ):
        yield


@contextmanager
def _site_for_its_own_pages_alone(one: BreakableStack) -> Iterator[None]:
    """The chat's pages say where one comes from, which Rocket.Chat's default does not."""
    with (
        one.setting("Default_Referrer_Policy", "strict-origin"),
        one.ruled("site", answers(_led_here(), 403, _FORBIDDEN)),
    ):
        yield


@contextmanager
def _popup_without_its_opener(one: BreakableStack) -> Iterator[None]:
    """The contract wants a window of its own, which the site's answers cut off from who opened it."""
    right = one.contract
    own = right.provider.model_copy(update={"login_style": "popup"})
    with (
        one.setting(one.row("login_style"), "popup"),
        one.ruled("site", reply_with(to(names.AUTHORIZE), _OPENER, "same-origin")),
    ):
        one.contract = right.model_copy(update={"provider": own})
        try:
            yield
        finally:
            one.contract = right


class _Limit:
    """So many requests in a second; what is more is answered as nginx answers it."""

    def __init__(self, requests: int, status: int) -> None:
        self._requests, self._status = requests, status
        self._taken: list[float] = []

    def __call__(self, request: Request, forward: Forward) -> Reply | None:
        now = time.monotonic()
        self._taken = [taken for taken in self._taken if now - taken < 1]
        if len(self._taken) >= self._requests:
            return Reply(self._status, (("Content-Type", "text/html"),), b"<h1>Too many</h1><hr>nginx")
        self._taken.append(now)
        return forward(request)


def _without_body(request: Request, forward: Forward) -> Reply | None:
    return forward(replace(request, body=b""))


def _in_small_letters(request: Request, forward: Forward) -> Reply | None:
    return forward(replace(request, target=request.target.lower()))


def _slash_taken_away(request: Request, forward: Forward) -> Reply:
    path, mark, query = request.target.partition("?")
    return Reply(301, (("Location", f"{path.rstrip('/')}{mark}{query}"),), b"")


def _to_www(request: Request, forward: Forward) -> Reply:
    """As Django's CommonMiddleware under PREPEND_WWW: the same path at another name."""
    return Reply(301, (("Location", f"http://www.{request.header('Host')}{request.target}"),), b"")


def _ends_with_a_slash(request: Request) -> bool:
    return request.path.endswith("/") and request.path != "/"


def _posted(request: Request) -> bool:
    return request.verb == "POST"


def _by_rule(name: str, cause: str, service: str, rule: Callable[[], Rule], *also: str) -> Fault:
    """The rule is made anew each time: what it has counted is gone then."""
    return Fault(name, cause, lambda one: one.ruled(service, rule()), also)


def _gate(name: str, cause: str, service: str, which: Matching, *also: str) -> Fault:
    """Something that asks for a log-in of its own, at another machine."""
    rule = answers(which, 302, Location="https://login.example.com/?rd=%2F")
    return _by_rule(name, cause, service, lambda: rule, *also)


_GATED = ("site.authorize.status", "provider.reachable_from_chat.redirected")
_GONE = "<h1>502 Bad Gateway</h1><hr>nginx"
_MORE = (
    _by_rule(
        "proxy_limits_what_a_browser_asks_of_the_chat",
        "services.chat.limited",
        "chat",
        lambda: Rule(every, _Limit(10, 503)),
    ),
    _by_rule(
        "proxy_limits_what_a_browser_asks_of_the_site",
        "services.site.limited",
        "site",
        lambda: Rule(every, _Limit(5, 429)),
    ),
    _by_rule(
        "one_of_two_chats_gone",
        "services.chat.one_gone",
        "chat",
        lambda: now_and_then(answers(every, 502, _GONE)),
    ),
    _by_rule(
        "one_of_two_sites_gone",
        "services.site.one_gone",
        "site",
        lambda: now_and_then(answers(every, 502, _GONE)),
    ),
    _by_rule(
        "proxy_loses_what_is_posted_to_the_chat",
        "services.admin.body_lost",
        "chat",
        lambda: Rule(_posted, _without_body),
    ),
    _by_rule(
        "proxy_loses_the_type_of_what_is_posted_to_the_chat",
        "services.admin.body_lost",
        "chat",
        lambda: request_without(_posted, "Content-Type"),
    ),
    _by_rule(
        "proxy_loses_what_is_posted_to_the_site",
        "site.csrf.body_lost",
        "site",
        lambda: Rule(_posted, _without_body),
        "sso.client.other",
    ),
    _by_rule(
        "proxy_writes_addresses_in_small_letters",
        "sso.authorize.client",
        "site",
        lambda: Rule(to(names.AUTHORIZE), _in_small_letters),
    ),
    _by_rule(
        "proxy_takes_slashes_away",
        "site.login_form.slash",
        "site",
        lambda: Rule(_ends_with_a_slash, _slash_taken_away),
        "site.test_page.target",
        "site.integrated_page.target",
        "site.identity.status",
        "site.token_endpoint.status",
        "site.authorize.status",
        "provider.reachable_from_chat.redirected",
        "site.chat_auth.status",
        "site.old_chat_auth.present",
    ),
    _by_rule(
        "site_asks_for_www",
        "services.site.www",
        "site",
        lambda: Rule(every, _to_www),
    ),
    _gate("gate_before_the_chat", "services.chat.gate", "chat", every),
    _gate("gate_before_the_site", "services.site.gate", "site", every),
    _gate("gate_before_the_provider", "site.token_endpoint.gate", "site", to("/o/*"), *_GATED),
    _gate("gate_before_the_callback", "sso.callback.gate", "chat", to("/_oauth/*")),
)

_CALLBACK = to("/_oauth/*")
_ON_THE_CALLBACK = (
    _by_rule(
        "callback_shown_as_text",
        "iframe.callback.type",
        "chat",
        lambda: reply_with(_CALLBACK, "Content-Type", "text/plain"),
    ),
    _by_rule(
        "callback_sent_as_a_download",
        "iframe.callback.type",
        "chat",
        lambda: reply_with(_CALLBACK, "Content-Disposition", "attachment; filename=login"),
    ),
    _by_rule(
        "callback_kept_from_its_script",
        "iframe.callback.policy",
        "chat",
        lambda: reply_with(_CALLBACK, _CSP, "script-src 'none'"),
    ),
    _by_rule(
        "callback_in_a_sandbox",
        "iframe.callback.sandboxed",
        "chat",
        lambda: reply_with(_CALLBACK, _CSP, "sandbox allow-scripts"),
    ),
    _by_rule(
        "script_of_the_callback_gone",
        "iframe.callback.script",
        "chat",
        lambda: answers(to("/packages/*"), 404, "<h1>404 Not Found</h1>"),
    ),
)

_CONFIG = to("/meteor_runtime_config.js")
_OLD_SOCKET = '("%7B%22DDP_DEFAULT_CONNECTION_URL%22%3A%22http%3A//127.0.0.1%3A9/%22%2C'
_OLD_ROOT = "ROOT_URL%22%3A%20%22http%3A//old.invalid%22"
_TOLD_THE_CLIENT = (
    _by_rule(
        "client_opens_its_socket_elsewhere",
        "iframe.runtime.socket",
        "chat",
        lambda: rewritten(_CONFIG, r'\("%7B', _OLD_SOCKET),
    ),
    _by_rule(
        "client_loads_its_modules_from_elsewhere",
        "iframe.runtime.modules",
        "chat",
        lambda: rewritten(_CONFIG, r"ROOT_URL%22%3A%20%22.*?%22", _OLD_ROOT),
    ),
)


def _known_now_and_then() -> Rule:
    """Two processes take turns, and one of them keeps the session in its own memory."""
    session = request_without(lambda request: request.path == names.TEST_PAGE, "Cookie")
    return now_and_then(session)


FAULTS = (
    *_MORE,
    *_TOLD_THE_CLIENT,
    _by_rule("session_in_the_memory_of_one_process", "sso.remembered.flickers", "site", _known_now_and_then),
    *_ON_THE_CALLBACK,
    Fault(
        "token_endpoint_reads_json_alone",
        "sso.client.other",
        lambda one: one.site_told(OAUTH2_PROVIDER=_JSON_ALONE),
    ),
    Fault(
        "proxy_loses_the_query_of_the_log_in",
        "sso.user.elsewhere",
        lambda one: one.ruled("site", Rule(to(names.LOGIN), _bare)),
    ),
    Fault(
        "log_in_leads_home",
        "sso.user.elsewhere",
        lambda one: one.ruled("site", relocated(to(names.LOGIN, "POST"), "^.+$", "/")),
    ),
    Fault("popup_without_its_opener", "sso.authorize.opener", _popup_without_its_opener),
    Fault(
        "mail_domains_are_asked_of_the_dns",
        "iframe.new_accounts.mail_server",
        lambda one: one.setting("Accounts_UseDNSDomainCheck", True),
    ),
    Fault("chat_for_its_own_pages_alone", "iframe.framed.referer", _own_pages_alone),
    Fault(
        "chat_in_no_frame",
        "iframe.framed.metadata",
        lambda one: one.ruled("chat", answers(_framed, 403, _FORBIDDEN)),
    ),
    Fault(
        "site_in_no_frame",
        "site.framed.metadata",
        lambda one: one.ruled("site", answers(_framed, 403, _FORBIDDEN)),
    ),
    Fault(
        "site_takes_nobody_from_other_addresses",
        "site.framed.metadata",
        lambda one: one.ruled("site", answers(_of_others, 403, _FORBIDDEN)),
    ),
    Fault("site_for_its_own_pages_alone", "site.framed.referer", _site_for_its_own_pages_alone),
)
