"""Cookies of the site that answers of the chat take the place of: to a browser, ports are one host."""

from __future__ import annotations

from besedka import address
from besedka.checks.check import Check, check
from besedka.checks.cookies import cookies_of
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, answer, finding
from besedka.checks.visitors import visitor
from besedka.contract import Contract

_FIX = (
    "Take that Set-Cookie out of what stands before the chat (a cookie of a load balancer), or give the "
    "site's cookies other names: SESSION_COOKIE_NAME and CSRF_COOKIE_NAME."
)


@check("sso.cookies", codes="overwritten", needs=["sso.user", "services.chat"])
def cookies(examination: Examination) -> Answer:
    """Does the chat leave the site's cookies alone?

    https://www.rfc-editor.org/rfc/rfc6265#section-8.5: cookies are not kept apart by port.
    """
    contract = examination.contract
    site, chat = (address.host(url) for url in (contract.site.url, contract.chat.url))
    own = visitor(examination).site.session_cookies()
    found: list[Finding] = []
    for path in (contract.default_channel.path, f"/_oauth/{contract.provider.name}?error=access_denied"):
        for cookie in cookies_of(examination.chat_page(path)):
            reached = site in {cookie.domain or chat} or (
                cookie.domain and site.endswith(f".{cookie.domain}")
            )
            if cookie.name in own and reached and cookie.path == "/" and not found:
                seen = f"the chat sets {cookie.name}, which is the site's: who opens the chat is signed out"
                place, code = f"GET {contract.chat.url}{path.partition('?')[0]}", "sso.cookies.overwritten"
                found.append(finding(code, seen, "cookies of its own", place, advice=(_FIX,)))
    return answer(found, evidence=", ".join(sorted(own)))


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (cookies,)
