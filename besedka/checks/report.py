"""What an examination came to: the cause first, then the rest; as a table, as JSON, as exit status."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from besedka.checks.check import LAYERS
from besedka.checks.finding import Finding, Result, Severity, Status
from besedka.checks.ranking import ranked
from besedka.contract import Contract
from besedka.language import current
from besedka.rocketchat import provider
from besedka.translation import spoken, word

HEALTHY, SICK, NOT_ASKED = 0, 1, 2
# Without an answer at one of these there is nothing to examine.
_DOORS = {"services.site", "services.chat"}
_COLOUR = {
    Status.OK: "green",
    Status.FINDING: "red",
    Status.BLOCKED: "yellow",
    Status.SKIPPED: "cyan",
    Status.CRASH: "magenta",
}


@dataclass(frozen=True)
class Report:
    """The results, ground first. `leftovers` are `temp_*` accounts that could not be removed.

    `traces` are what a canonical user's sign-in leaves: sessions and tokens, which end by themselves.
    """

    results: tuple[Result, ...]
    contract: Contract
    site_url: str
    chat_url: str
    seconds: float
    leftovers: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the cause first; see `ranking`."""
        return ranked(self.results)

    @property
    def first_cause(self) -> Finding | None:
        """The finding to begin with, None on a healthy stack."""
        return self.findings[0] if self.findings else None

    def result(self, check: str) -> Result:
        """The result of that check; KeyError if it was not asked."""
        return {result.check: result for result in self.results}[check]

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return Counter(result.status for result in self.results)[status]

    @property
    def unwatched(self) -> tuple[str, ...]:
        """Contract values that this examination did not compare with anything."""
        watched = {name for result in self.results for name in result.watched}
        return tuple(name for name in contract_values(self.contract) if name not in watched)

    @property
    def unasked(self) -> tuple[str, ...]:
        """What this examination could not look at, one line each: crashes, and what was not given to it."""
        crashed = (f"{one.check} crashed: {one.reason}" for one in self.results if one.status is Status.CRASH)
        skipped = (one for one in self.results if one.status is Status.SKIPPED)
        closed = (one.reason for one in skipped if "(--" in one.reason or one.layer == "sso")
        return tuple(dict.fromkeys((*crashed, *closed)))

    @property
    def exit_status(self) -> int:
        """0 healthy; 1 findings; 2 neither site nor chat could be asked, or nothing but a crash.

        A note leaves a stack healthy.
        """
        doors = [result for result in self.results if result.check in _DOORS]
        if doors and all(result.status is not Status.OK for result in doors):
            return NOT_ASKED
        if self.leftovers or any(found.severity is not Severity.NOTE for found in self.findings):
            return SICK
        return NOT_ASKED if self.count(Status.CRASH) else HEALTHY

    def to_json(self) -> str:
        """The report as JSON text; holds no secret."""
        cause, values = self.first_cause, contract_values(self.contract)
        raw: dict[str, Any] = {
            "site": self.site_url,
            "chat": self.chat_url,
            "exit_status": self.exit_status,
            "seconds": round(self.seconds, 3),
            "first_cause": cause.as_json() if cause else None,
            "counts": dict(self._counted()),
            "coverage": {
                "watched": len(values) - len(self.unwatched),
                "contract_values": len(values),
                "unwatched": list(self.unwatched),
            },
            "leftovers": list(self.leftovers),
            "traces": list(self.traces),
            "results": [result.as_json() for result in self.results],
        }
        return json.dumps(raw, ensure_ascii=False, indent=2)

    def summary(self) -> str:
        """One line: the cause if there is one, then the counts."""
        cause = self.first_cause
        if cause is None or cause.severity is Severity.NOTE:
            state = "nothing wrong was found" if self.exit_status == HEALTHY else "could not be examined"
            return f"{spoken(state)}: {self._counts()}"
        return spoken(f"probable cause {cause.code}: {cause.seen} ({self._counts()})")

    def _counts(self) -> str:
        rows = [(status, count) for status, count in self._counted() if count]
        if current() == "ru":
            return ", ".join(f"{word(f'{status}, counted')}: {count}" for status, count in rows)
        return ", ".join(f"{count} {status}" for status, count in rows)

    def _counted(self) -> list[tuple[str, int]]:
        """How many checks ended in what. One with nothing but notes is no finding."""
        ends = Counter(map(_end, self.results))
        return [(end, ends[end]) for end in (*map(str, Status), str(Severity.NOTE))]

    def print(self, console: Console, *, verbose: bool = False) -> None:
        """Print for people, readable at 80 columns: cause, table, findings, coverage."""
        cause = self.first_cause
        healthy = cause is None or cause.severity is Severity.NOTE
        if cause is None or healthy:
            colour = "green" if self.exit_status == HEALTHY else "magenta"
            console.print(escape(self.summary()), style=f"bold {colour}")
        else:
            console.print(spoken("Probable cause"), style="bold red")
            print_finding(console, cause)
        console.print(self._table(verbose=verbose))
        rest = self.findings if healthy else self.findings[1:]
        if rest and not healthy:
            console.print(spoken(f"{len(rest)} more finding{'s' if len(rest) > 1 else ''}"), style="bold")
        for found in rest:
            print_finding(console, found)
        for result in self.results:
            if result.status is Status.CRASH:
                said = f"{word('crash')} {result.check}: {result.reason}"
                console.print(escape(said), style="bold magenta")
                console.print(escape(result.traceback), style="dim")
        self._print_foot(console)

    def _table(self, *, verbose: bool) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(word("layer"), no_wrap=True)
        table.add_column(word("check"), overflow="fold")
        table.add_column(word("status"), no_wrap=True)
        table.add_column("", overflow="fold", ratio=1)
        for layer in LAYERS:
            rows = [result for result in self.results if result.layer == layer]
            quiet = [row for row in rows if row.status is Status.OK and not verbose]
            if quiet and len(quiet) == len(rows):
                table.add_row(layer, _checks(rows), f"[green]{word('ok')}[/]", "")
                continue
            if quiet:
                table.add_row(layer, _checks(quiet), f"[green]{word('ok')}[/]", "")
            for root, blocked in _grouped(rows, Status.BLOCKED, verbose=verbose):
                table.add_row(layer, _checks(blocked), f"[yellow]{word('blocked')}[/]", spoken(f"by {root}"))
            for reason, skipped in _grouped(rows, Status.SKIPPED, verbose=verbose):
                table.add_row(layer, _checks(skipped), f"[cyan]{word('skipped')}[/]", escape(spoken(reason)))
            for row in rows:
                if verbose or row.status in {Status.FINDING, Status.CRASH}:
                    text = row.findings[0].seen if row.findings else row.reason or row.evidence
                    status = f"[{_COLOUR[row.status]}]{word(_end(row))}[/]"
                    table.add_row(layer, row.check, status, escape(spoken(text)))
        return table

    def _print_foot(self, console: Console) -> None:
        values = len(contract_values(self.contract))
        watched = values - len(self.unwatched)
        counts = self._counts()
        said = f"{counts}; {watched} of {values} contract values under watch; {self.seconds:.1f} s"
        console.print(spoken(said))
        for trace in self.traces:
            console.print(escape(spoken(f"left by the sign-in: {trace}")))
        for name in self.leftovers:
            console.print(
                escape(spoken(f"left behind: {name}; remove this account by hand")), style="bold red"
            )


