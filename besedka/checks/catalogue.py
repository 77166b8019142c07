"""All checks of a contract, in the order in which they are asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from besedka.checks import (
    application,
    callback_page,
    calls,
    chat_document,
    client_runtime,
    contract_names,
    customised,
    frame_policy,
    framed,
    front,
    iframe,
    iframe_auth,
    integrity_kinds,
    integrity_links,
    integrity_locks,
    integrity_mapping,
    integrity_people,
    integrity_rooms,
    integrity_settings,
    login_page,
    login_service,
    overwritten,
    pace,
    provider,
    reach,
    remembered,
    rooms,
    services,
    services_chat,
    sign_out,
    site,
    sso,
    sso_chat,
    sso_pages,
    sso_roles,
    sso_user,
    two_people,
    writing,
)
from besedka.checks.check import LAYERS, Check
from besedka.contract import Contract
from besedka.errors import BesedkaError

# Each has `checks(contract)`.
_MODULES = (
    services,
    services_chat,
    calls,
    reach,
    front,
    site,
    login_page,
    framed,
    application,
    provider,
    login_service,
    iframe,
    integrity_settings,
    integrity_people,
    integrity_kinds,
    integrity_rooms,
    integrity_mapping,
    integrity_links,
    integrity_locks,
    contract_names,
    rooms,
    writing,
    sso_user,
    overwritten,
    remembered,
    sso,
    two_people,
    sso_pages,
    iframe_auth,
    sso_roles,
    sso_chat,
    customised,
    pace,
    chat_document,
    client_runtime,
    callback_page,
    frame_policy,
    sign_out,
)


class UnknownCheckError(BesedkaError):
    """`--check` names a check that does not exist."""

    exit_status = 31


def checks_for(contract: Contract) -> tuple[Check, ...]:
    """Every check of this contract, layer by layer, and each after its grounds."""
    return ordered(one for module in _MODULES for one in module.checks(contract))


def ordered(checks: Iterable[Check]) -> tuple[Check, ...]:
    """These checks, layer by layer, and each after its grounds.

    Raises ValueError when two have one name, and when one stands on a check that is not among them.
    """
    known: dict[str, Check] = {}
    for one in checks:
        if one.name in known:
            raise ValueError(f"check {one.name!r} is declared twice")
        known[one.name] = one
    placed: dict[str, Check] = {}

    def place(name: str, wanted_by: str) -> None:
        if name not in known:
            raise ValueError(f"check {wanted_by!r} stands on {name!r}, which is not declared")
        for ground in (*known[name].needs, *known[name].after):
            if ground not in placed:
                place(ground, name)
        placed.setdefault(name, known[name])

    for name in sorted(known, key=lambda name: LAYERS.index(known[name].layer)):
        place(name, name)
    return tuple(placed.values())


def with_grounds(checks: tuple[Check, ...], wanted: Iterable[str]) -> tuple[Check, ...]:
    """The named checks and everything they stand on, in the given order. Raises UnknownCheckError.

    A name may also be a layer, or the beginning of names up to a dot.
    """
    chosen: set[str] = set()
    for pattern in wanted:
        found = {
            one.name
            for one in checks
            if pattern in {one.name, one.layer} or one.name.startswith(f"{pattern}.")
        }
        if not found:
            names = [*dict.fromkeys(one.layer for one in checks), *(one.name for one in checks)]
            near = ", ".join(difflib.get_close_matches(pattern, names, 3))
            raise UnknownCheckError(
                f"there is no check named {pattern!r}",
                expected="the name of a check or of a layer",
                where="--check",
                next_step=f"did you mean {near}? See besedka doctor --list"
                if near
                else "besedka doctor --list",
            )
        chosen |= found
    for one in reversed(checks):
        if one.name in chosen:
            chosen.update((*one.needs, *one.after))
    return tuple(one for one in checks if one.name in chosen)
