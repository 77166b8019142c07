"""The settings of Rocket.Chat that follow from how people are signed in, `[chat] sso` of the contract."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from besedka import address

# The server-side flow of 8.7 (`apps/meteor/server/settings/oauth.ts`); before that there is no such setting.
MODERN_FLOW = "Accounts_OAuth_Use_Modern_Flow"
MODERN_FROM = (8, 7)
# What our own probes prove themselves by (RFC 7636, 4.1): a code is spent at once, so one is as good as many.
_VERIFIER = "besedka-asks-as-the-server-side-flow-does-0123456789"
# Addresses of the site that Rocket.Chat's page asks and shows (`client/views/root/hooks/useIframe.ts`).
ADDRESSES = ("Accounts_iframe_url", "Accounts_Iframe_api_url")

# Lists of origins that may command the chat and hear from it.
ORIGINS = ("Iframe_Integration_receive_origin", "Iframe_Integration_send_target_origin")


def verifier(sso: str) -> str:
    """The PKCE verifier of a probe on that way; empty where Rocket.Chat sends no challenge."""
    return _VERIFIER if sso == "oauth-modern" else ""


def challenge(verifier: str) -> dict[str, str]:
    """What the authorization request says of it; nothing for an empty one."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return {"code_challenge": digest, "code_challenge_method": "S256"} if verifier else {}


def moved(settings: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The settings that name the site, for a site that has moved from the one address to the other."""
    origins = {name: address.moved_origins(settings[name], old, new) for name in ORIGINS if name in settings}
    places = {name: address.moved(str(settings[name]), old, new) for name in ADDRESSES if name in settings}
    return origins | places


def settings(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Setting id → value for a contract as it was read; nothing where its rows are not there."""
    way, site = contract["chat"].get("sso"), contract.get("site")
    if way == "oauth-modern":
        return {MODERN_FLOW: True}
    if way != "iframe-auth" or not isinstance(site, Mapping):
        return {}
    url = str(site.get("url", ""))
    return {
        "Accounts_iframe_enabled": True,
        "Accounts_iframe_url": address.normal(url) + address.encoded(site.get("login_path", "/")),
        "Accounts_Iframe_api_url": address.normal(url) + address.encoded(site.get("chat_auth_path", "/")),
        # A browser sends it without asking first, and Django demands no token for it.
        "Accounts_Iframe_api_method": "GET",
    }
