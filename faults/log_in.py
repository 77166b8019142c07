"""Faults of the site's log-in: where it is, who refuses it, and what a browser makes of its cookies."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace

import psutil

from besedka.contract import Contract
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.paused import paused
from faults.proxy import Reply, Request, Rule
from faults.rules import (
    Matching,
    answers,
    answers_json,
    changed,
    every,
    late,
    relocated,
    reply_with,
    rewritten,
    to,
)

_CSP = "Content-Security-Policy"
# Above what doctor calls slow (besedka/checks/patience.py).
_SLOW = 2.7
_DIGEST = f"sha384-{'A' * 64}"
_FILLED = re.compile(rb"password=[^&]")


def _site(name: str, cause: str, rule: Callable[[Contract], Rule]) -> Fault:
    def breaking(one: BreakableStack) -> AbstractContextManager[None]:
        return one.ruled("site", rule(one.contract))

    return Fault(name, cause, breaking)


def _chat(name: str, cause: str, rule: Callable[[Contract], Rule]) -> Fault:
    def breaking(one: BreakableStack) -> AbstractContextManager[None]:
        return one.ruled("chat", rule(one.contract))

    return Fault(name, cause, breaking)


def _page(contract: Contract) -> Matching:
    return to(contract.site.login_path)


def _filled(contract: Contract) -> Matching:
    """A log-in with a password, as a person sends it."""
    return lambda request: (
        to(contract.site.login_path, "POST")(request) and bool(_FILLED.search(request.body))
    )


def _cookie(contract: Contract, attribute: str) -> Rule:
    """The cookies that a log-in brings are for another place, by their attribute `Name=value`."""
    name = attribute.partition("=")[0]

    def change(reply: Reply) -> Reply:
        rows = []
        for key, value in reply.headers:
            if key.lower() == "set-cookie":
                value = f"{re.sub(rf'; *{name}=[^;]*', '', value, flags=re.IGNORECASE)}; {attribute}"  # noqa: PLW2901
            rows.append((key, value))
        return replace(reply, headers=tuple(rows))

    return changed(_filled(contract), change)


def _shown_to(path: str) -> Matching:
    """The page itself, as somebody signed in gets it."""
    return lambda request: request.path == path and bool(request.header("Cookie"))


def _shown(name: str, kind: str, header: str, value: str) -> Fault:
    """The test page comes with that header."""
    return _site(
        name,
        f"sso.test_page.{kind}",
        lambda contract: reply_with(_shown_to(contract.site.test_page), header, value),
    )


def _not_of_rocketchat(contract: Contract) -> Matching:
    """A request of the token endpoint that is none of Rocket.Chat's server, which names JSON."""

    def matches(request: Request) -> bool:
        return to(contract.provider.token_path, "POST")(request) and "json" not in request.header("Accept")

    return matches


def _room_of(contract: Contract) -> Matching:
    path = contract.default_channel.path.partition("?")[0]
    return lambda request: request.path == path


@contextmanager
def _no_new_users(one: BreakableStack) -> Iterator[None]:
    """Each new user is refused by the database, as by one that is locked or read-only."""
    with closing(sqlite3.connect(one.site_file)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON accounts_user BEGIN SELECT RAISE(ABORT, 'it is full'); END"
        )
        database.commit()
        try:
            yield
        finally:
            database.execute("DROP TRIGGER full")
            database.commit()


@contextmanager
def _paused(one: BreakableStack) -> Iterator[None]:
    """SIGSTOP to the site: the kernel goes on taking connections, and nobody answers."""
    guard = psutil.Process(one.running.processes["site"].pid)
    with paused([guard, *guard.children(recursive=True)]):
        yield