def contract_values(contract: Contract) -> tuple[str, ...]:
    """Names of the contract's values that a stack can be held against."""
    site = [
        f"site.{name}" for name in ("url", "test_page", "integrated_page", "chat_auth_path", "login_path")
    ]
    chat = ["chat.url", "chat.version", "chat.admin.username", "chat.admin.password"]
    fields = ("username", "role", "email", "full_name", "password", "chat_roles")
    users = [f"users.{user.username}.{field}" for user in contract.users for field in fields]
    rooms = [
        f"channels.{channel.name}.{field}"
        for channel in contract.channels
        for field in ("name", "label", "private", "default")
    ]
    rows = [f"provider.{suffix}" for suffix in provider.values(contract)]
    groups = [f"provider.groups.{role}" for role in contract.provider.groups]
    members = [
        f"members.{user.username}.{room.name}" for user in contract.users for room in contract.channels
    ]
    settings = [f"settings.{setting_id}" for setting_id in contract.settings]
    return (*site, *chat, *users, *rooms, *rows, *groups, *members, *settings)


def _grouped(rows: list[Result], status: Status, *, verbose: bool) -> list[tuple[str, list[Result]]]:
    if verbose:
        return []
    groups: dict[str, list[Result]] = {}
    for row in rows:
        if row.status is status:
            groups.setdefault(row.root or row.reason, []).append(row)
    return list(groups.items())


def _checks(rows: list[Result]) -> str:
    return spoken(f"{len(rows)} check{'' if len(rows) == 1 else 's'}")


def _labelled(label: str, lines: Iterable[str]) -> list[tuple[str, str]]:
    """The lines as rows of a table; the first has the label."""
    return [(label if index == 0 else "", line) for index, line in enumerate(lines)]


def _end(result: Result) -> str:
    """The status of a result, or that it is nothing but notes."""
    noted = result.findings and all(one.severity is Severity.NOTE for one in result.findings)
    return str(Severity.NOTE if noted else result.status)


def print_finding(console: Console, found: Finding) -> None:
    """Print one finding with all that it says, readable at 80 columns."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", justify="right", no_wrap=True, min_width=8)
    grid.add_column(overflow="fold")
    severity = "" if found.severity is Severity.BROKEN else f" ({word(found.severity)})"
    grid.add_row("", f"[bold]{escape(found.code)}[/]{severity}")
    rows = [
        ("seen", spoken(found.seen)),
        ("expected", spoken(found.expected)),
        *_labelled("where", found.where.lines()),
        *_labelled("run", found.commands),
        *_labelled("advice", map(spoken, found.advice)),
        *_labelled("evidence", map(spoken, found.evidence)),
        ("docs", found.docs),
    ]
    for label, text in rows:
        if text:
            grid.add_row(word(label) if label else "", escape(text))
    console.print(grid)
    console.print()
