"""Plan, apply and undo as whole operations: guard, log-in, reading, changing under the journal, proof."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from besedka.contract import Contract
from besedka.errors import BesedkaError, ServiceUnreachableError
from besedka.progress import Say, quiet
from besedka.provision import changes, guard, journal, plan, service, session, state, stored
from besedka.provision.action import Action, Notice, Plan
from besedka.provision.changes import Place, Undone
from besedka.provision.errors import OwnAddressError, ReservedNameError
from besedka.provision.journal import Journal
from besedka.provision.plan import Options
from besedka.rocketchat import provider
from besedka.target import Target

# One round does it; a second repairs what a default channel or a hook of Rocket.Chat did meanwhile.
ROUNDS = 3
# A write that was on its way when its process died may still land. Nobody can be asked whether it will, so
# whoever comes next lets this much time pass after it was planned.
SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """What an apply changed and what it could not: `remaining` and `unstored` are empty when all is well."""

    actions: tuple[Action, ...]
    writes: int
    notices: tuple[Notice, ...] = ()
    remaining: tuple[Action, ...] = ()
    unstored: tuple[str, ...] = ()


@dataclass
class Undoing:
    """What an undo brought back; `left` are entries that somebody else has changed since."""

    restored: list[Action] = field(default_factory=list)
    left: list[Action] = field(default_factory=list)
    writes: int = 0


def planned(target: Target, contract: Contract, *, options: Options | None = None) -> Plan:
    """What an apply would do; reads only."""
    options, contract = options or Options(), target.moved(contract)
    opened = _open(contract, target.mongo_url, options)
    found = state.read(opened, contract, rooms_only=options.rooms_only)
    return plan.made(contract, found, options)


def bring(
    target: Target,
    contract: Contract,
    *,
    journal_folder: Path,
    say: Say = quiet,
    options: Options | None = None,
) -> Outcome:
    """Bring the target's Rocket.Chat to the contract and prove it by reading everything again.

    When a change is refused, everything this call has changed is taken back before the error is raised.
    """
    options, contract = options or Options(), target.moved(contract)
    guard.check(target.chat_url, contract, confirmed=options.confirmed_host)
    opened = _open(contract, target.mongo_url, options)
    _settle(_pending(journal_folder, contract), say)
    book = Journal.fresh(journal_folder, contract.chat.url, contract.chat.admin.secret)
    taken: list[Action] = []
    out_of_reach: list[Notice] = []
    for _ in range(ROUNDS):
        place = Place(opened, state.read(opened, contract, rooms_only=options.rooms_only))
        todo = plan.made(contract, place.state, options)
        if not todo.actions or out_of_reach:
            break
        done, out_of_reach = _apply(place, todo, contract, book, say)
        taken += done
    book.applied()
    unstored = (
        stored.differences(target.mongo_url, contract, options.rooms_only)
        if target.mongo_url and taken
        else ()
    )
    return Outcome(tuple(taken), opened.writes, (*out_of_reach, *todo.notices), todo.actions, tuple(unstored))


def undo(
    target: Target,
    contract: Contract,
    *,
    journal_folder: Path,
    say: Say = quiet,
    options: Options | None = None,
) -> Undoing:
    """Take the last apply back, and the interrupted ones before it. Repeating it is harmless."""
    options, contract = options or Options(), target.moved(contract)
    guard.check(target.chat_url, contract, confirmed=options.confirmed_host)
    books = _pending(journal_folder, contract)
    result = Undoing()
    if not books:
        return result
    opened = _open(contract, None, options)
    _settle(books, say)
    place = Place(opened, state.read(opened, contract))
    for book in books:
        _take_back(place, book, result, say)
    result.writes = opened.writes
    return result


def _open(contract: Contract, mongo_url: str | None, options: Options) -> session.Session:
    exists = stored.account_exists(mongo_url, contract.chat.admin.username) if mongo_url else None
    return session.opened(contract, patience=options.patience, account_exists=exists)


def _apply(
    place: Place, todo: Plan, contract: Contract, book: Journal, say: Say
) -> tuple[list[Action], list[Notice]]:
    """Do what is planned; returns what was done, and a notice per account that is out of reach."""
    base = provider.base_id(contract.provider)
    of_provider = [action for action in todo.actions if _concerns(action, base)]
    done: list[Action] = []
    out_of_reach: list[Notice] = []
    reserved: list[str] = []
    try:
        for action in todo.actions:
            if any(action.target.endswith(f"/{name}") for name in reserved):
                continue
            number = book.planned(action)
            try:
                book.done(number, changes.do(place, action))
            except (ReservedNameError, OwnAddressError) as error:
                book.undone(number)
                if isinstance(error, ReservedNameError):
                    reserved.append(action.target)
                code = "user-reserved" if action.target in reserved else "administrator-address"
                out_of_reach.append(Notice(code, action.target, f"{error.found}; {error.next_step}"))
                continue
            done.append(action)
            say(action.text())
            if of_provider and action is of_provider[-1]:
                service.wait_until_live(place.session, contract)
    except BesedkaError as error:
        raise _rolled_back(error, place, contract, book, say) from error
    return done, out_of_reach


def _concerns(action: Action, base: str) -> bool:
    return action.kind == "provider" or (action.kind == "setting" and action.target.startswith(base))


def _rolled_back(
    error: BesedkaError, place: Place, contract: Contract, book: Journal, say: Say
) -> BesedkaError:
    """The error, with a word on what became of the changes before it."""
    try:
        if type(error) is ServiceUnreachableError:
            _settle([book], say)
        fresh = Place(place.session, state.read(place.session, contract))
        _take_back(fresh, book, Undoing(), say)
        word = "everything changed before this was taken back"
    except BesedkaError as second:
        word = f"what was changed before this stands ({second.found}); --undo takes it back"
    error.next_step = f"{error.next_step}; {word}" if error.next_step else word
    error.args = (error.text(),)
    return error


def _pending(folder: Path, contract: Contract) -> list[Journal]:
    return journal.pending(folder, contract.chat.url, contract.chat.admin.secret)


def _settle(books: list[Journal], say: Say) -> None:
    """Return once no write of these journals can be on its way any more."""
    wait = max((book.in_doubt_since() or 0.0 for book in books), default=0.0) + SETTLE_SECONDS - time.time()
    if 0 < wait <= SETTLE_SECONDS:
        say(f"an interrupted write may still be on its way: waiting {wait:.0f} s")
        threading.Event().wait(wait)


def _take_back(place: Place, book: Journal, result: Undoing, say: Say) -> None:
    for entry in reversed(book.entries()):
        if entry.state == "undone":
            continue
        outcome = changes.undo(place, entry.action)
        book.undone(entry.number)
        if outcome is Undone.RESTORED:
            result.restored.append(entry.action)
        elif outcome is Undone.LEFT:
            result.left.append(entry.action)
        if outcome is not Undone.ALREADY:
            say(f"{outcome.value}: {entry.action.kind} {entry.action.target}")
    book.closed()