FAULTS = (
    Fault("site_paused", "services.site.slow", _paused),
    _site(
        "log_in_at_another_address",
        "site.login_url.elsewhere",
        lambda contract: relocated(
            every, f"^{re.escape(contract.site.below(contract.site.login_path))}", "/elsewhere/login/"
        ),
    ),
    _site(
        "log_in_on_another_host",
        "site.login_url.elsewhere",
        lambda contract: relocated(
            every,
            f"^{re.escape(contract.site.below(contract.site.login_path))}",
            f"http://elsewhere.invalid{contract.site.login_path}",
        ),
    ),
    _site(
        "log_in_page_refused",
        "site.login_form.refused",
        lambda contract: answers(_page(contract), 403, "<h1>Forbidden</h1>Your address is not allowed."),
    ),
    _site(
        "log_in_page_fails",
        "site.login_form.failing",
        lambda contract: answers(_page(contract), 500, "<h1>Server Error (500)</h1>"),
    ),
    _site(
        "log_in_locked_after_failures",
        "sso.user.filtered",
        lambda contract: answers(_filled(contract), 403, "<h1>Account locked: too many attempts.</h1>"),
    ),
    _site(
        "log_in_limited",
        "sso.user.limited",
        lambda contract: answers(_filled(contract), 429, "<h1>Too Many Requests</h1>"),
    ),
    _site(
        "session_cookie_of_another_host",
        "sso.user.foreign_cookie",
        lambda contract: _cookie(contract, "Domain=besedka.example"),
    ),
    _site(
        "session_cookie_for_the_log_in_alone",
        "sso.user.path_cookie",
        lambda contract: _cookie(contract, f"Path={contract.site.login_path}"),
    ),
    _site(
        "session_that_ends_at_once",
        "sso.user.short_cookie",
        lambda contract: _cookie(contract, "Max-Age=0"),
    ),
    _site(
        "log_in_may_not_lead_to_the_chat",
        "site.login_page.form_action",
        lambda contract: reply_with(_page(contract), _CSP, "frame-ancestors 'self'; form-action 'self'"),
    ),
    _site(
        "log_in_form_may_not_be_sent",
        "site.login_page.form_action",
        lambda contract: reply_with(_page(contract), _CSP, "frame-ancestors 'self'; form-action 'none'"),
    ),
    _site(
        "log_in_page_leaves_by_itself",
        "site.login_page.reloads",
        lambda contract: reply_with(_page(contract), "Refresh", "5"),
    ),
    _site(
        "log_in_page_signs_everybody_out",
        "site.login_page.clears",
        lambda contract: reply_with(to(contract.site.login_path, "GET"), "Clear-Site-Data", '"cookies"'),
    ),
    _site(
        "log_in_form_refused_as_such",
        "sso.user.malformed",
        lambda contract: answers(_filled(contract), 400, "<h1>Bad Request (400)</h1>"),
    ),
    _site(
        "authorize_signs_everybody_out",
        "sso.authorize.clears",
        lambda contract: reply_with(to(contract.provider.authorize_path), "Clear-Site-Data", '"cookies"'),
    ),
    _chat(
        "firewall_stops_the_callback",
        "sso.callback.no_result",
        lambda _: answers(to("/_oauth/*"), 403, "<h1>Forbidden</h1>"),
    ),
    _site(
        "log_in_takes_its_session_back",
        "sso.user.clears",
        lambda contract: reply_with(_filled(contract), "Clear-Site-Data", '"*"'),
    ),
    _chat(
        "callback_forgets_the_log_in",
        "sso.callback.clears",
        lambda _: reply_with(to("/_oauth/*"), "Clear-Site-Data", '"storage"'),
    ),
    _site(
        "test_page_loads_itself_anew",
        "sso.test_page.reloads",
        lambda contract: reply_with(_shown_to(contract.site.test_page), "Refresh", "2"),
    ),
    _site(
        "scripts_of_the_page_from_elsewhere",
        "sso.commands.unread",
        lambda contract: rewritten(
            _shown_to(contract.site.test_page), 'src="/static/', 'src="https://cdn.example.invalid/static/'
        ),
    ),
    _shown("test_page_shown_as_text", "type", "Content-Type", "text/plain"),
    _shown("test_page_sent_as_a_download", "attachment", "Content-Disposition", "attachment"),
    _shown("test_page_signs_everybody_out", "clears", "Clear-Site-Data", '"cookies", "storage"'),
    _shown("test_page_kept_for_others", "kept", "Cache-Control", "public, max-age=600"),
    _site(
        "page_wants_another_digest_of_its_script",
        "sso.commands.digest",
        lambda contract: rewritten(
            _shown_to(contract.site.test_page), 'src="/static/', f'integrity="{_DIGEST}" src="/static/'
        ),
    ),
    _site(
        "frame_with_a_text_of_its_own",
        "sso.frame_policy.srcdoc",
        lambda contract: rewritten(
            _shown_to(contract.site.test_page), "<iframe ", '<iframe srcdoc="<p>Chat</p>" '
        ),
    ),
    _chat(
        "chat_loads_itself_anew",
        "iframe.document.reloads",
        lambda contract: rewritten(
            _room_of(contract),
            "<head>",
            '<head><meta http-equiv="refresh" content="30">',
        ),
    ),
    _site(
        "site_behind_a_password_of_the_proxy",
        "services.site.password",
        lambda _: answers(every, 401, "<h1>Authorization Required</h1>", WWW_Authenticate='Basic realm="x"'),
    ),
    _chat(
        "chat_shown_as_text",
        "iframe.document.type",
        lambda contract: reply_with(_room_of(contract), "Content-Type", "text/plain"),
    ),
    _chat(
        "chat_kept_for_a_year",
        "iframe.document.kept",
        lambda contract: reply_with(_room_of(contract), "Cache-Control", "public, max-age=31536000"),
    ),
    _chat(
        "chat_limits_the_calls_of_an_administrator",
        "services.admin.unread",
        lambda _: answers_json(
            lambda request: request.path == "/api/v1/settings" and request.verb == "GET",
            429,
            success=False,
            error="too many requests",
        ),
    ),
    Fault("database_of_the_site_takes_no_row", "sso.user.unwritable", _no_new_users),
    _site(
        "token_endpoint_slow",
        "site.token_endpoint.slow",
        lambda contract: late(_not_of_rocketchat(contract), _SLOW),
    ),
    _site(
        "identity_endpoint_slow",
        "site.identity.slow",
        lambda contract: late(
            lambda request: (
                request.path == contract.provider.identity_path and not request.header("Authorization")
            ),
            _SLOW,
        ),
    ),
    Fault(
        "script_of_an_administrator_leaves_the_page",
        "iframe.customised.script",
        lambda one: one.setting("Custom_Script_Logged_In", "window.location = '/home';"),
    ),
    Fault(
        "script_of_an_administrator_is_broken",
        "iframe.customised.script",
        lambda one: one.setting("Custom_Script_Logged_Out", "document.addEventListener('x', function () {"),
    ),
    Fault(
        "style_of_an_administrator_hides_the_room",
        "iframe.customised.style",
        lambda one: one.setting("theme-custom-css", "body { display: none !important; }"),
    ),
)
