"""Headers of every answer, by settings, live (`app/cors/server/cors.ts`)."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standins.rocketchat.settings import Settings

# Of `window.close()`, which the CAS pop-up runs.
_CLOSE = "'sha256-jqxtvDkBbRAl9Hpqv68WdNOieepg8tJSYu1xIy7zT34='"


def policy(settings: Settings) -> str:
    """The Content-Security-Policy. It has no frame-ancestors: X-Frame-Options is the only gate."""
    extra = str(settings.get("Extra_CSP_Domains") or "").replace("\n", " ").replace(",", " ").split()
    prefix = str(settings.get("CDN_PREFIX") or "")
    parts = {
        "default-src": ["'self'", prefix],
        "connect-src": ["*"],
        "font-src": ["'self'", prefix, "data:"],
        "frame-src": ["*"],
        "img-src": ["* data: blob:"],
        "media-src": ["* data:"],
        "script-src": ["'self' 'unsafe-eval'", _CLOSE, prefix, *extra],
        "style-src": ["'self' 'unsafe-inline'", prefix],
    }
    return "; ".join(f"{name} {' '.join(filter(None, values))}" for name, values in parts.items())


class SecurityHeaders:
    """ASGI middleware; without `Iframe_Restrict_Access` there is no X-Frame-Options at all."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers, get = MutableHeaders(scope=message), self.settings.get
                # The real server names none; an attached suite must not take this one for the real one.
                # Not in `Server`, which a proxy replaces by its own name.
                headers["X-Stand-In"] = "Rocket.Chat stand-in"
                headers["X-XSS-Protection"] = "1"
                headers["X-Content-Type-Options"] = "nosniff"
                # SockJS answers before the handlers that set it (measured on 6.13.0).
                if get("Iframe_Restrict_Access") and not scope["path"].startswith("/sockjs/"):
                    headers["X-Frame-Options"] = str(get("Iframe_X_Frame_Options"))
                if get("Enable_CSP") and "content-security-policy" not in headers:
                    headers["Content-Security-Policy"] = policy(self.settings)
                referrer = get("Default_Referrer_Policy")
                if referrer and "text/html" in headers.get("content-type", ""):
                    headers["Referrer-Policy"] = str(referrer)
            await send(message)

        await self.app(scope, receive, with_headers)
