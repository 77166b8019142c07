"""What keeps the chat out of its frame for certain, as this server sees it.

A chat page that hears nothing cannot tell a slow chat from one that may not speak, and must accuse nobody by
the clock. Here the chat itself is asked: the header that forbids framing, and the public settings by which it
takes commands and sends events (`apps/meteor/client/startup/iframeCommands.ts`,
`client/lib/utils/fireGlobalEvent.ts`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings as django_settings

from besedka_chat.conf import ChatSettings
from besedka_chat.rocketchat import ChatClient
from besedka_chat.sites import same_site

TIMEOUT_SECONDS = 5.0
# The call by which Rocket.Chat's own client asks for them; `settings.public` differs by version.
_SETTINGS = "/api/v1/method.callAnon/public-settings:get"
_MESSAGE = json.dumps({"msg": "method", "id": "1", "method": "public-settings/get", "params": []})
_SERVICES = "/api/v1/service.configurations"
_SEND, _TARGET = "Iframe_Integration_send_enable", "Iframe_Integration_send_target_origin"
_RECEIVE, _ORIGIN = "Iframe_Integration_receive_enable", "Iframe_Integration_receive_origin"


def found(site: ChatSettings) -> dict[str, list[str]]:
    """`silence`: why the frame can say nothing; `commands`: why it does not do as it is told.

    Each entry is a line in Russian. Empty lists prove nothing: what could not be asked is left out.
    """
    with ChatClient(site.chat_internal_url, TIMEOUT_SECONDS) as chat:
        try:
            page = chat.get("/home")
        except requests.Timeout:
            return {"silence": [], "commands": []}
        except requests.RequestException as error:
            line = f"сервер чата не отвечает ({type(error).__name__}): {site.chat_internal_url}"
            return {"silence": [line], "commands": []}
        settings = _public_settings(chat)
        return {
            "silence": [*_framing(page, site), *_sending(settings, site)],
            "commands": [*_receiving(settings, site), *_way_in(chat, settings, site), *_sites(site)],
        }


def _framing(page: requests.Response, site: ChatSettings) -> Iterator[str]:
    if page.status_code >= 500:
        yield f"сервер чата отвечает ошибкой {page.status_code}"
    options = page.headers.get("x-frame-options", "")
    # Browsers obey no third word, and none at all beside `frame-ancestors` (CSP level 3, 6.4.2.2).
    own = urlsplit(site.site_url)[:2] == urlsplit(site.chat_url)[:2]
    obeyed = {option.strip().lower() for option in options.split(",")} & {"deny", "sameorigin"}
    obeyed -= {"sameorigin"} if own else set()
    if obeyed and "frame-ancestors" not in page.headers.get("content-security-policy", "").lower():
        yield f"Iframe_Restrict_Access = true: чат запрещает показ в окне (X-Frame-Options: {options})"


def _sending(settings: Mapping[str, Any], site: ChatSettings) -> Iterator[str]:
    if settings.get(_SEND) is False:
        yield f"{_SEND} = false"
    target = settings.get(_TARGET)
    if isinstance(target, str) and target not in {"*", site.site_url}:
        yield f"{_TARGET} = {target}, а нужно {site.site_url}"


def _receiving(settings: Mapping[str, Any], site: ChatSettings) -> Iterator[str]:
    if settings.get(_RECEIVE) is False:
        yield f"{_RECEIVE} = false"
    origins = settings.get(_ORIGIN)
    if isinstance(origins, str) and not {"*", site.site_url} & {one.strip() for one in origins.split(",")}:
        yield f"{_ORIGIN} = {origins}, а нужно {site.site_url}"


def _way_in(chat: ChatClient, settings: Mapping[str, Any], site: ChatSettings) -> Iterator[str]:
    if site.sso != "iframe-auth":
        yield from _service(chat, site)
        return
    # Without one of the four Rocket.Chat shows its own form (client/views/root/hooks/useIframe.ts).
    if settings.get("Accounts_iframe_enabled") is False:
        yield "Accounts_iframe_enabled = false"
    for name in ("Accounts_iframe_url", "Accounts_Iframe_api_url"):
        value = settings.get(name)
        if isinstance(value, str) and not value.startswith(site.site_url):
            yield f"{name} = {value or '(пусто)'}, а нужен адрес сайта {site.site_url}"


def _service(chat: ChatClient, site: ChatSettings) -> Iterator[str]:
    try:
        rows = chat.get(_SERVICES).json()["configurations"]
        known = {str(row.get("service")) for row in rows}
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError):
        return
    if site.service not in known:
        yield f"в чате нет входа {site.service!r} (Accounts_OAuth_Custom-…)"


def _sites(site: ChatSettings) -> Iterator[str]:
    """The chat's frame comes back from SSO by another site: a cookie that is Lax or Strict stays behind."""
    cookie = django_settings.SESSION_COOKIE_SAMESITE
    if cookie != "None" and not same_site(site.site_url, site.chat_url):
        yield (
            f"сайт ({urlsplit(site.site_url).hostname}) и чат ({urlsplit(site.chat_url).hostname}) для "
            "браузера разные сайты, и вход на сайт в окне чата не виден: нужен один домен"
        )


def _public_settings(chat: ChatClient) -> dict[str, Any]:
    try:
        answer = chat.post(_SETTINGS, json={"message": _MESSAGE}).json()
        rows = json.loads(answer["message"])["result"]
        rows = rows["update"] if isinstance(rows, dict) else rows
        return {str(row["_id"]): row.get("value") for row in rows}
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return {}
