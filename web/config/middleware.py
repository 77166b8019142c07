"""The site's own middleware: access log, content security policy, static files under ASGI."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

log = logging.getLogger("besedka.access")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class AccessLogMiddleware:
    """One line per request: method, path, names (never values) of the query, status, milliseconds."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        names = ",".join(request.GET)
        log.info(
            "%s %s%s %s %.0fms",
            request.method,
            request.path,
            f" [{names}]" if names else "",
            response.status_code,
            (time.perf_counter() - started) * 1000,
        )
        return response


class ContentSecurityPolicyMiddleware:
    """Everything from this site; frames also from the chat.

    `frame-src` names the site too, because the chat's frame passes through /o/authorize/. `form-action` names
    the chat, because browsers apply it to the redirects that follow the log-in form. Under iframe
    authentication the chat shows the log-in page in a frame of its own.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        parts = urlsplit(settings.BESEDKA.chat_url)
        # Of an address below a path, the origin alone: a source's path ends at the first redirect.
        # No source names an address of IPv6: the grammar has no brackets (CSP level 3, 2.3.1).
        chat = f"{parts.scheme}:" if parts.netloc.startswith("[") else f"{parts.scheme}://{parts.netloc}"
        self.rows = (
            "default-src 'self'",
            "img-src 'self' data:",
            f"frame-src 'self' {chat}",
            f"form-action 'self' {chat}",
            "object-src 'none'",
            "base-uri 'none'",
        )
        self.shown_by = f" {chat}" if settings.BESEDKA.sso == "iframe-auth" else ""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        more = self.shown_by if request.path == resolve_url(settings.LOGIN_URL) else ""
        policy = "; ".join((*self.rows, f"frame-ancestors 'self'{more}"))
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise with whole answers: under ASGI its file streams are read synchronously, with a warning."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file as stream:
                body = stream.read()
        response = HttpResponse(body, status=int(found.status))
        del response["content-type"]
        for name, value in found.headers:
            response[name] = value
        return response
