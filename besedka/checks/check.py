"""What a check is: one question about a stack, and what it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from besedka.checks.finding import Answer

if TYPE_CHECKING:
    from besedka.checks.examination import Examination

# From the ground up: a cause is looked for in the first layer that has one.
LAYERS = (
    "services",
    "site",
    "application",
    "provider",
    "login_service",
    "iframe",
    "integrity",
    "rooms",
    "sso",
)
# One check per setting of the contract; they decide what the frame shows.
_LAYER_OF = {"setting": "iframe"}

# The service that a check asks may fall silent under any of them.
UNANSWERED = "unanswered"

Ask = Callable[["Examination"], Answer]


def layer_of(name: str) -> str:
    """The layer of the check of that name. ValueError if there is no such layer."""
    first = name.partition(".")[0]
    layer = _LAYER_OF.get(first, first)
    if layer not in LAYERS:
        raise ValueError(f"{name!r} is in layer {layer!r}, which does not exist")
    return layer


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question about a stack. The name begins with its layer.

    `needs` is its ground: it is blocked when one of these is broken, and skipped when one was skipped.
    `after` only blocks: a check that was skipped says nothing against going on. `kinds` are the ends of the
    codes of its findings.
    """

    name: str
    question: str
    ask: Ask
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def layer(self) -> str:
        """Where it stands in the order of the layers."""
        return layer_of(self.name)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that a finding of this check may have."""
        return tuple(f"{self.name}.{kind}" for kind in dict.fromkeys((*self.kinds, UNANSWERED)))


def check(
    name: str, *, codes: str = "", needs: Iterable[str] = (), after: Iterable[str] = (), question: str = ""
) -> Callable[[Ask], Check]:
    """Make a check of a function; its docstring's first line is the question, unless one is given.

    `codes` are the kinds of its findings, separated by spaces.
    """

    def make(ask: Ask) -> Check:
        return Check(
            name=name,
            question=question or (ask.__doc__ or "").strip().partition("\n")[0],
            ask=ask,
            needs=tuple(needs),
            after=tuple(after),
            kinds=tuple(codes.split()),
        )

    return make
