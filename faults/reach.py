"""Faults on the way to the chat that only a browser meets: sockets, https, sandboxes and policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

from besedka import address
from besedka.checks import content_policy
from faults.breakable_stack import BreakableStack
from faults.fault import Fault
from faults.proxy import Request, Rule
from faults.rules import answers, lost, refuses_sockets, reply_with, rewritten, to


def _site_page(request: Request) -> bool:
    return request.path.startswith("/chat/") and not request.path.startswith("/chat/api/")


def _rooms(request: Request) -> bool:
    return request.path.startswith(("/channel/", "/group/"))


_FRAME = "<iframe "
_CSP = "Content-Security-Policy"


def _on_pages(name: str, kind: str, header: str, value: str) -> Fault:
    """A header on both chat pages of the site."""
    cause = f"sso.frame_policy.{kind}"
    rule = reply_with(_site_page, header, value)
    return Fault(name, cause, lambda one: one.ruled("site", rule), (cause,))


def _of_the_chat(name: str, cause: str, rule: Rule, *also: str) -> Fault:
    """What a proxy in front of Rocket.Chat does."""
    return Fault(name, f"iframe.{cause}", lambda one: one.ruled("chat", rule), also)


def _policy(name: str, policy: str) -> Fault:
    return _of_the_chat(name, "document.policy", reply_with(_rooms, "Content-Security-Policy", policy))


def _coloned(request: Request) -> bool:
    """A call with a colon in its path, which some rules take for an attack."""
    return request.path.startswith("/api/v1/method.call/")


def _scripts(request: Request) -> bool:
    return request.path.endswith(".js")


def _styles(request: Request) -> bool:
    return request.path.endswith(".css")


@contextmanager
def _upgraded(one: BreakableStack) -> Iterator[None]:
    """As on a host that is not this machine: Chromium spares loopback."""
    rule = reply_with(_site_page, _CSP, "upgrade-insecure-requests")
    elsewhere = SimpleNamespace(**vars(address) | {"is_loopback": lambda name: False})
    with one.ruled("site", rule), mock.patch.object(content_policy, "address", elsewhere):
        yield


_LOGIN_CALL = to("/api/v1/method.callAnon/*", "POST")
_BROWSED = (
    _of_the_chat("rooms_of_the_chat_gone", "document.status", answers(_rooms, 404, "<h1>Not Found</h1>")),
    _of_the_chat("rooms_of_the_chat_fail", "document.status", answers(_rooms, 500, "<h1>Error</h1>")),
    _of_the_chat("rooms_of_the_chat_lead_home", "document.status", answers(_rooms, 302, Location="/home")),
    _of_the_chat(
        "chat_behind_a_password_of_the_proxy",
        "document.status",
        answers(_rooms, 401, "<h1>Unauthorized</h1>", WWW_Authenticate="Basic realm=x"),
    ),
    _policy("chat_kept_from_its_scripts", "script-src 'none'"),
    _of_the_chat(
        "chat_page_keeps_itself_from_its_scripts",
        "document.policy",
        rewritten(_rooms, "<head>", f'<head><meta http-equiv="{_CSP}" content="script-src \'none\'">'),
    ),
    _policy("chat_kept_from_its_server", "connect-src https://elsewhere.invalid"),
    _policy("chat_kept_from_what_its_scripts_load", "script-src 'self'; style-src 'self' 'unsafe-inline'"),
    _policy("chat_trusts_no_text_of_its_scripts", "require-trusted-types-for 'script'"),
    _policy("chat_kept_from_its_styles", "style-src 'self'"),
    _policy("chat_kept_from_its_socket", "connect-src http:"),
    _policy("chat_has_the_policy_of_another_site", "default-src https://elsewhere.invalid"),
    _of_the_chat(
        "chat_forgets_everything_at_each_load",
        "document.clears",
        reply_with(_rooms, "Clear-Site-Data", '"cache", "cookies", "storage"'),
    ),
    _of_the_chat("scripts_of_the_chat_gone", "client.missing", answers(_scripts, 404, "<h1>Not Found</h1>")),
    _of_the_chat("styles_of_the_chat_gone", "client.unstyled", answers(_styles, 404, "<h1>Not Found</h1>")),
    _of_the_chat(
        "page_in_place_of_the_chats_scripts", "client.missing", answers(_scripts, 200, "<h1>It works!</h1>")
    ),
    _of_the_chat("firewall_stops_the_log_in_call", "client.call", answers(_LOGIN_CALL, 403, "<h1>WAF</h1>")),
    _of_the_chat("firewall_stops_calls_with_a_colon", "client.call", answers(_coloned, 403, "<h1>WAF</h1>")),
    _of_the_chat("proxy_loses_the_log_in_call", "client.call", answers(_LOGIN_CALL, 404, "<h1>no</h1>")),
    Fault(
        "scripts_of_the_chat_from_elsewhere",
        "iframe.client.cdn",
        lambda one: one.setting("CDN_PREFIX", "https://cdn.elsewhere.invalid"),
    ),
    _of_the_chat(
        "proxy_says_gzip_and_sends_text",
        "headers.unanswered",
        reply_with(_rooms, "Content-Encoding", "gzip"),
    ),
)

FAULTS = (
    *_BROWSED,
    Fault(
        "proxy_passes_no_websocket",
        "services.websocket.refused",
        lambda one: one.ruled("chat", refuses_sockets(400, "Bad Request")),
    ),
    Fault(
        "proxy_answers_sockets_with_a_page",
        "services.websocket.refused",
        lambda one: one.ruled("chat", refuses_sockets(200, "<!doctype html>")),
    ),
    Fault(
        "proxy_answers_what_sockjs_asks_first",
        "services.websocket.info",
        lambda one: one.ruled("chat", answers(to("/sockjs/info"), 200, "<h1>Chat</h1>")),
    ),
    Fault(
        "nobody_answers_what_sockjs_asks_first",
        "services.websocket.info",
        lambda one: one.ruled("chat", lost(to("/sockjs/info"))),
    ),
    Fault(
        "force_ssl_on_http",
        "services.https.force_ssl",
        lambda one: one.setting("Force_SSL", True),
    ),
    Fault(
        "frame_in_a_sandbox",
        "sso.frame_policy.sandbox",
        lambda one: one.ruled("site", rewritten(_site_page, _FRAME, '<iframe sandbox="allow-scripts" ')),
        ("sso.frame_policy.sandbox",),
    ),
    Fault(
        "frame_without_credentials",
        "sso.frame_policy.isolated",
        lambda one: one.ruled("site", rewritten(_site_page, _FRAME, "<iframe credentialless ")),
        ("sso.frame_policy.isolated",),
    ),
    _on_pages("site_frames_itself_alone", "policy", "Content-Security-Policy", "frame-src 'self'"),
    _on_pages(
        "site_pages_kept_from_their_scripts", "scripts", "Content-Security-Policy", "script-src 'none'"
    ),
    _on_pages("page_kept_from_asking_its_site", "connect", "Content-Security-Policy", "connect-src 'none'"),
    Fault(
        "tag_of_an_administrator_reloads_the_chat",
        "iframe.document.reloads",
        lambda one: one.setting("Meta_custom", '<meta http-equiv="refresh" content="15">'),
    ),
    Fault(
        "tag_of_an_administrator_forbids_scripts",
        "iframe.document.policy",
        lambda one: one.setting("Meta_custom", f"<meta http-equiv={_CSP} content=\"script-src 'self'\">"),
    ),
    Fault(
        "page_asks_https_of_its_frame", "sso.frame_policy.upgraded", _upgraded, ("sso.frame_policy.upgraded",)
    ),
    _on_pages("site_frames_nobody", "policy", "Content-Security-Policy", "default-src 'self'; img-src *"),
    _on_pages("site_pages_isolated", "isolated", "Cross-Origin-Embedder-Policy", "require-corp"),
    Fault(
        "chat_sandboxed_by_a_proxy",
        "iframe.document.sandboxed",
        lambda one: one.ruled("chat", reply_with(_rooms, "Content-Security-Policy", "sandbox")),
    ),
    Fault(
        "chat_sent_as_a_download",
        "iframe.document.attachment",
        lambda one: one.ruled("chat", reply_with(_rooms, "Content-Disposition", "attachment")),
    ),
)
