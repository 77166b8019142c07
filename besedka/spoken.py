"""In which language a site answers below a path, as Django's `i18n_patterns` puts one before each page.

Two letters alone tell nothing: `/id/login/` may be of an identity, and `/my/login/` of nobody from Burma. The
site's own answer decides: its Content-Language, which Django's LocaleMiddleware adds, else its `<html lang>`.
Where it says neither, the letters are all there is.
"""

from __future__ import annotations

import re

import requests

from besedka import address, http

_LANG = re.compile(r"<html\b[^>]*?\slang\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
# The log-in's own address, and what the site said of it.
_KNOWN: dict[str, str] = {}


def of_answer(path: str, answer: requests.Response) -> str:
    """The language that the path begins with, if that is the answer's; empty where it begins with none."""
    written = address.language(path)
    said = answer.headers.get("Content-Language", "")
    if not said and (found := _LANG.search(answer.text if written else "")):
        said = found[1]
    # Several stand between commas, of a page for several readers (RFC 9110, 8.5).
    answered = {one.strip().lower().partition("-")[0] for one in said.split(",")}
    return written if not said or written.lower().partition("-")[0] in answered else ""


def of_page(url: str, path: str, *, timeout: float) -> str:
    """The same of a page of the site at `url`, which is asked once; the letters count where it says none."""
    written, where = address.language(path), f"{url}{path}"
    if not written or where in _KNOWN:
        return _KNOWN.get(where, "")
    try:
        answer = http.get(where, timeout=timeout, allow_redirects=False)
    except requests.RequestException:
        return written
    spoken = of_answer(path, answer)
    if answer.ok:
        _KNOWN[where] = spoken
    return spoken


def without(path: str, language: str) -> str:
    """The path without that language, if it begins with one."""
    return path.removeprefix(f"/{language}") if language else path
