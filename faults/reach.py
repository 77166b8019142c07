"""Faults on the way to the chat that only a browser meets: sockets, https, sandboxes and policies."""

from __future__ import annotations

from faults.fault import Fault
from faults.proxy import Request
from faults.rules import refuses_sockets, reply_with, rewritten


def _site_page(request: Request) -> bool:
    return request.path.startswith("/chat/") and not request.path.startswith("/chat/api/")


def _rooms(request: Request) -> bool:
    return request.path.startswith(("/channel/", "/group/"))


_FRAME = "<iframe "


def _on_pages(name: str, kind: str, header: str, value: str) -> Fault:
    """A header on both chat pages of the site."""
    cause = f"sso.frame_policy.{kind}"
    rule = reply_with(_site_page, header, value)
    return Fault(name, cause, lambda one: one.ruled("site", rule), (cause,))


FAULTS = (
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
