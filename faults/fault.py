"""What a fault is: a name, what it does, and the finding that must be reported as the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from besedka.checks.check import layer_of
from besedka.checks.finding import Severity
from besedka.checks.severity import severity_of
from faults.breakable_stack import BreakableStack, FaultError

Breaking = Callable[[BreakableStack], AbstractContextManager[None]]
# The layer whose checks need a user that signs in.
_SIGNS_IN = "sso"


@dataclass(frozen=True)
class Fault:
    """One named way to break a healthy stack.

    `breaking` breaks the stack when entered and undoes it when left. `cause` is the code of the finding that
    doctor must report first. `also` are the codes of all the others, each as often as it stands there: one
    broken document can be wrong in two ways. `put_into` does both and names what fails.
    """

    name: str
    cause: str
    breaking: Breaking
    also: tuple[str, ...] = ()

    @property
    def check(self) -> str:
        """Name of the check that must notice."""
        return self.cause.rpartition(".")[0]

    @property
    def layer(self) -> str:
        """The part of the stack that is broken: the layer of that check."""
        return layer_of(self.check)

    @property
    def breaks(self) -> bool:
        """Whether nobody can work so; under any other fault a new user signs in all the same."""
        return severity_of(self.cause, Severity.BROKEN) is Severity.BROKEN

    @contextmanager
    def put_into(self, breakable: BreakableStack) -> Iterator[None]:
        """The breakable has this fault for the length of a `with` block.

        Raises FaultError when the fault cannot be put in, and when it cannot be taken back: the stack is
        then good for nothing more.
        """
        broken = self.breaking(breakable)
        signed_in = breakable.signs_in
        try:
            broken.__enter__()
        except FaultError:
            raise
        except Exception as error:
            raise FaultError(
                f"{self.name} could not be put in: {type(error).__name__}: {error}",
                expected="a healthy stack that can be written to",
                where=breakable.stack.folder,
                next_step="run doctor on a stack without a fault, and read the logs in that folder",
            ) from error
        breakable.signs_in = signed_in or self.layer == _SIGNS_IN or not self.breaks
        try:
            yield
        finally:
            breakable.signs_in = signed_in
            self._undo(broken, breakable)

    def _undo(self, broken: AbstractContextManager[None], breakable: BreakableStack) -> None:
        try:
            broken.__exit__(None, None, None)
        except Exception as error:
            dead = [name for name, process in breakable.running.processes.items() if not process.alive()]
            state = f"; {', '.join(dead)} had ended" if dead else ""
            raise FaultError(
                f"the undo of {self.name} failed{state}: {type(error).__name__}: {error}",
                expected="the stack as it was before",
                where=breakable.stack.folder,
                next_step="use this stack for nothing more: stop it and start another; its logs are in that "
                "folder",
            ) from error
