"""Whether the site is ready, and its version: by its status page, or by its home page where it has none.

A home page tells nothing of whose it is: `recognise` looks for marks of the contract's site.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from besedka import address, http, spoken
from besedka.adapter import AdapterRowError
from besedka.contract import Contract, Site
from besedka.errors import ServiceUnreachableError
from besedka.login_form import LoginForm

UNKNOWN = "unknown"
# No such page, or not for strangers.
_ANOTHER = {401, 403, 404}
_REFUSED = {400, 401, 403}


def expected(site: Site) -> str:
    """What a ready site answers, in words."""
    path = site.adapter.status_place
    return f'GET {path} with {{"status": "ok"}}' if path else "GET / with a page"


def version(site: Site, *, timeout: float) -> str:
    """The version it says, or `unknown`. Raises ServiceUnreachableError where nothing usable answers."""
    return str(_said(site, timeout).get("version", UNKNOWN))


def ready(site: Site, *, timeout: float) -> bool:
    """Whether it says so."""
    with suppress(ServiceUnreachableError):
        return bool(_said(site, timeout).get("status") == "ok")
    return False


def recognise(contract: Contract, *, timeout: float) -> None:
    """Raise ServiceUnreachableError where another program listens at the site's address.

    Three addresses are looked at: log-in, authorize, chat page. A mistake of the site's own spoils one of
    them. A program that shows two of them wrongly is not the site. A server's error tells nothing.
    """
    site = contract.site
    login = _answer(site, f"{site.url}{site.login_path}", timeout)
    by_call = site.adapter.login_call is not None and login.ok
    asked = {site.login_path: login.status_code >= 500 or by_call or LoginForm.of(login).found}
    seen = [login]
    for path in (contract.provider.authorize_path, site.test_page):
        answer = _answer(site, f"{site.url}{path}", timeout)
        # One refusal for every address is a program's that knows none of them.
        alike = answer.status_code == login.status_code in _REFUSED
        asked[path] = not alike and _keeps_strangers_out(site, answer)
        seen.append(answer)
    if sum(asked.values()) >= len(asked) - 1:
        return
    statuses = ", ".join(f"{path}: {one.status_code}" for path, one in zip(asked, seen, strict=True))
    server = seen[0].headers.get("Server", "")
    raise ServiceUnreachableError(
        f"another program answers in place of the site: {statuses}{f' ({server})' if server else ''}",
        expected="a form at the log-in; authorize and the chat page lead strangers there",
        where=site.url,
        next_step="stop that program, or correct the site's address (--site-url) and its paths in [site]",
    )


def _keeps_strangers_out(site: Site, answer: requests.Response) -> bool:
    """Whether that is how an address for members alone answers a stranger, or a server's error."""
    if answer.is_redirect:
        target = urlsplit(urljoin(answer.url, answer.headers["Location"])).path
        # Of another program nothing is known: here the letters do, for a page in another language.
        plain = [
            spoken.without(path, address.language(path))
            for path in (site.login_path, target.removeprefix(address.path(site.url)))
        ]
        return plain[0] == plain[1]
    has_form = answer.ok and bool(LoginForm.of(answer).password_field)
    return has_form or answer.status_code in _REFUSED or answer.status_code >= 500


def is_another_page(site: Site, answer: requests.Response) -> bool:
    """Whether the usual place, which no row names, answers as an address that another site does not have.

    Such sites say 404, show a page of their own to everybody, or ask for a log-in first.
    """
    if site.adapter.status_path:
        return False
    if answer.is_redirect:
        # What leads to itself is a mistake of a proxy, and no page.
        target = urljoin(answer.url, answer.headers["Location"])
        return target != answer.url and target.startswith(f"{site.url}/")
    page = answer.headers.get("Content-Type", "").startswith("text/html")
    return answer.status_code in _ANOTHER or (answer.ok and page)


def is_site(home: requests.Response) -> bool:
    """Whether that is how a site's home page answers, should it have none, or none for strangers."""
    return home.status_code < 400 or home.status_code in _ANOTHER


def _answer(site: Site, where: str, timeout: float) -> requests.Response:
    language = spoken.of_page(site.url, site.login_path, timeout=timeout)
    try:
        told = {"Accept-Language": language} if language else {}
        return http.get(where, timeout=timeout, allow_redirects=False, headers=told)
    except requests.RequestException as error:
        raise ServiceUnreachableError(
            f"the site did not answer: {http.silence(error)}", expected=expected(site), where=where
        ) from error


def _said(site: Site, timeout: float) -> dict[str, Any]:
    """The status page's answer; of a site that has none, what its home page comes to."""
    path = site.adapter.status_place
    where = f"{site.url}{path or '/'}"
    answer = _answer(site, where, timeout)
    if site.adapter.status_path and answer.status_code == 404:
        raise AdapterRowError("adapter.status_path", path, f"{where} answers 404", expected=expected(site))
    if (not path or is_another_page(site, answer)) and is_site(_answer(site, f"{site.url}/", timeout)):
        return {"status": "ok"}
    with suppress(ValueError):
        said = answer.json()
        if path and isinstance(said, dict):
            return said
    kind = answer.headers.get("Content-Type", "no content type")
    raise ServiceUnreachableError(
        f"the site is not ready: {answer.status_code} with {kind}",
        expected=expected(site),
        where=where,
        next_step="read the site's log; is it the site that listens there?",
    )
