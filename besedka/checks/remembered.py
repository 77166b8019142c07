"""A session that some of the site's processes know, and others do not: people are signed in now and then."""

from __future__ import annotations

from contextlib import suppress

import requests

from besedka.checks import bursts
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, answer, finding
from besedka.checks.visitors import visitor
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError

# Of two processes one is missed once in a thousand times, whether they take turns or are drawn.
_ASKS = 11
_SENT_AWAY = {301, 302, 303, 307, 308, 401}
FIX = (
    "The site's processes or machines do not share sessions. Is SESSION_ENGINE a cache in each one's memory "
    "(LocMemCache) or files of each machine? Keep sessions in the database, or in one cache for all (Redis).",
    "Has each process a SECRET_KEY or a database of its own, for example a key that is made at each start? "
    "Give all of them the same.",
)


@check("sso.remembered", codes="flickers", needs=["sso.user"])
def remembered(examination: Examination) -> Answer:
    """Does each process of the site know somebody who is signed in?"""
    site, path = visitor(examination).site, examination.contract.site.test_page
    # A page may fail at its first visit alone, which this one is: `sso.test_page` tells of it.
    with suppress(requests.RequestException, ServiceUnreachableError):
        examination.first_visit = site.request("GET", path)
    # A connection that is kept open stays with one process.
    seen = bursts.statuses(lambda: site.request("GET", path, headers={"Connection": "close"}), times=_ASKS)
    away = [status for status in seen if status in _SENT_AWAY]
    found = []
    if away and any(status == 200 for status in seen):
        told = f"{len(away)} of {len(seen)} requests of one session are answered as to a stranger: {away[0]}"
        place = f"GET {examination.contract.site.url}{path}, signed in"
        found = [finding("sso.remembered.flickers", told, "200 to each", place, advice=FIX)]
    return answer(found, evidence=f"{len(seen)} requests")


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (remembered,)
