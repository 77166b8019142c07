"""The authorize view's answer as a browser takes it: a page for a redirect, a window without its opener."""

from __future__ import annotations

from besedka import address
from besedka.checks.content_policy import inline, policies
from besedka.checks.examination import Examination
from besedka.checks.finding import Finding, finding
from besedka.checks.login_page import unframed
from besedka.checks.reloading import led_to
from besedka.checks.visitor import Visitor
from besedka.rocketchat import provider

_FIX = (
    "Let the view answer 302 with Location, as oauth2_provider's AuthorizationView does: a page has to load "
    "first, and a policy or a slow browser stops it."
)


def found(examination: Examination, made: Visitor, place: str) -> list[Finding]:
    """The finding `page`, or `unshown` where the frame or the policy of the page keeps it from leading on."""
    page = made.authorized
    led = led_to(page, provider.redirect_uri(examination.contract)) if page is not None else None
    if page is None or led is None or page.is_redirect:
        return []
    by, expected = led[1], "302 with Location"
    stopped = unframed(examination, page)
    for policy in policies([page.headers.get("Content-Security-Policy", "")]):
        if by == "script" and not inline(policy, "script"):
            stopped = stopped or "Content-Security-Policy lets no script of the page run"
    if stopped:
        seen = f"200 with a page that leads on by {by}, and {stopped}"
        return [finding("sso.authorize.unshown", seen, expected, place, advice=(_FIX,))]
    seen = f"200 with a page that leads on by {by}"
    return [finding("sso.authorize.page", seen, expected, place, advice=(_FIX,))]


def without_opener(examination: Examination, made: Visitor, place: str) -> list[Finding]:
    """A window of its own that may not know who opened it never hands the log-in over.

    https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies: each answer on the way
    counts, on https and on loopback. Meteor, packages/oauth/end_of_popup_response.js, needs the opener.
    """
    site = examination.contract.site.url
    trusted = site.startswith("https:") or address.is_loopback(address.host(site))
    if examination.contract.provider.login_style != "popup" or not trusted:
        return []
    headers = made.authorized.headers if made.authorized is not None else {}
    told = headers.get("Cross-Origin-Opener-Policy", "").partition(";")[0].strip().lower()
    if told in {"", "unsafe-none"}:
        return []
    fix = (
        "Set SECURE_CROSS_ORIGIN_OPENER_POLICY = None at the site, and send no such header from a proxy; or "
        'set login_style = "redirect" in [provider] of besedka.toml, and provision.'
    )
    seen, code = f"Cross-Origin-Opener-Policy: {told}, and login_style is popup", "sso.authorize.opener"
    return [finding(code, seen, "no such header", place, advice=(fix,))]
