"""Whether what answers as Rocket.Chat is Rocket.Chat's own server: what it says of itself, and what it does.

Neither a header nor a bundle's name proves it. Rocket.Chat names its version to anybody (`/api/info`). It
also has three answers that a chat in a page does not need. Servers like it leave them out. An owner's proxy
may hide one of them: two of the three count. Measured on 6.5.3:

- `/_timesync` is the server's clock in milliseconds, as text (server/routes/timesync.ts);
- `livechat/config` says whether Livechat is on (app/livechat/server/api/v1/config.ts);
- a webhook that nobody has made is refused in words of its own (app/integrations/server/api/api.js).
"""

from __future__ import annotations

import re

import requests

from besedka import http

_SECONDS = 10.0
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?(-[\w.]+)?")
_REFUSAL = "Invalid integration id or token provided."
_ENOUGH = 2


def is_rocketchat(chat_url: str) -> bool:
    """Ask the server; nothing is written. False too where it does not answer."""
    version = _json(chat_url, "/api/info").get("version")
    if not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        return False
    answers = _tells_the_time(chat_url), _knows_livechat(chat_url), _refuses_a_webhook(chat_url)
    return sum(answers) >= _ENOUGH


def _tells_the_time(chat_url: str) -> bool:
    answer = _asked(chat_url, "/_timesync")
    return answer is not None and re.fullmatch(r"\d{13}", answer.text.strip()) is not None


def _knows_livechat(chat_url: str) -> bool:
    config = _json(chat_url, "/api/v1/livechat/config").get("config")
    return isinstance(config, dict) and isinstance(config.get("enabled"), bool)


def _refuses_a_webhook(chat_url: str) -> bool:
    return _json(chat_url, "/hooks/besedka/probe", verb="POST").get("error") == _REFUSAL


def _asked(chat_url: str, path: str, *, verb: str = "GET") -> requests.Response | None:
    try:
        with http.session() as session:
            return session.request(verb, f"{chat_url}{path}", timeout=_SECONDS)
    except requests.RequestException:
        return None


def _json(chat_url: str, path: str, *, verb: str = "GET") -> dict[str, object]:
    answer = _asked(chat_url, path, verb=verb)
    try:
        body = answer.json() if answer is not None else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
