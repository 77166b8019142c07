"""An authorize view that hands the code on by a page in place of a redirect: what a browser makes of it."""

from __future__ import annotations

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
