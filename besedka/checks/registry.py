"""The list of checks: declared where they are written, asked in the order of their layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from besedka.checks.finding import Answer
from besedka.errors import BesedkaError

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

# The service that a check asks may fall silent under any of them.
UNANSWERED = "unanswered"

Ask = Callable[["Examination"], Answer]


class UnknownCheckError(BesedkaError):
    """`--check` names a check that does not exist."""

    exit_status = 31


@dataclass(frozen=True)
class Check:
    """One question about a stack.

    `needs` is its ground: it is blocked when one of these is broken, and skipped when one was skipped.
    `after` only blocks: a check that was skipped says nothing against going on. `kinds` are the ends of the
    codes of its findings.
    """

    name: str
    layer: str
    question: str
    ask: Ask
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that a finding of this check may have."""
        return tuple(f"{self.name}.{kind}" for kind in dict.fromkeys((*self.kinds, UNANSWERED)))


_CHECKS: dict[str, Check] = {}


def check(
    name: str, *, layer: str, codes: str = "", needs: Iterable[str] = (), after: Iterable[str] = ()
) -> Callable[[Ask], Ask]:
    """Declare a check; the docstring's first line is the question it asks, `codes` the kinds of findings."""

    def declare(ask: Ask) -> Ask:
        question = (ask.__doc__ or "").strip().partition("\n")[0]
        register(Check(name, layer, question, ask, tuple(needs), tuple(after), tuple(codes.split())))
        return ask

    return declare


def register(new: Check) -> None:
    """Add a check; its layer must exist, its name must be new."""
    if new.layer not in LAYERS:
        raise ValueError(f"check {new.name!r} is in layer {new.layer!r}, which does not exist")
    if new.name in _CHECKS:
        raise ValueError(f"check {new.name!r} is declared twice")
    _CHECKS[new.name] = new


def names(*, layer: str | None = None) -> tuple[str, ...]:
    """Names of the checks declared so far, of one layer if given."""
    return tuple(name for name, found in _CHECKS.items() if layer in (None, found.layer))


def all_checks() -> tuple[Check, ...]:
    """Every declared check, layer by layer, and each after its grounds."""
    ordered: dict[str, Check] = {}

    def place(name: str, wanted_by: str) -> None:
        if name not in _CHECKS:
            raise ValueError(f"check {wanted_by!r} stands on {name!r}, which is not declared")
        for ground in (*_CHECKS[name].needs, *_CHECKS[name].after):
            if ground not in ordered:
                place(ground, name)
        ordered.setdefault(name, _CHECKS[name])

    for name in sorted(_CHECKS, key=lambda name: LAYERS.index(_CHECKS[name].layer)):
        place(name, name)
    return tuple(ordered.values())


def with_grounds(wanted: Iterable[str]) -> tuple[Check, ...]:
    """The named checks and everything they stand on, ground first. Raises UnknownCheckError.

    A name may also be a layer, or the beginning of names up to a dot.
    """
    chosen: set[str] = set()
    for pattern in wanted:
        found = [
            name
            for name, known in _CHECKS.items()
            if pattern in {name, known.layer} or name.startswith(f"{pattern}.")
        ]
        if not found:
            raise UnknownCheckError(
                f"there is no check named {pattern!r}",
                expected="the name of a check or of a layer",
                where="--check",
                next_step="besedka doctor --list",
            )
        chosen.update(found)
    pending = list(chosen)
    while pending:
        current = _CHECKS[pending.pop()]
        for ground in (*current.needs, *current.after):
            if ground not in chosen:
                chosen.add(ground)
                pending.append(ground)
    return tuple(known for known in all_checks() if known.name in chosen)
