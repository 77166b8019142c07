"""What Rocket.Chat's server told the browser of a sign-in, and its own client does not show.

A refused log-in leaves the log-in page without a word, and a callback may never answer (measured on 6.13.0).
The client signs in by `method.callAnon/login`, which answers 200 with the refusal inside.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, Page, Request, Response

_LOG_IN = re.compile(r"/api/v1/method\.call(Anon)?/login$")
_CALLBACK = "/_oauth/"
# Rocket.Chat's code → what it means here.
_MEANS = {
    "too-many-requests": "five log-ins in ten seconds are the most that one address may ask for",
    "totp-required": "it wants a second factor, and SSO has no place to enter its code "
    "(Accounts_TwoFactorAuthentication_Enabled)",
    "error-user-is-not-activated": "the account is switched off in Rocket.Chat",
    "error-login-blocked-for-ip": "too many log-ins have failed from this address",
}
_SILENT = "why, it tells nobody: doctor reads it in its database"


class Refusals:
    """Listens to one page and its frames from now on."""

    def __init__(self, page: Page, chat_url: str) -> None:
        self._chat_url = chat_url
        self._said = ""
        self._asked: dict[Request, float] = {}
        page.on("request", self._begun)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    def sentence(self) -> str:
        """The last refusal, or the callback that is still waited for; nothing where there was neither."""
        if self._asked:
            seconds = time.monotonic() - min(self._asked.values())
            return (
                f"Rocket.Chat's callback has not answered for {seconds:.0f} s: its server waits for the "
                "site's token or identity address, or login_style is neither popup nor redirect"
            )
        return f"Rocket.Chat refused the log-in: {self._said}" if self._said else ""

    def _begun(self, request: Request) -> None:
        if request.url.startswith(self._chat_url + _CALLBACK):
            self._asked[request] = time.monotonic()

    def _failed(self, request: Request) -> None:
        self._asked.pop(request, None)

    def _answered(self, response: Response) -> None:
        self._asked.pop(response.request, None)
        path = response.url.partition("?")[0]
        if not path.startswith(self._chat_url) or not _LOG_IN.search(path):
            return
        # A page that has gone on keeps no bodies.
        with suppress(Error, ValueError):
            self._said = refusal(response.json())


def refusal(answer: Any) -> str:
    """What an answer of `method.callAnon/login` refuses, in words; nothing where it lets somebody in."""
    told = json.loads(answer["message"]) if isinstance(answer, dict) and "message" in answer else {}
    if "error" not in told:
        return ""
    error = told["error"] if isinstance(told["error"], dict) else {}
    code, reason = str(error.get("error") or ""), str(error.get("reason") or "")
    if code in _MEANS:
        return f"{_MEANS[code]} ({code})"
    return f"{code} {reason}".strip() or _SILENT
