"""Faults of single sign-on's hops that show only when somebody signs in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from faults import names
from faults.breakable_stack import BreakableStack
from faults.fault import Breaking, Fault
from faults.proxy import Forward, Reply, Request, Rule
from faults.rules import (
    answers,
    answers_json,
    every,
    fields,
    relocated,
    reply_without_cookie,
    request_without,
    rewritten,
    silent,
    to,
)

_TOKEN = to(names.TOKEN, "POST")
_LOGIN = to(names.LOGIN, "POST")
_CHAT_LOGIN = to("/api/v1/login", "POST")
_CLIENT_LOGIN = to("/api/v1/method.callAnon/login", "POST")
_IS_JSON = (("Content-Type", "application/json"),)
_MADE_UP = {"access_token": "made-up-by-a-view-of-its-own"}
_LONG_STATE = 60
_TWIN = "twinOfAnAccount01"
_ELSEWHERE = "http://elsewhere.invalid/"
# web/config/settings.py
_SESSION_COOKIE, _CSRF_COOKIE = "besedka_session", "besedka_csrf"


def _site(name: str, cause: str, rule: Rule) -> Fault:
    return Fault(name, f"sso.{cause}", lambda one: one.ruled("site", rule))


def _chat(name: str, cause: str, rule: Rule) -> Fault:
    return Fault(name, f"sso.{cause}", lambda one: one.ruled("chat", rule))


def _signed_in(path: str) -> Callable[[Request], bool]:
    """Requests with a session: an anonymous visitor is answered as ever."""
    return lambda request: request.path == path and f"{_SESSION_COOKIE}=" in request.header("Cookie")


def own_callback(request: Request) -> bool:
    """What a signed-in visitor asks authorize for Rocket.Chat."""
    return _signed_in(names.AUTHORIZE)(request) and not _foreign_callback(request)


def _with_its_state(request: Request) -> bool:
    """The state that Rocket.Chat makes is JSON in base64, far longer than doctor's own."""
    return own_callback(request) and len(request.query.get("state", "")) > _LONG_STATE


def with_a_short_state(request: Request) -> bool:
    """What asks authorize by hand: neither Rocket.Chat nor another callback."""
    return own_callback(request) and not _with_its_state(request)


def _foreign_callback(request: Request) -> bool:
    host = urlsplit(request.query.get("redirect_uri", "")).hostname
    return host not in {None, "127.0.0.1", "localhost"}


def _of_the_server(request: Request) -> bool:
    """Rocket.Chat's own server: doctor, who asks by its name, says that it is doctor."""
    name = request.header("User-Agent")
    return "Meteor" in name and "doctor" not in name


def _bare(request: Request, forward: Forward) -> Reply | None:
    return forward(replace(request, target=request.path))


class Kept:
    """The first answer to anybody, again and again: a cache that looks at neither query nor cookie."""

    def __init__(self) -> None:
        self._kept: list[Reply | None] = []

    def __call__(self, request: Request, forward: Forward) -> Reply | None:
        """The answer that is kept."""
        if not self._kept:
            self._kept.append(forward(request))
        return self._kept[0]


def _by_header(request: Request) -> bool:
    return request.path == names.IDENTITY and bool(request.header("Authorization"))


def _by_query(request: Request) -> bool:
    return request.path == names.IDENTITY and bool(request.query)


def with_a_token(request: Request) -> bool:
    """What asks who the bearer of a token is, however it is sent."""
    return _by_header(request) or _by_query(request)


def with_a_code(request: Request) -> bool:
    """The exchange of a real code: doctor's made-up one is told apart."""
    return _TOKEN(request) and b"code=" in request.body and b"no-such-code" not in request.body


def _exchange(request: Request) -> bool:
    return _TOKEN(request) and b"code=" in request.body


def _by_oauth(request: Request) -> bool:
    return _CHAT_LOGIN(request) and b"oauth" in request.body


