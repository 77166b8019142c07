"""Asking the checks: ground first, so that one cause gives one finding and the rest is blocked by it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from besedka.checks.catalogue import checks_for, with_grounds
from besedka.checks.check import UNANSWERED, Check
from besedka.checks.examination import Examination, Probe, ProbeAnswer
from besedka.checks.finding import Finding, Findings, Ok, Result, Status, Where
from besedka.checks.report import Report
from besedka.checks.severity import severity_of
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.stacks import targets
from besedka.stacks.docker import in_container
from besedka.target import Target

Progress = Callable[[Result], None]


def examine(
    target: Target,
    contract: Contract,
    *,
    only: Iterable[str] = (),
    probe: Probe | None = None,
    progress: Progress | None = None,
) -> Report:
    """Examine a stack and report.

    `contract` may be at any address: it is moved to the target's. `only` names checks or layers; what they
    stand on is asked too. Where the site can be managed and written to, a `temp_*` user signs in and is
    removed. Where it cannot be managed, a canonical user signs in and out, as anybody does. `probe` makes a
    request from where Rocket.Chat runs. Without `probe`, the request comes from inside Rocket.Chat's
    container if that is one of this machine's engine. Otherwise it comes from here.
    """
    everything = checks_for(contract)
    chosen = with_grounds(everything, only) if only else everything
    if probe is None and target.kind != "embedded":
        target = targets.with_provider(target, contract)
        container = in_container.chat_container(target.chat_url)
        probe = _probe_from(container) if container else None
    examination = Examination(target, target.moved(contract), probe=probe)
    results: dict[str, Result] = {}
    started = time.monotonic()
    try:
        for check in chosen:
            result = _held_back(check, results) or _ask(check, examination)
            results[check.name] = result
            if progress:
                progress(result)
    finally:
        leftovers = examination.close()
    return Report(
        results=tuple(_masked(result, examination.secrets) for result in results.values()),
        contract=examination.contract,
        chat_url=target.chat_url,
        site_url=target.site_url,
        seconds=time.monotonic() - started,
        leftovers=leftovers,
        traces=tuple(examination.traces),
    )


def _probe_from(container: Any) -> Probe:
    def probe(verb: str, address: str, headers: dict[str, str], form: dict[str, str] | None) -> ProbeAnswer:
        return ProbeAnswer(*in_container.ask(container, verb, address, headers, form))

    return probe


def _ask(check: Check, examination: Examination) -> Result:
    started = time.monotonic()

    def result(status: Status, **more: object) -> Result:
        seconds = time.monotonic() - started
        return Result(check.name, check.layer, status, seconds=seconds, **more)  # type: ignore[arg-type]

    try:
        answered = check.ask(examination)
    except ServiceUnreachableError as error:
        found = Finding(
            f"{check.name}.{UNANSWERED}",
            error.found,
            error.expected or "an answer",
            Where(error.where or check.layer),
            advice=(error.next_step,) if error.next_step else (),
        )
        return result(Status.FINDING, findings=(found,))
    except Exception as error:  # a check that raises is a result of its own
        reason = f"{type(error).__name__}: {error}"
        return result(Status.CRASH, reason=reason, traceback=traceback.format_exc())
    if isinstance(answered, Findings):
        unknown = [found.code for found in answered.found if found.code not in check.codes]
        if unknown:
            return result(Status.CRASH, reason=f"undeclared code {unknown[0]}", findings=answered.found)
        weighed = tuple(
            replace(found, severity=severity_of(found.code, found.severity)) for found in answered.found
        )
        return result(Status.FINDING, findings=weighed, watched=answered.watched)
    if isinstance(answered, Ok):
        return result(Status.OK, evidence=answered.evidence, watched=answered.watched)
    return result(Status.SKIPPED, reason=answered.reason)


def _held_back(check: Check, results: Mapping[str, Result]) -> Result | None:
    grounds = [results[name] for name in (*check.needs, *check.after)]
    broken = next((ground for ground in grounds if ground.is_broken), None)
    if broken is not None:
        root = broken.root or broken.check
        return Result(check.name, check.layer, Status.BLOCKED, reason=f"blocked by {root}", root=root)
    for name in check.needs:
        if results[name].status is Status.SKIPPED:
            return Result(check.name, check.layer, Status.SKIPPED, reason=results[name].reason)
    return None


def _masked(result: Result, secrets: Iterable[str]) -> Result:
    hidden = tuple(secrets)
    blot = Finding("", result.reason, result.evidence, Where(result.traceback)).masked(hidden)
    return Result(
        **(
            vars(result)
            | {
                "findings": tuple(found.masked(hidden) for found in result.findings),
                "reason": blot.seen,
                "evidence": blot.expected,
                "traceback": blot.where.place,
            }
        )
    )
