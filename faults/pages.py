"""Faults of the site's pages and endpoints, as anybody meets them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.hops import Kept, with_a_code, with_a_token
from faults.proxy import Request, Rule
from faults.rules import Matching, answers, answers_json, fields, lost, relocated, reply_with, to

_LOGIN, _TOKEN, _IDENTITY = names.LOGIN, names.TOKEN, names.IDENTITY
_SESSION = names.SESSION or "/none/"
_MADE_UP = {"access_token": "made-up"}
_NOT_FOUND = "<h1>Not Found</h1>"
_OWN_LOGIN = '<form method="post"><input type="password"></form>'


def _page(name: str, cause: str, rule: Rule, *also: str) -> Fault:
    return Fault(name, cause, lambda one: one.ruled("site", rule), also)


def _from_chat(request: Request) -> bool:
    """What Rocket.Chat's server asks of the token endpoint: it names JSON, a browser's form does not."""
    return (
        request.path == _TOKEN and request.verb == "POST" and request.header("Accept") == "application/json"
    )


def _without_its_token(request: Request) -> bool:
    """A log-in that Django's CSRF protection refuses."""
    return to(_LOGIN, "POST")(request) and b"csrfmiddlewaretoken" not in request.body


def _without_a_session(path: str) -> Matching:
    """An anonymous visitor's request of that page."""
    return lambda request: request.path == path and "besedka_session=" not in request.header("Cookie")


def _with_a_session(path: str) -> Matching:
    return lambda request: request.path == path and "besedka_session=" in request.header("Cookie")


@contextmanager
def _one_id_for_all(one: BreakableStack) -> Iterator[None]:
    """The owner's, whom the chat knows by it."""
    link = {"$set": {f"services.{one.contract.provider.name}": {"id": "1"}}}
    rule = fields(with_a_token, id="1")
    with one.changed("users", {"username": names.MEMBER.username}, link), one.ruled("site", rule):
        yield


def _hidden_behind(name: str, path: str) -> tuple[Fault, Fault]:
    """A page that fails, and one that forgets where the visitor wanted to go."""
    check = f"site.{name}"
    return (
        _page(f"{name}_gone", f"{check}.status", answers(to(path), 404, _NOT_FOUND)),
        _page(f"{name}_forgets_the_way_back", f"{check}.target", relocated(to(path), r"\?.*", "")),
    )


