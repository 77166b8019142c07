"""Layer `integrity`: names of the contract that Rocket.Chat takes, and that nobody can type."""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Severity, answer, finding
from besedka.contract import Contract
from besedka.look_alikes import mixed


@check("integrity.contract_names", codes="mixed")
def contract_names(examination: Examination) -> Answer:
    """Is each name of a user and of a room of one alphabet?"""
    contract = examination.contract
    rows = {
        f"users.{number} ({one.username}).username": one.username
        for number, one in enumerate(contract.users, 1)
    }
    rows |= {
        f"channels.{number} ({one.name}).name": one.name for number, one in enumerate(contract.channels, 1)
    }
    fix = (
        "Type the name anew in besedka.toml, and rename the account or the room. Who types it as it looks "
        "finds nobody."
    )
    found = [
        finding(
            "integrity.contract_names.mixed",
            f"{name!r} is of two alphabets: {odd}",
            "a name of one alphabet",
            f"besedka.toml, {row}",
            advice=(fix,),
            severity=Severity.RISK,
        )
        for row, name in rows.items()
        if (odd := mixed(name))
    ]
    return answer(found, evidence=f"{len(rows)} names")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (contract_names,)
