"""The site's management commands of a fresh stack, served to a run in another process.

There they are forks, which take a twentieth of the time of a new `manage.py`.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Listener
from typing import Any

from besedka.errors import BesedkaError, StackStartError

Manage = Callable[..., str]
# What the command printed, and the fields of the error that it ended with.
_Answer = tuple[str, dict[str, str] | None]
_THIS_MACHINE = "127.0.0.1"


@contextmanager
def remote_commands(manage: Manage) -> Iterator[str]:
    """Lend these commands for the length of a `with` block; gives the address for `borrow`."""
    key = secrets.token_hex(16)
    with Listener((_THIS_MACHINE, 0), authkey=key.encode()) as listener:
        lender = threading.Thread(target=_lend, args=(listener, manage), name="remote commands")
        lender.start()
        address = json.dumps([listener.address[1], key])
        try:
            yield address
        finally:
            _ask(address, None)
            lender.join()


def borrow(address: str) -> Callable[..., str]:
    """What takes the place of `site_commands.run`, whose environment the lender knows by itself."""

    def run(_environment: Mapping[str, str], *arguments: str, stdin: str = "") -> str:
        printed, refused = _ask(address, (arguments, stdin))
        if refused:
            raise StackStartError(**refused)
        return printed

    return run


def _lend(listener: Listener, manage: Manage) -> None:
    told: object = ()
    while told is not None:
        # A borrower that is gone in the middle was killed, which is what its own run says.
        with suppress(EOFError, OSError), listener.accept() as borrower:
            told = borrower.recv()
            borrower.send(_answer(manage, told))


def _answer(manage: Manage, told: Any) -> _Answer:
    if told is None:
        return "", None
    arguments, stdin = told
    try:
        return manage(*arguments, stdin=stdin), None
    except BesedkaError as error:
        return "", vars(error)
    except Exception as error:  # would leave the borrower without an answer
        return "", {"found": f"{type(error).__name__}: {error}"}


def _ask(address: str, told: tuple[tuple[str, ...], str] | None) -> _Answer:
    port, key = json.loads(address)
    with Client((_THIS_MACHINE, port), authkey=key.encode()) as lender:
        lender.send(told)
        answer: _Answer = lender.recv()
    return answer
