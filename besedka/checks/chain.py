"""The SSO chain as doctor walked it: which hop broke, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass

from besedka.checks.finding import Status
from besedka.checks.report import Report

# The order in which a sign-in passes them, and the check that walks each.
HOPS = (
    ("authorize", "sso.authorize"),
    ("token", "sso.token"),
    ("identity", "sso.identity"),
    ("iframe", "sso.iframe_auth"),
    ("callback", "sso.callback"),
    ("login", "sso.login"),
    ("session", "sso.session"),
)


@dataclass(frozen=True)
class Hop:
    """One hop of the chain. `seen` is what it answered, or why it was not asked."""

    name: str
    status: Status
    seen: str

    @property
    def text(self) -> str:
        """`token ✗ 401 invalid_client`, as a line of the chain shows it."""
        if self.status is Status.OK:
            return f"{self.name} ✓"
        if self.status is Status.FINDING or self.status is Status.CRASH:
            return f"{self.name} ✗ {self.seen}"
        return f"{self.name} –"


def walked(report: Report) -> tuple[Hop, ...]:
    """The hops that the report's examination asked or would have asked, in order."""
    results = {result.check: result for result in report.results}
    hops = []
    for name, check in HOPS:
        result = results.get(check)
        # It stands in the way of one way in alone, and is asked only where the contract takes that.
        if result is not None and (name != "iframe" or result.status not in {Status.OK, Status.SKIPPED}):
            seen = result.findings[0].seen if result.findings else result.reason
            hops.append(Hop(name, result.status, seen))
    return tuple(hops)


def broken(report: Report) -> Hop | None:
    """The first hop that did not go through: it is broken itself, or was never reached."""
    return next((hop for hop in walked(report) if hop.status is not Status.OK), None)


def line(report: Report) -> str:
    """The chain on one line, up to the hop that broke, and why the rest was not walked.

    `authorize ✓ → token ✗ 401 invalid_client → identity – → …`
    """
    hops = walked(report)
    text = " → ".join(hop.text for hop in hops)
    stopped = broken(report)
    if stopped is not None and stopped.status in {Status.BLOCKED, Status.SKIPPED}:
        text += f" ({stopped.name} not reached: {stopped.seen})"
    return text
