"""Plan, apply and undo as whole operations: guard, log-in, reading, changing under the journal, proof."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from besedka.contract import Contract
from besedka.errors import BesedkaError, ServiceUnreachableError
from besedka.progress import Say, quiet
from besedka.provision import changes, guard, journal, plan, service, session, state, stored
from besedka.provision.action import Action, Notice, Plan
from besedka.provision.changes import Place, Undone
from besedka.provision.documents import Documents
from besedka.provision.errors import PersonNeededError, ReservedNameError
from besedka.provision.journal import Journal
from besedka.provision.plan import Beside, Options
from besedka.provision.second_administrator import OwnAddressError
from besedka.provision.site_side import SiteSide
from besedka.rocketchat import provider
from besedka.site_database import SiteDatabase
from besedka.target import Target

# Documents first, then calls, then what a hook of Rocket.Chat did meanwhile, then counts.
ROUNDS = 6
# A write that was on its way when its process died may still land. Nobody can be asked whether it will, so
# the next run lets this much time pass after it was planned.
SETTLE_SECONDS = 5.0


# What somebody who has examined the target leaves to a person; asked once, and only where something changes.
Examined = Callable[[], tuple[Notice, ...]]


def _not_examined() -> tuple[Notice, ...]:
    return ()


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
    """What an undo brought back; `left` are entries that somebody else has changed since, or nobody can."""

    restored: list[Action] = field(default_factory=list)
    left: list[Action] = field(default_factory=list)
    writes: int = 0


def planned(
    target: Target, contract: Contract, *, options: Options | None = None, examined: Examined = _not_examined
) -> Plan:
    """What an apply would do; reads only."""
    options, contract = options or Options(), target.moved(contract)
    opened = _open(target, contract, options)
    found = state.read(opened, contract, rooms_only=options.rooms_only)
    with _beside(target, contract, opened) as beside:
        made = plan.made(contract, found, options, beside)
    return replace(made, notices=(*made.notices, *examined()))


def bring(  # noqa: PLR0913 - all but two are keywords
    target: Target,
    contract: Contract,
    *,
    journal_folder: Path,
    say: Say = quiet,
    options: Options | None = None,
    examined: Examined = _not_examined,
    lasting: bool = False,
) -> Outcome:
    """Bring the target to the contract and prove it by reading everything again.

    PersonNeededError comes, and nothing is changed, where a person has to act first. The plan says so, or
    `examined` answers so before the first change. Whatever else is a person's is told in `notices`. When a
    change is refused, everything this call has changed is taken back before the error is raised. `lasting`:
    once it has succeeded no undo takes it back, because it belongs to the start of a stack.
    """
    options, contract = options or Options(), target.moved(contract)
    guard.check(target.chat_url, contract, confirmed=options.confirmed_host)
    opened = _open(target, contract, options)
    _settle(_pending(journal_folder, contract), say)
    book = Journal.fresh(journal_folder, contract.chat.url, contract.chat.admin.secret, opened.server_id)
    taken: list[Action] = []
    out_of_reach: list[Notice] = []
    beside_it: tuple[Notice, ...] = ()
    before: tuple[Action, ...] = ()
    with _beside(target, contract, opened) as beside:
        for _ in range(ROUNDS):
            found = state.read(opened, contract, rooms_only=options.rooms_only)
            place = Place(opened, found, contract, beside)
            todo = plan.made(contract, found, options, beside)
            if not todo.actions or out_of_reach or todo.actions == before:
                break
            before = todo.actions
            if not taken:
                beside_it = examined()
                if not options.partial:
                    _demand_no_person((*todo.notices, *beside_it), todo.actions)
            done, out_of_reach = _apply(place, todo, book, say)
            taken += done
    book.applied()
    if lasting and taken:
        book.closed()
    unstored: list[str] = []
    if target.mongo_url and taken:
        unstored = stored.differences(target.mongo_url, contract, options.rooms_only)
    notices = (*out_of_reach, *todo.notices, *beside_it)
    return Outcome(tuple(taken), opened.writes, notices, todo.actions, tuple(unstored))


def undo(  # noqa: PLR0913 - all but two are keywords
    target: Target,
    contract: Contract,
    *,
    journal_folder: Path,
    say: Say = quiet,
    options: Options | None = None,
    dry: bool = False,
) -> Undoing:
    """Take the last apply back, and the interrupted ones before it. Repeating it is harmless.

    `dry` finds out what would be taken back, and changes nothing.
    """
    options, contract = options or Options(), target.moved(contract)
    guard.check(target.chat_url, contract, confirmed=options.confirmed_host)
    books = _pending(journal_folder, contract)
    result = Undoing()
    if not books:
        return result
    opened = _open(target, contract, options)
    opened.dry = dry
    for book in books:
        book.demand_server(opened.server_id)
    _settle(books, say)
    with _beside(target, contract, opened) as beside:
        place = Place(opened, state.read(opened, contract), contract, beside)
        for book in books:
            _take_back(place, book, result, say)
    result.writes = 0 if dry else opened.writes
    return result


def _open(target: Target, contract: Contract, options: Options) -> session.Session:
    username = contract.chat.admin.username
    exists = stored.account_exists(target.mongo_url, username) if target.mongo_url else None
    return session.opened(contract, patience=options.patience, account_exists=exists)


@contextmanager
def _beside(target: Target, contract: Contract, opened: session.Session) -> Iterator[Beside]:
    """What the target has beside calls, for a `with` block; the database must be the session's server's."""
    site = None
    if target.site_database_url:
        database = SiteDatabase(target.site_database_url, adapter=contract.site.adapter)
        # The adapter's command makes temporary users alone; the site's own accounts are its own business.
        manage = target.manage if target.site_environment_file else None
        site = SiteSide(database, manage, contract.site.features.oauth_tables)
    if target.mongo_url is None:
        yield Beside(None, site)
        return
    with Documents(target.mongo_url) as documents:
        documents.demand_same_data(opened)
        yield Beside(documents, site)


def _demand_no_person(notices: tuple[Notice, ...], actions: tuple[Action, ...]) -> None:
    """Raise PersonNeededError where the stack would not be the contract's in the end."""
    blocking = [notice for notice in notices if notice.in_the_way(actions)]
    if not blocking:
        return
    raise PersonNeededError(
        "; ".join(f"{notice.target}: {notice.text}" for notice in blocking),
        expected="nothing that only a person can decide",
        where=", ".join(sorted({notice.code for notice in blocking})),
        next_step="do that and apply again, or add --partial to do what can be done without; "
        "nothing was changed",
    )


