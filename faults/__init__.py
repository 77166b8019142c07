"""The catalogue of faults: named ways to break a healthy stack, each with the cause doctor must name."""

from __future__ import annotations

from besedka.contract import Contract
from faults import (
    between,
    by_page,
    documents,
    fields,
    frame,
    front,
    hops,
    iframe_auth,
    log_in,
    messages,
    mistaken,
    on_the_page,
    pages,
    provider,
    reach,
    reported,
    restored,
    rooms,
    services,
    settings,
    settings_of_the_site,
    signed_in,
    site,
    told,
    unlike,
    waiting,
    workspace,
    writing,
)
from faults.breakable_stack import BreakableStack
from faults.fault import Fault

__all__ = ["BreakableStack", "Fault", "catalogue"]


def catalogue(contract: Contract) -> tuple[Fault, ...]:
    """Every fault; those of settings and provider rows are made from the contract's own rows.

    Raises ValueError when two faults have one name.
    """
    found = (
        *services.FAULTS,
        *site.FAULTS,
        *pages.FAULTS,
        *log_in.FAULTS,
        *on_the_page.FAULTS,
        *provider.FAULTS,
        *settings.faults(contract),
        *frame.FAULTS,
        *documents.FAULTS,
        *fields.FAULTS,
        *messages.FAULTS,
        *rooms.FAULTS,
        *hops.FAULTS,
        *waiting.FAULTS,
        *iframe_auth.FAULTS,
        *signed_in.FAULTS,
        *restored.FAULTS,
        *reach.FAULTS,
        *front.FAULTS,
        *unlike.FAULTS,
        *writing.FAULTS,
        *workspace.FAULTS,
        *settings_of_the_site.FAULTS,
        *between.FAULTS,
        *told.FAULTS,
        *reported.FAULTS,
        *mistaken.FAULTS,
        *by_page.FAULTS,
    )
    names = [fault.name for fault in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two faults are named {', '.join(twice)}")
    return found
