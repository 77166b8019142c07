"""The site's log-in page as a browser takes it: cookies for this host, and a place in the chat's frame."""

from __future__ import annotations

import re

import requests

from besedka import address
from besedka.checks.check import Check, check
from besedka.checks.content_policy import policies, refuses
from besedka.checks.examination import TIMEOUT_SECONDS, Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.contract import Contract
from besedka.site import Site

_CSP, _ANCESTORS = "Content-Security-Policy", "frame-ancestors"
_DOMAIN = re.compile(r";\s*domain=([^;]+)", re.IGNORECASE)


@check("site.login_page", codes="foreign_cookie unframed", needs=["site.login_form"])
def login_page(examination: Examination) -> Answer:
    """Is the log-in page's cookie for this host, and does the page show in the chat's frame?"""
    path = examination.contract.site.login_path
    # Who has the cookie already gets no second one.
    response = Site.of(examination.contract, timeout=TIMEOUT_SECONDS).get(path)
    place = f"GET {examination.contract.site.url}{path}"
    found = [*_foreign_cookies(examination, response, place), *_unframed(examination, response, place)]
    return answer(found, evidence="a cookie for this host, a page that may be framed")


def _foreign_cookies(examination: Examination, response: requests.Response, place: str) -> list[Finding]:
    """Cookies that a browser refuses, because they are for another host (RFC 6265, 5.3, step 6)."""
    host = address.host(examination.contract.site.url)
    found = []
    for header in response.raw.headers.getlist("Set-Cookie"):
        name, domain = header.partition("=")[0], _DOMAIN.search(header)
        wanted = domain[1].strip(" .").lower() if domain else ""
        if wanted and host != wanted and not host.endswith(f".{wanted}"):
            fix = "Take SESSION_COOKIE_DOMAIN and CSRF_COOKIE_DOMAIN out of the site's settings."
            seen = f"the cookie {name} is for {wanted}: a browser at {host} does not keep it"
            code, expected = "site.login_page.foreign_cookie", f"a cookie for {host}"
            found.append(finding(code, seen, expected, place, advice=(fix,)))
    return found


def _unframed(examination: Examination, response: requests.Response, place: str) -> list[Finding]:
    """The log-in page shows inside the chat's frame to whoever's session at the site has ended."""
    site = examination.contract.site.url
    option = response.headers.get("X-Frame-Options", "").strip().lower()
    framing = [policy for policy in policies([response.headers.get(_CSP, "")]) if _ANCESTORS in policy]
    by = next((text for policy in framing if (text := refuses(policy, (_ANCESTORS,), site, site))), "")
    if not by and (framing or option != "deny"):
        return []
    fix = "Set X_FRAME_OPTIONS to SAMEORIGIN at the site, or frame-ancestors to 'self'."
    seen = f"{by or 'X-Frame-Options: DENY'}: the log-in page does not show in the chat's frame"
    code, expected = "site.login_page.unframed", "a page that the site itself may frame"
    return [finding(code, seen, expected, place, advice=(fix,), severity=Severity.RISK)]


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (login_page,)
