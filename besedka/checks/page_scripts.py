"""The scripts of a page with all that they import, as a browser would fetch them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urljoin

import requests

from besedka import address
from besedka.site import Site

_IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")
_DIGESTS = ("sha256", "sha384", "sha512")
# `createElement("iframe")`, what JSX and templates of components become, and HTML in a text; no look for one.
_MAKES_FRAME = re.compile(
    r"""(?<!querySelector)(?<!querySelectorAll)(?<!ByTagName)(?<!closest)(?<!matches)"""
    r"""\(\s*["'`]iframe["'`]\s*[,)]|<iframe\b"""
)


class Once:
    """A visitor who asks each address once: browsers keep scripts and styles from one page to the next."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._had: dict[str, requests.Response] = {}

    def get(self, address: str) -> requests.Response:
        """What the address has answered."""
        if address not in self._had:
            self._had[address] = self._site.get(address)
        return self._had[address]


def scripts(
    site: Site | Once, address_of_page: str, sources: list[str], inline: list[str], modules: Collection[str]
) -> tuple[dict[str, str], list[str]]:
    """Address → text of the page's scripts with all that they import, and what could not be had.

    A script in the page itself has the page's address and its place there. `modules` are those of `sources`
    that are modules, as all that is imported is.
    """
    classic = {urljoin(address_of_page, source) for source in sources if source not in modules}
    texts = {f"{address_of_page} script {number}": text for number, text in enumerate(inline, 1)}
    missing: list[str] = []
    pending = [urljoin(address_of_page, source) for source in sources]
    # A script of another host is another's: what it says to the chat stands on the site's own pages.
    pending = [one for one in pending if address.origin(one) == address.origin(address_of_page)]
    pending += [source for text in inline for source in _imported(address_of_page, text)]
    while pending:
        source = pending.pop()
        if source in texts or source in missing:
            continue
        text = _script(site, source, classic=source in classic)
        if text is None:
            missing.append(source)
            continue
        texts[source] = text
        pending += _imported(source, text)
    return texts, missing


def refused(texts: Mapping[str, str], address_of_page: str, digests: Mapping[str, str]) -> list[str]:
    """Scripts that a browser does not run: the page wants others, by `integrity`.

    https://www.w3.org/TR/sri-1/: the strongest kind of digest counts, and one of that kind has to fit.
    """
    found = []
    for source, wanted in digests.items():
        text = texts.get(urljoin(address_of_page, source))
        told = [word.partition("-")[::2] for word in wanted.split() if word.partition("-")[0] in _DIGESTS]
        if text is None or not told:
            continue
        kind = max((kind for kind, _ in told), key=_DIGESTS.index)
        made = base64.b64encode(hashlib.new(kind, text.encode()).digest()).decode()
        if all(digest.partition("?")[0] != made for name, digest in told if name == kind):
            found.append(source)
    return found


def makes_frame(texts: Mapping[str, str]) -> bool:
    """Whether one of these scripts makes a frame, which the page's HTML need not hold then."""
    return any(_MAKES_FRAME.search(text) for text in texts.values())


def _script(site: Site | Once, address: str, *, classic: bool) -> str | None:
    response = site.get(address)
    if response.status_code != 200 or not _runs(response.headers, classic=classic):
        return None
    response.encoding = "utf-8"
    return response.text


def _runs(headers: Mapping[str, str], *, classic: bool) -> bool:
    """Whether a browser runs that as a script: one that is no module of nearly any type, but for `nosniff`.

    https://fetch.spec.whatwg.org/#should-response-to-request-be-blocked-due-to-mime-type?. HTML is run, too,
    and is no script.
    """
    told = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if told.endswith(("javascript", "ecmascript")):
        return True
    sniffed = "nosniff" not in headers.get("X-Content-Type-Options", "").lower()
    return (
        classic and sniffed and not told.startswith(("image/", "audio/", "video/", "text/csv", "text/html"))
    )


def _imported(address: str, text: str) -> Iterator[str]:
    for source in _IMPORT.findall(text):
        yield urljoin(address, source)
