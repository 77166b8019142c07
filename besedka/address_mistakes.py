# ruff: noqa: D102 - the tables of a protocol are those of the contract
"""What a contract must not say of addresses, pages and the way in, each with its row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from besedka import address, ways

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PAGES = ("test_page", "integrated_page", "chat_auth_path", "login_path")


class Told(Protocol):
    """The tables of a contract; their rows are those of besedka/contract.py."""

    @property
    def site(self) -> Any: ...
    @property
    def chat(self) -> Any: ...
    @property
    def provider(self) -> Any: ...
    @property
    def proxy(self) -> Any: ...
    @property
    def users(self) -> Any: ...
    @property
    def channels(self) -> Any: ...
    @property
    def settings(self) -> Any: ...


def problems(contract: Told) -> Iterator[str]:
    """One text for each problem, with its row first."""
    yield from _below_the_chat(contract)
    yield from _two_names(contract)
    yield from _alike(contract)
    yield from _told_to_servers(contract)
    provider = contract.provider
    if contract.chat.sso != "iframe-auth" and provider.login_style == "popup" and not provider.show_button:
        yield (
            "provider.show_button: with login_style = 'popup' the button in the chat is what people click; "
            "without it nobody could sign in"
        )
    version = tuple(int(part) for part in (contract.chat.version or "").split(".") if part)
    if contract.chat.sso == "oauth-modern" and version and version < ways.MODERN_FROM:
        told = contract.chat.version
        yield f"chat.sso: 'oauth-modern' came with Rocket.Chat 8.7, and chat.version is {told}"


def _two_names(contract: Told) -> Iterator[str]:
    """Two names of this machine are two sites to a browser: the log-in at one is not seen in a frame of the
    other. By https a cookie may be marked `SameSite=None` for that; by http it may not."""
    site, chat = contract.site.url, contract.chat.url
    here = all(address.is_loopback(address.host(url)) for url in (site, chat))
    by_http = any(url.startswith("http:") for url in (site, chat))
    if here and by_http and not address.same_site(site, chat):
        yield (
            f"chat.url: {address.host(chat)} and {address.host(site)} of site.url are one machine and two "
            "sites to a browser, and the log-in stays behind; write one name in both"
        )


def _told_to_servers(contract: Told) -> Iterator[str]:
    """What Django or HTTP itself takes for something else."""
    site, provider = contract.site, contract.provider
    # `host_validation_re` of django/http/request.py (5.2).
    if "_" in address.host(site.url):
        yield f"site.url: Django answers 400 to a host name with _, such as {address.host(site.url)}"
    if "?" in site.login_path:
        yield f"site.login_path: {site.login_path} holds a query, and visitors bring one of their own"
    # RFC 7617, 2: what follows the first colon is the password.
    if ":" in provider.client_id and provider.token_sent_via == "header":  # noqa: S105 - a way
        yield f"provider.client_id: {provider.client_id!r} has a colon, at which HTTP Basic ends the name"
    if _CONTROL.search(provider.secret):
        yield "provider.client_secret: a line break or a control character goes through no form of a setting"


def _below_the_chat(contract: Told) -> list[str]:
    """On one host the chat's path must leave the site's own pages alone."""
    site, chat, proxy = contract.site, contract.chat, contract.proxy
    row = f"chat.url: {chat.url} is on the site's own host"
    bases = {f"proxy.chat_path: {proxy.chat_path}": proxy.chat_path} if proxy else {}
    if address.origin(site.url) == address.origin(chat.url):
        bases[row] = address.path(chat.url)
    if not bases.get(row, "/"):
        return [f"{row}; give it a port, a host name or a path of its own"]
    return [
        f"{where}, and site.{name} lies below {base}; choose another path"
        for where, base in bases.items()
        for name in _PAGES
        if f"{site.below(getattr(site, name))}/".startswith(f"{base.rstrip('/')}/")
    ][:1]


def _alike(contract: Told) -> Iterator[str]:
    """An address answers one question. Pages of the chat may be one, but not where the site is ours."""
    site, provider = contract.site, contract.provider
    rows = {"site.test_page": site.test_page}
    if site.features.own_urls and site.features.integrated_page:
        rows["site.integrated_page"] = site.integrated_page
    rows["site.login_path"] = site.login_path
    rows |= {
        f"provider.{name}": getattr(provider, name)
        for name in ("authorize_path", "token_path", "identity_path")
    }
    pages, first = set(rows.values()), dict[str, str]()
    calls = {"site.chat_auth_path": site.chat_auth_path if site.features.chat_token else None}
    if site.features.session_endpoint:
        calls["site.adapter.session_path"] = site.adapter.session_path
    rows |= {row: path for row, path in calls.items() if path in pages}
    for row, path in rows.items():
        if first.setdefault(path, row) == row:
            continue
        if row.endswith(".integrated_page"):
            yield f"{row}: a site of one page, {path}, has integrated_page = false in [site.features]"
        else:
            yield f"{row}: {path} is the path of {first[path]} too"