def _apply(place: Place, todo: Plan, book: Journal, say: Say) -> tuple[list[Action], list[Notice]]:
    """Do what is planned; returns what was done, and a notice per account that is out of reach.

    Where documents are mended, they alone are: what calls have to do is planned anew on what is then there.
    """
    base = provider.base_id(place.contract.provider)
    documents = tuple(action for action in todo.actions if action.kind == "document")
    actions = documents or todo.actions
    of_provider = [action for action in actions if _concerns(action, base)]
    done: list[Action] = []
    out_of_reach: list[Notice] = []
    reserved: list[str] = []
    try:
        for action in actions:
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
                service.wait_until_live(place.session, place.contract, place.beside.documents)
    except BesedkaError as error:
        raise _rolled_back(error, place, book, say) from error
    return done, out_of_reach


def _concerns(action: Action, base: str) -> bool:
    if action.kind == "provider":
        return action.after is not None
    return action.kind == "service" or (
        action.kind == "setting" and f"{action.target}-".startswith(f"{base}-")
    )


def _rolled_back(error: BesedkaError, place: Place, book: Journal, say: Say) -> BesedkaError:
    """The error, with a word on what became of the changes before it."""
    try:
        if type(error) is ServiceUnreachableError:
            _settle([book], say)
        fresh = replace(place, state=state.read(place.session, place.contract))
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
    dry = place.session.dry
    for entry in reversed(book.entries()):
        if entry.state == "undone":
            continue
        outcome = changes.undo(place, entry.action, entry.made)
        if not dry:
            book.undone(entry.number)
        if outcome is Undone.ALREADY:
            continue
        (result.restored if outcome is Undone.RESTORED else result.left).append(entry.action)
        done = f"{'would be ' if dry else ''}taken back"
        own = entry.action.kind == "site"
        why = "the site's record stays mended" if own else "changed by somebody else since"
        if outcome is Undone.RESTORED:
            say(f"{done}: {changes.words(entry.action)}")
        else:
            say(f"left alone: {entry.action.kind} {entry.action.target} ({why})")
    if not dry:
        book.closed()
