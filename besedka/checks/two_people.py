"""Layer `sso`, identity asked for a second person: who has another's id becomes that one in the chat."""

from __future__ import annotations

from dataclasses import replace

from besedka.checks import sso_identity
from besedka.checks.check import Check, check
from besedka.checks.examination import SERVER_SECONDS, Examination
from besedka.checks.finding import Answer, Ok, Skipped, answer, finding
from besedka.checks.sso import code_for, exchange
from besedka.checks.visitors import holders, visitor
from besedka.contract import Contract
from besedka.rocketchat import identity as identities
from besedka.site import Site


@check("sso.two_people", codes="one_id", needs=["sso.fields", "sso.token"])
def two_people(examination: Examination) -> Answer:
    """Does identity answer another id to another person?"""
    made, own = visitor(examination), examination.contract.provider
    others = [one for one in holders(examination).values() if one.temporary and one.username != made.username]
    first = made.identity.get("id")
    # sso.fields tells of an id that is none.
    if not others or not isinstance(first, str) or not first:
        return Skipped("no second temporary user signs in here")
    # A browser of its own: the other checks sign this person in, too.
    other = replace(others[0], site=Site.of(examination.contract, timeout=SERVER_SECONDS))
    other.site.sign_in(other.username, other.password, email=other.email)
    code, _ = code_for(examination, other, "doctor-state")
    issued = examination.secret(str(exchange(examination, code).fields.get("access_token") or ""))
    modes = {"default": own.token_sent_via}
    mode = modes.get(own.identity_token_sent_via, own.identity_token_sent_via)
    second = (
        identities.read(sso_identity.asked(examination, mode, issued).fields).get("id") if issued else None
    )
    if second is None:
        return Ok("the second token was not answered: the hops tell of it")
    found = []
    if second == first:
        fix = "The view must answer the id of the token's owner: does it answer one id to all?"
        seen, place = f"id is {second!r} for two people", f"GET {own.identity_path}"
        found = [finding("sso.two_people.one_id", seen, "an id of each one's own", place, advice=(fix,))]
    return answer(found, evidence="two ids")


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (two_people,)
