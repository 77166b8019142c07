"""The stacks of `up` as other commands meet them: the one that is meant, and what a dead one said last."""

from __future__ import annotations

from pathlib import Path

from besedka.errors import BesedkaError
from besedka.stacks import up_records
from besedka.stacks.model import Stack

LAST_LINES = 10


class NoStackError(BesedkaError):
    """No stack of `besedka up` is running."""

    exit_status = 18


def running_stack() -> Stack:
    """The stack of a running `besedka up`; NoStackError if there is none, one that lost a service, or two."""
    records = up_records.noted()
    if len(records) == 1:
        return alive(records[0])
    if not records:
        raise NoStackError(
            "no stack is running",
            expected="a stack kept by `besedka up`",
            where=str(up_records.FOLDER),
            next_step="run `python3 run.py up` in another terminal",
        )
    raise NoStackError(
        f"{len(records)} stacks are running: {', '.join(record.stack.run_id for record in records)}",
        expected="one, or the addresses of the one that is meant",
        where=str(up_records.FOLDER),
        next_step=f"--site-url {records[-1].stack.site_url} --chat-url {records[-1].stack.chat_url} is the "
        "newest; `python3 run.py status` shows them all",
    )


def alive(record: up_records.Record) -> Stack:
    """The record's stack, trusted from now on; NoStackError where it has lost a service."""
    record.stack.trust()
    if record.dead:
        raise _lost(record.stack, record.dead)
    return record.stack


def _lost(stack: Stack, dead: list[str]) -> NoStackError:
    """The error for a stack whose services have ended: which, and what they said last."""
    last = "\n".join(f"==== {name}\n{tail(stack, name, LAST_LINES)}" for name in dead)
    return NoStackError(
        f"of the {stack.kind} stack {stack.run_id} {', '.join(dead)} has ended; the last lines:\n{last}",
        expected="every service running; no other stack is taken in its place",
        where=f"{stack.site_url}, {stack.chat_url}; logs in {stack.folder}",
        next_step="end `besedka up` with Ctrl-C and start it again: python3 run.py up. `python3 run.py down` "
        "forgets a stack that has ended; another stack must be named: --site-url, --chat-url",
    )


def refuse_a_sick_one() -> None:
    """Raise NoStackError when the kept stack in containers has lost a service."""
    from besedka.stacks import kept  # noqa: PLC0415

    record = kept.recorded()
    sick = kept.unwell(record) if record else ["it is not on record"]
    if sick:
        raise NoStackError(
            f"the kept stack does not run: {', '.join(sick)}",
            expected="every service running",
            where=str(kept.RECORD),
            next_step="`besedka logs` says why; `besedka up --reuse` replaces it",
        )


def tail(stack: Stack, service: str, lines: int) -> str:
    """The last lines of a service's log; empty where it has none."""
    if stack.kind == "containers":
        from besedka.stacks import kept  # noqa: PLC0415

        record = kept.recorded()
        return kept.tail(record, service, lines) if record else ""
    log = stack.service(service).log
    text = Path(log).read_text(encoding="utf-8", errors="replace") if log else ""
    return "\n".join(text.splitlines()[-lines:])
