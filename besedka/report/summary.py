"""A run in GitHub's Markdown, for the summary of a job: causes, failed tests, what was slow, what is open."""

from __future__ import annotations

import html
from collections.abc import Mapping

from besedka.language import Language
from besedka.report.model import CauseRow, Run, TestRow
from besedka.report.page import SLOWEST
from besedka.report.wording import left_open, reason, texts, trouble, verdict
from besedka.translation import translated

# GitHub shows a megabyte of summary; a run in which everything fails is told by its first rows.
_CAUSES, _FAILURES = 10, 30


def markdown(run: Run, language: Language, links: Mapping[str, str] | None = None) -> str:
    """The summary; `links` are names and addresses of what was kept of the run."""
    told = texts(language)
    parts = [f"### {verdict(run, language)}", _head(run, told)]
    if run.trouble:
        parts += [f"**{told['label']['trouble']}**", _block(trouble(run.trouble, language))]
    if run.causes:
        parts.append(f"#### {told['heading']['causes']}")
        parts += [_cause(cause, told, language) for cause in run.causes[:_CAUSES]]
    if run.broken and not run.causes:
        parts.append(told["label"]["no_cause"])
    if run.unexplained:
        parts.append(f"#### {told['heading']['failures']}")
        parts.append("\n".join(_failure(test, told, language) for test in run.unexplained[:_FAILURES]))
    if run.tests:
        parts.append(_folded(told["label"]["slowest"], _slowest(run, told)))
    if run.unproven:
        lines = "\n".join(f"- {_text(left_open(row, language))}" for row in run.unproven)
        parts += [f"#### {told['heading']['unproven']}", lines]
    if links:
        parts.append(" · ".join(f"[{_text(name)}]({url})" for name, url in links.items()))
    return "\n\n".join(parts) + "\n"


def _head(run: Run, told: Mapping[str, Mapping[str, str]]) -> str:
    words = [run.id, f"{run.seconds:.0f} {told['label']['seconds']}", f"`pytest {' '.join(run.arguments)}`"]
    if run.stack:
        words += [
            f"{row.name} {row.version} ({told['nature'][row.nature]})"
            for row in run.stack.services
            if row.version
        ]
    return " · ".join(_text(word) for word in words)


def _cause(cause: CauseRow, told: Mapping[str, Mapping[str, str]], language: Language) -> str:
    label = told["label"]
    place = translated(cause.where.get("place", ""), language)
    place = " · ".join(word for word in (place, cause.where.get(language)) if word)
    asked = _text(translated(cause.question, language))
    rows = [
        f"**{told['severity'][cause.severity]}: {asked}** `{cause.code}`",
        f"- {label['seen']}: {_text(translated(cause.seen, language))}",
        f"- {label['expected']}: {_text(translated(cause.expected, language))}",
        f"- {label['where']}: {_text(place)}",
        *(f"- {label['do']}: {_text(translated(line, language))}" for line in cause.advice),
    ]
    rows += [f"\n{_block(line)}" for line in cause.commands]
    if cause.tests:
        names = "\n".join(f"- `{name}`" for name in cause.tests)
        title = f"{label['tests']}: {len(cause.tests)}"
        rows.append(f"\n{_folded(title, names)}")
    return "\n".join(rows)


def _failure(test: TestRow, told: Mapping[str, Mapping[str, str]], language: Language) -> str:
    kind = f" ({told['kind'][test.kind]})" if test.kind else ""
    evidence = f"<br>{told['label']['evidence']}: `{test.evidence}`" if test.evidence else ""
    return f"- `{test.id}`{kind}: {_text(reason(test.reason, language))}{evidence}"


def _slowest(run: Run, told: Mapping[str, Mapping[str, str]]) -> str:
    rows = sorted(run.tests, key=lambda test: test.seconds, reverse=True)[:SLOWEST]
    lines = (f"| {row.seconds:.1f} | `{row.id}` | {told['outcome'][row.outcome]} |" for row in rows)
    head = f"| {told['label']['seconds']} | {told['label']['test']} | {told['label']['outcome']} |"
    return "\n".join([head, "|---:|---|---|", *lines])


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{_text(title)}</summary>\n\n{body}\n\n</details>"


def _text(text: str) -> str:
    """A text that is no markup, on one line."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _block(text: str) -> str:
    """A text as it is; the fence is longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