def _log_in_refused(error: str | int, reason: str, *, status: int = 401, **more: object) -> Rule:
    """A log-in with what the callback left is refused, by REST and as the web client asks.

    That one is answered by 200 with the refusal inside (measured on 6.13.0).
    """
    body = {"status": "error", "error": error, "message": reason, **more}
    told = {"isClientSafe": True, "error": error, "reason": reason, "errorType": "Meteor.Error", **more}

    def matches(request: Request) -> bool:
        return b"oauth" in request.body and (_CHAT_LOGIN(request) or _CLIENT_LOGIN(request))

    def treat(request: Request, forward: Forward) -> Reply:
        if _CHAT_LOGIN(request):
            return Reply(status, _IS_JSON, json.dumps(body).encode())
        asked = json.loads(json.loads(request.body)["message"])
        message = json.dumps({"msg": "result", "id": asked["id"], "error": told})
        return Reply(200, _IS_JSON, json.dumps({"message": message, "success": True}).encode())

    return Rule(matches, treat)


def _after_login(act: Callable[[BreakableStack, str], None]) -> Breaking:
    """After each log-in by SSO something is done to that account, whose id is given."""

    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        def treat(request: Request, forward: Forward) -> Reply | None:
            reply = forward(request)
            if reply is not None and reply.status == 200:
                act(one, str(json.loads(reply.body)["data"]["userId"]))
            return reply

        with one.ruled("chat", Rule(_by_oauth, treat)):
            yield

    return breaking


def _twin(one: BreakableStack, user_id: str) -> None:
    account = one.mongo["users"].find_one({"_id": user_id}) or {}
    twin = {"username": str(account["username"]).upper()}
    # Doctor's visitor signs in, and a test's after it: the twin is always the last one's.
    one.mongo["users"].replace_one({"_id": _TWIN}, twin, upsert=True)


@contextmanager
def _doubled(one: BreakableStack) -> Iterator[None]:
    try:
        with _after_login(_twin)(one):
            yield
    finally:
        one.mongo["users"].delete_one({"_id": _TWIN})


def _unlink(one: BreakableStack, user_id: str) -> None:
    service = one.contract.provider.name
    one.mongo["users"].update_one({"_id": user_id}, {"$unset": {f"services.{service}": 1}})


def _invite_to_vip(one: BreakableStack, user_id: str) -> None:
    one.admin.post("groups.invite", roomName=names.PRIVATE.name, userId=user_id)


def _kick_from_general(one: BreakableStack, user_id: str) -> None:
    one.admin.post("channels.kick", roomId="GENERAL", userId=user_id)


def _error(name: str, cause: str, error: str, text: str = "") -> Fault:
    query = f"?error={error}&error_description={text}"
    return _site(name, f"authorize.{cause}", relocated(own_callback, r"\?.*", query))


