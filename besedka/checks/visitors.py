"""Who signs in for the SSO hops: temporary users where they can be made, else canonical ones."""

from __future__ import annotations

from besedka.checks import canonical, temporary
from besedka.checks.examination import Examination
from besedka.checks.visitor import Visitor, Visitors
from besedka.contract import Role
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import conditions


def may_sign_in(examination: Examination) -> bool:
    """Whether somebody may: signing in needs no leave, making a temporary user does.

    A stack of our own that is only to be read has its reason for that: see `faults`.
    """
    target = examination.target
    return examination.manage is not None or not target.can_manage or target.kind == "attached"


def holders(examination: Examination) -> dict[Role, Visitor]:
    """Role → a user who has it, for each role that a room is kept for and that somebody has."""
    return _visitors(examination).holders


def visitor(examination: Examination) -> Visitor:
    """The user of the common role who walks the chain, the same at each call."""
    return _visitors(examination).user


def _visitors(examination: Examination) -> Visitors:
    if examination.visitors is None:
        newcomers = examination.manage and not conditions.closed(examination.contract)
        make = temporary.make if newcomers and _is_administered(examination) else canonical.make
        examination.visitors = make(examination)
    return examination.visitors


def _is_administered(examination: Examination) -> bool:
    """Whether Rocket.Chat's administrator can sign in, and so remove the account of a temporary user."""
    try:
        return "admin" in examination.admin.me().get("roles", [])
    except ServiceUnreachableError:
        return False
