"""What a check answers: ok, findings, or skipped with a reason; blocked and crash are the runner's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from besedka.language import current
from besedka.translation import spoken

MASK = "•••"
DOCS = "docs/doctor.md"


class Status(StrEnum):
    """Outcome of one check."""

    OK = "ok"
    FINDING = "finding"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    CRASH = "crash"


class Severity(StrEnum):
    """How bad a finding is: nobody can work so, somebody may be harmed by it, or it is worth knowing."""

    BROKEN = "broken"
    RISK = "risk"
    NOTE = "note"


@dataclass(frozen=True)
class Where:
    """The place of a finding: a setting with its path in the admin pages, or a plain description."""

    place: str
    setting: str = ""
    path_en: str = ""
    path_ru: str = ""

    def lines(self) -> list[str]:
        """The place as printed, one line per language; a Russian is told the Russian path alone."""
        paths = (self.path_ru,) if current() == "ru" else (self.path_en, self.path_ru)
        return [line for line in (spoken(self.place), *paths) if line]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `code` is stable and begins with the name of the check that found it.

    `commands` can be pasted into a shell at the project's root. `advice` is what a person does, in sentences.
    """

    code: str
    seen: str
    expected: str
    where: Where
    commands: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    severity: Severity = Severity.BROKEN
    evidence: tuple[str, ...] = ()

    @property
    def docs(self) -> str:
        """The page about the check that found it, with the place on that page."""
        return f"{DOCS}#{anchor(self.code.rpartition('.')[0])}"

    @property
    def next_step(self) -> str:
        """The first command, or else the first advice; empty where there is neither."""
        return next(iter((*self.commands, *self.advice)), "")

    def masked(self, secrets: Iterable[str]) -> Finding:
        """The same with every secret blotted out, whichever field it got into."""
        hidden = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

        def blot(text: str) -> str:
            for secret in hidden:
                text = text.replace(secret, MASK)
            return text

        return replace(
            self,
            seen=blot(self.seen),
            expected=blot(self.expected),
            where=Where(*(blot(text) for text in asdict(self.where).values())),
            commands=tuple(map(blot, self.commands)),
            advice=tuple(map(blot, self.advice)),
            evidence=tuple(map(blot, self.evidence)),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"docs": self.docs}


def finding(  # noqa: PLR0913 - all keywords, all optional
    code: str,
    seen: str,
    expected: str,
    where: Where | str,
    *,
    commands: Iterable[str] = (),
    advice: Iterable[str] = (),
    severity: Severity = Severity.BROKEN,
    evidence: Iterable[str] = (),
) -> Finding:
    """A finding, with the place as plain text where it is no setting."""
    place = where if isinstance(where, Where) else Where(where)
    return Finding(code, seen, expected, place, tuple(commands), tuple(advice), severity, tuple(evidence))


def anchor(check: str) -> str:
    """Where the page about checks tells of this one."""
    return check.replace(".", "-").lower()


@dataclass(frozen=True)
class Ok:
    """The check found what it expected. `evidence` is the positive artefact, `watched` names the contract
    values that were compared.
    """

    evidence: str = ""
    watched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """The check could not be asked here; that proves nothing either way."""

    reason: str


@dataclass(frozen=True)
class Findings:
    """One or more findings of one check."""

    found: tuple[Finding, ...]
    watched: tuple[str, ...] = ()


Answer = Ok | Findings | Skipped


def answer(found: Iterable[Finding], *, evidence: str = "", watched: Iterable[str] = ()) -> Answer:
    """Findings if there are any, else ok."""
    rows, values = tuple(found), tuple(watched)
    return Findings(rows, values) if rows else Ok(evidence, values)


@dataclass(frozen=True)
class Result:
    """What came of one check. `root` is the check that blocked it, followed down to the cause."""

    check: str
    layer: str
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    root: str = ""
    evidence: str = ""
    watched: tuple[str, ...] = ()
    seconds: float = 0.0
    traceback: str = field(default="", repr=False)

    @property
    def is_broken(self) -> bool:
        """Whether what stands on this check cannot be asked. A risk or a note stops nothing."""
        if self.status is Status.FINDING:
            return any(found.severity is Severity.BROKEN for found in self.findings)
        return self.status in {Status.CRASH, Status.BLOCKED}

    def as_json(self) -> dict[str, Any]:
        """Plain values; the traceback only where there is one."""
        raw = asdict(self)
        raw["seconds"] = round(self.seconds, 3)
        return {key: value for key, value in raw.items() if value not in ("", (), [])}