FAULTS = (
    _site(
        "site_wants_pkce",
        "client.pkce",
        answers_json(_exchange, 400, error="invalid_request", error_description="Code verifier required."),
    ),
    _site(
        "proxy_takes_the_authorization_header", "client.sent_via", request_without(_exchange, "Authorization")
    ),
    _site(
        "token_endpoint_shows_a_page_to_a_client", "client.not_json", answers(_exchange, 200, "<h1>Вход</h1>")
    ),
    _site(
        "token_endpoint_fails",
        "client.other",
        answers_json(_exchange, 500, error="server_error", error_description="the database is locked"),
    ),
    Fault(
        "log_in_blocked_by_a_filter",
        "site.csrf.refused",
        lambda one: one.ruled("site", answers(_LOGIN, 403, "<h1>Forbidden</h1>")),
    ),
    Fault(
        "proxy_takes_the_csrf_cookie",
        "site.login_form.no_cookie",
        lambda one: one.ruled("site", reply_without_cookie(every, _CSRF_COOKIE)),
    ),
    Fault(
        "proxy_takes_the_session_cookie",
        "sso.authorize.session",
        lambda one: one.ruled("site", reply_without_cookie(every, _SESSION_COOKIE)),
        ("sso.test_page.status", "sso.integrated_page.status"),
    ),
    _site("consent_page_of_another_view", "authorize.consent", answers(own_callback, 200, "<form></form>")),
    _site(
        "authorize_refuses_the_callback",
        "authorize.redirect_uri",
        answers(own_callback, 400, "<h1>Mismatching redirect URI.</h1>"),
    ),
    _site("authorize_fails", "authorize.status", answers(own_callback, 500, "<h1>Server Error</h1>")),
    _error("authorize_wants_pkce", "pkce", "invalid_request", "Code+challenge+required."),
    _error("authorize_does_not_know_the_scope", "scope", "invalid_scope"),
    _error("authorize_denies", "error", "access_denied"),
    _site(
        "authorize_sends_the_code_elsewhere",
        "authorize.target",
        relocated(own_callback, r"^[^?]*", _ELSEWHERE),
    ),
    _site(
        "authorize_changes_the_state", "authorize.state", relocated(own_callback, r"state=[^&]*", "state=x")
    ),
    _site(
        "authorize_sends_codes_anywhere",
        "foreign_redirect.open",
        answers(_foreign_callback, 302, Location=f"{_ELSEWHERE}?code=1"),
    ),
    _site(
        "token_made_up",
        "token.no_row",
        fields(with_a_code, **_MADE_UP),
    ),
    _site(
        "code_asked_for_its_verifier",
        "token.pkce",
        answers_json(with_a_code, 400, error="invalid_grant", error_description="Code verifier required."),
    ),
    _site(
        "client_refused_with_its_code",
        "token.refused",
        answers_json(with_a_code, 401, error="invalid_client"),
    ),
    _site(
        "code_refused",
        "token.code",
        answers_json(with_a_code, 400, error="invalid_grant", error_description="Expired."),
    ),
    _site("token_as_a_form", "token.not_json", answers(with_a_code, 200, "access_token=1", "text/plain")),
    _site("identity_never_sees_the_token", "identity.sent_via", request_without(_by_header, "Authorization")),
    _site(
        "identity_takes_the_token_of_the_query",
        "identity.sent_via",
        answers_json(_by_header, 401, detail="Authentication credentials were not provided."),
    ),
    _site(
        "identity_sends_bearers_to_the_log_in",
        "identity.sent_via",
        answers(_by_header, 302, Location=f"{names.LOGIN}?next={names.IDENTITY}"),
    ),
    _site(
        "identity_takes_another_kind_of_token",
        "identity.rejected",
        answers_json(with_a_token, 401, code="token_not_valid", detail="Given token not valid"),
    ),
    _site(
        "identity_knows_sessions_alone",
        "identity.session_only",
        answers(with_a_token, 302, Location=f"{names.LOGIN}?next={names.IDENTITY}"),
    ),
    _site(
        "identity_hands_out_a_token",
        "fields.none",
        answers_json(with_a_token, 200, accessToken="made-up", userId="made-up", expires_in=60),
    ),
    _site("identity_wants_a_scope", "identity.scope", answers_json(with_a_token, 403, detail="scope")),
    _site("identity_gone_for_tokens", "identity.missing", answers(with_a_token, 404)),
    _site("identity_for_post_alone", "identity.method", answers_json(with_a_token, 405, detail="method")),
    _site("identity_as_a_page_for_tokens", "identity.not_json", answers(with_a_token, 200, "<h1>Вход</h1>")),
    _site("identity_fails", "identity.failing", answers(with_a_token, 500, "<h1>Server Error</h1>")),
    _site("identity_with_a_number", "fields.id", fields(with_a_token, id=7)),
    _site("identity_without_a_name", "fields.missing", fields(with_a_token, full_name=None)),
    _site("identity_of_somebody_else", "fields.differs", fields(with_a_token, username="somebody_else")),
    _site("identity_by_another_name", "fields.other_name", fields(with_a_token, full_name="Кто-то")),
    _site("identity_without_an_id", "fields.no_id", fields(with_a_token, id=None)),
    _site("identity_without_a_picture", "fields.no_avatar", fields(with_a_token, avatar_url=None)),
    _site("identity_with_other_groups", "fields.groups", fields(with_a_token, groups=["admin"])),
    _site("test_page_fails_signed_in", "test_page.status", answers(_signed_in(names.TEST_PAGE), 500)),
    _site(
        "test_page_without_a_frame",
        "test_page.no_frame",
        rewritten(_signed_in(names.TEST_PAGE), "<iframe", "<div"),
    ),
    _site(
        "test_page_shows_the_menus",
        "test_page.layout",
        rewritten(_signed_in(names.TEST_PAGE), "layout=embedded", "layout=full"),
    ),
    _site(
        "integrated_page_fails_signed_in",
        "integrated_page.status",
        answers(_signed_in(names.INTEGRATED_PAGE), 500),
    ),
    _site(
        "integrated_page_without_a_frame",
        "integrated_page.no_frame",
        rewritten(_signed_in(names.INTEGRATED_PAGE), "<iframe", "<div"),
    ),
    _site(
        "integrated_page_on_another_room",
        "integrated_page.frame",
        rewritten(_signed_in(names.INTEGRATED_PAGE), names.DEFAULT_PATH, "/channel/lobby"),
    ),
    _site(
        "integrated_page_without_its_buttons",
        "integrated_page.buttons",
        rewritten(_signed_in(names.INTEGRATED_PAGE), "data-channel", "data-room"),
    ),
    _site("authorize_refuses_rocketchats_state", "callback.no_code", answers(_with_its_state, 414)),
    Fault(
        "site_refuses_rocketchats_server",
        "provider.reachable_from_chat.filtered",
        lambda one: one.ruled("site", answers(to("*", by="Meteor"), 403)),
    ),
    _site("site_refuses_what_only_rocketchat_asks", "callback.failed", answers(_of_the_server, 403)),
    _chat("proxy_loses_the_query_of_the_callback", "callback.query", Rule(to("/_oauth/*"), _bare)),
    Fault(
        "authorize_answers_from_a_cache",
        "sso.callback.cached",
        lambda one: one.ruled("site", Rule(own_callback, Kept())),
    ),
    _site("site_never_answers_rocketchats_server", "callback.hangs", silent(_of_the_server)),
    _chat(
        "proxy_sends_the_callback_home", "callback.no_result", answers(to("/_oauth/*"), 302, Location="/home")
    ),
    _chat(
        "chat_log_in_too_often",
        "login.rate_limited",
        _log_in_refused("error-too-many-requests", "Error, too many requests.", status=429),
    ),
    _chat(
        "chat_asks_sso_for_a_mailed_code",
        "login.second_factor",
        _log_in_refused("totp-required", "TOTP Required", details={"method": "email"}),
    ),
    _chat(
        "chat_refuses_the_credential",
        "login.refused",
        _log_in_refused(403, "No matching login attempt found"),
    ),
    _chat(
        "chat_has_no_seat_left",
        "login.seats",
        _log_in_refused("error-license-user-limit-reached", "User limit reached", status=400),
    ),
    _chat(
        "session_of_somebody_else",
        "session.other_user",
        rewritten(to("/api/v1/me"), r'"username":\s*"temp_\w+"', '"username": "somebody"'),
    ),
    Fault("account_made_twice", "sso.session.twins", _doubled),
    Fault("account_not_linked", "sso.session.not_linked", _after_login(_unlink)),
    Fault("new_account_outside_the_default_room", "sso.rooms.no_default", _after_login(_kick_from_general)),
    Fault("new_account_in_vip", "sso.rooms.too_many", _after_login(_invite_to_vip)),
)
