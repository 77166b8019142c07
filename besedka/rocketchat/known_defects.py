"""Releases of Rocket.Chat whose own client breaks an embedded chat, as users reported it.

Each row names the report; none of them was tried here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from besedka.contract import Contract

Version = tuple[int, ...]


@dataclass(frozen=True)
class Defect:
    """What goes wrong from `first` until before `later`, the next release without such reports.

    `login_style` and `sso` are those of the contracts that meet it; empty for all.
    """

    first: Version
    later: Version
    seen: str
    issue: int
    login_style: str = ""
    sso: str = "oauth"


_DEFECTS = (
    Defect(
        (6, 4, 0),
        (6, 4, 6),
        "the log-in by redirect ends on the log-in page again (Firefox, for some in every browser)",
        30956,
        login_style="redirect",
    ),
    Defect(
        (7, 2, 0),
        (7, 3, 2),
        "layout=embedded shows a Join button to members, and it does nothing",
        35291,
        sso="",
    ),
)


def of(version: str, contract: Contract) -> Iterator[Defect]:
    """The defects of a version such as `7.3.1` that this contract would meet."""
    own = tuple(int(part) for part in version.split(".") if part.isdecimal())
    for defect in _DEFECTS:
        concerns = defect.login_style in {"", contract.provider.login_style}
        concerns = concerns and defect.sso in {"", contract.chat.sso}
        if concerns and defect.first <= own < defect.later:
            yield defect