FAULTS = (
    _page(
        "login_page_without_its_form", "site.login_form.missing", answers(to(_LOGIN), 200, "<h1>Беседка</h1>")
    ),
    _page(
        "cookie_of_another_host",
        "site.login_page.foreign_cookie",
        reply_with(to(_LOGIN), "Set-Cookie", "besedka_csrf=x; Domain=besedka.example; Path=/"),
    ),
    _page(
        "cookie_named_as_the_chats",
        "site.login_page.shared_cookie",
        reply_with(to(_LOGIN), "Set-Cookie", "rc_token=x; Path=/"),
    ),
    _page(
        "log_in_page_names_no_ancestors",
        "site.login_page.unframed",
        reply_with(to(_LOGIN), "Content-Security-Policy", "frame-ancestors 'none'"),
    ),
    _page("log_in_without_csrf", "site.csrf.open", answers(_without_its_token, 302, Location="/")),
    _page(
        "home_page_waits_for_rocketchats_database",
        "site.home.status",
        answers(to("/"), 500, "<h1>Server Error</h1>Could not reach any servers in ('mongo', 27017)"),
    ),
    _page(
        "integrated_page_fails_for_visitors",
        "site.integrated_page.status",
        answers(
            _without_a_session(names.INTEGRATED_PAGE),
            500,
            "<h1>'AnonymousUser' object has no attribute 'role'</h1>",
        ),
    ),
    *_hidden_behind("test_page", names.TEST_PAGE),
    *_hidden_behind("integrated_page", names.INTEGRATED_PAGE),
    _page(
        "chat_auth_open_to_all",
        "site.chat_auth.status",
        answers_json(to(names.CHAT_AUTH), 200, **_MADE_UP),
    ),
    _page("chat_auth_gone", "site.chat_auth.status", answers(to(names.CHAT_AUTH), 404, _NOT_FOUND)),
    _page("chat_auth_as_a_page", "site.chat_auth.html", answers(to(names.CHAT_AUTH), 401, _OWN_LOGIN)),
    _page("session_as_a_page", "sso.site_session.html", answers(to(_SESSION), 200, _OWN_LOGIN)),
    _page("session_gone", "sso.site_session.status", answers(to(_SESSION), 404, _NOT_FOUND)),
    _page(
        "session_kept_by_a_proxy",
        "sso.site_session.other_user",
        answers_json(to(_SESSION), 200, id="1", username="somebody_else"),
    ),
    _page(
        "misspelt_chat_auth_is_back",
        "site.old_chat_auth.present",
        answers_json(to("/api/chat/auth/"), 401, detail="sign in"),
    ),
    _page("identity_open_to_all", "site.identity.status", answers_json(to(_IDENTITY), 200, id="1")),
    _page(
        "identity_shadowed_by_another_view",
        "site.identity.status",
        answers_json(to(_IDENTITY, "GET"), 405, detail='Method "GET" not allowed.'),
    ),
    _page("identity_empty_of_an_id", "sso.fields.no_id", fields(with_a_token, id="")),
    Fault("identity_has_one_id_for_all", "sso.fields.id_taken", _one_id_for_all),
    _page("identity_limited", "sso.identity.limited", answers_json(with_a_token, 429, detail="throttled")),
    _page(
        "token_under_another_name",
        "sso.token.unnamed",
        fields(with_a_code, accessToken="made-up", access_token=None),
    ),
    _page(
        "terms_to_accept_first",
        "sso.authorize.target",
        answers(_with_a_session(names.AUTHORIZE), 302, Location="/accounts/terms/"),
    ),
    _page("identity_kept_for_everybody", "sso.identity.anybody", Rule(with_a_token, Kept())),
    _page("identity_as_a_page", "site.identity.html", answers(to(_IDENTITY), 401, _OWN_LOGIN)),
    _page(
        "token_endpoint_gone",
        "site.token_endpoint.status",
        answers(to(_TOKEN), 404, _NOT_FOUND),
        "provider.reachable_from_chat.other",
    ),
    _page(
        "token_endpoint_as_a_page",
        "site.token_endpoint.html",
        answers(to(_TOKEN, "POST"), 400, _OWN_LOGIN),
        "provider.reachable_from_chat.host",
    ),
    _page(
        "token_endpoint_for_get_too",
        "site.token_endpoint.get",
        answers_json(to(_TOKEN, "GET"), 200, **_MADE_UP),
    ),
    _page("authorize_gone", "site.authorize.status", answers(to(names.AUTHORIZE), 404, _NOT_FOUND)),
    _page(
        "authorize_loses_the_request",
        "site.authorize.next_lost",
        relocated(to(names.AUTHORIZE), r"\?.*", "?next=/"),
    ),
    _page("site_unreachable_from_chat", "provider.reachable_from_chat.refused", lost(_from_chat)),
    _page(
        "site_does_not_know_its_host_name",
        "provider.reachable_from_chat.host",
        answers(_from_chat, 400, "<h1>Bad Request (400)</h1>"),
    ),
    _page(
        "token_endpoint_redirects_to_itself",
        "provider.reachable_from_chat.redirected",
        answers(_from_chat, 301, Location=f"{_TOKEN}/"),
    ),
    _page(
        "gateway_between_chat_and_site",
        "provider.reachable_from_chat.other",
        answers(_from_chat, 502, "<h1>Bad Gateway</h1>"),
    ),
)
