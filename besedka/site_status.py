"""Whether the site is ready, and its version: by its status page, or by its home page where it has none."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

import requests

from besedka import http
from besedka.adapter import AdapterRowError
from besedka.contract import Site
from besedka.errors import ServiceUnreachableError

UNKNOWN = "unknown"
# No such page, or not for strangers.
_ANOTHER = {401, 403, 404}


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
    try:
        return http.get(where, timeout=timeout, allow_redirects=False)
    except requests.RequestException as error:
        raise ServiceUnreachableError(
            f"the site did not answer: {type(error).__name__}", expected=expected(site), where=where
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
