"""Layer `sso`, the way out: somebody who is signed in to the site can leave it."""

from __future__ import annotations

import requests

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Ok, Severity, Skipped, answer, finding
from besedka.checks.login_page import said
from besedka.checks.visitors import holders, visitor
from besedka.contract import Contract

_FIX = (
    "Read Daphne's log: the log-out view fails, or something refuses its POST. Is it at "
    "[site.adapter] logout_path of besedka.toml?"
)


@check("sso.sign_out", codes="fails", needs=["sso.user"], after=["sso.buttons"])
def sign_out(examination: Examination) -> Answer:
    """Does the site let somebody go who is signed in?"""
    # Who holds a role and was looked at already, if there is one: the chain's own user is still needed.
    leaving = next((one for one in holders(examination).values() if one.site.session_cookies()), None)
    leaving = leaving or visitor(examination)
    path, site = examination.contract.site.adapter.logout_path, leaving.site
    if site.sign_out() or site.left is None:
        return Ok("the session's cookie is taken back")
    answered = site.left
    if answered.status_code in {401, 403}:
        # A token that stands in a form alone (CSRF_USE_SESSIONS) is not known here.
        return Skipped(f"{answered.status_code} to a log-out by a program")
    if answered.status_code == requests.codes.not_found:
        return Skipped(f"no log-out at {path}: [site.adapter] logout_path of besedka.toml says where it is")
    if answered.status_code < requests.codes.bad_request:
        return Ok(f"{answered.status_code}, and the cookie stays")
    seen = f"{answered.status_code}, and the session goes on: {said(answered)}".rstrip(": ")
    place = f"POST {examination.contract.site.url}{path}, signed in"
    code, expected = "sso.sign_out.fails", "the session ends"
    return answer([finding(code, seen, expected, place, advice=(_FIX,), severity=Severity.RISK)])


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (sign_out,)
