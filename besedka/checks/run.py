"""Asking the checks: ground first, so that one cause gives one finding and the rest is blocked by it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from besedka.checks import catalogue_of_checks
from besedka.checks.examination import Examination, Manage, Probe, ProbeAnswer
from besedka.checks.finding import Finding, Findings, Ok, Result, Status, Where
from besedka.checks.registry import UNANSWERED, Check, all_checks, with_grounds
from besedka.checks.report import Report
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.stacks.docker import in_container
from besedka.stacks.model import Stack
from besedka.stacks.services import site_commands
from besedka.target import Target

Progress = Callable[[Result], None]


def examine(  # noqa: PLR0913 - all keywords, all optional
    stack: Stack | Target,
    contract: Contract,
    *,
    only: Iterable[str] = (),
    write: bool | None = None,
    manage: Manage | None = None,
    probe: Probe | None = None,
    progress: Progress | None = None,
) -> Report:
    """Examine a stack and report.

    `contract` may be at any address: it is moved to the stack's, and keeps its own provider address if that
    differs from its site's (Rocket.Chat in a container). `only` names checks or layers; what they stand on
    is asked too. Nothing is changed unless `write`, which lets a `temp_*` user sign in and be removed; None
    means on a stack that the suite has started itself. That user is made by `manage`, the site's management
    commands, which a stack that keeps its site's environment need not be given. `probe` makes a request
    from where Rocket.Chat runs. Without it, it comes from inside Rocket.Chat's container if that is one of
    this machine's engine, and from here if not.
    """
    catalogue_of_checks.load(contract)
    addresses = _addresses(stack)
    chosen = with_grounds(only) if only else all_checks()
    container = None if probe or _is_embedded(stack) else in_container.chat_container(addresses.chat_url)
    examination = Examination(
        addresses,
        _moved(contract, addresses, stack, from_container=container is not None),
        probe=probe or (_probe_from(container) if container else None),
        manage=(manage or _manage_of(stack)) if _may_write(stack, write) else None,
    )
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
        chat_url=addresses.chat_url,
        site_url=addresses.site_url,
        seconds=time.monotonic() - started,
        leftovers=leftovers,
    )


def _may_write(stack: Stack | Target, write: bool | None) -> bool:
    own = isinstance(stack, Stack) and stack.kind in {"embedded", "containers"}
    return own if write is None else write


def _manage_of(stack: Stack | Target) -> Manage | None:
    path = stack.site_environment_file if isinstance(stack, Stack) else None
    return partial(site_commands.run, site_commands.recall(path)) if path else None


def _addresses(stack: Stack | Target) -> Target:
    if isinstance(stack, Target):
        return stack
    return Target(stack.site_url, stack.chat_url, stack.mongo_url, stack.site_database_url)


def _is_embedded(stack: Stack | Target) -> bool:
    return isinstance(stack, Stack) and stack.kind == "embedded"


def _probe_from(container: Any) -> Probe:
    def probe(verb: str, address: str, headers: dict[str, str], form: dict[str, str] | None) -> ProbeAnswer:
        return ProbeAnswer(*in_container.ask(container, verb, address, headers, form))

    return probe


def _moved(contract: Contract, addresses: Target, stack: Stack | Target, *, from_container: bool) -> Contract:
    told = stack.provider_url if isinstance(stack, Stack) else None
    own = contract.provider.url if contract.provider.url != contract.site.url else None
    usual = in_container.provider_url(addresses.site_url) if from_container else None
    return contract.at(
        site_url=addresses.site_url, chat_url=addresses.chat_url, provider_url=told or own or usual
    )


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
        return result(Status.FINDING, findings=answered.found, watched=answered.watched)
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
