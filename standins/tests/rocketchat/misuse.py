"""A server to be sent nonsense: a stand-in of the tests' own, or somebody's by an account without rights.

On somebody's server the nonsense hits nobody: the account may change nothing of others, and rooms in which it
is the only member go when it goes. There the log cannot be read, so that an answer by name is all that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .chat import Chat
from .client import Client
from .standin import ADMIN, ADMIN_PASSWORD, Standins


@dataclass(frozen=True)
class Misused:
    """`caller` sends the nonsense; `log` is the server's, where it is our own."""

    chat: Chat
    caller: Client
    log: Path | None

    @property
    def is_own(self) -> bool:
        """A stand-in of the tests' own, in which an administrator may break anything."""
        return self.log is not None

    def written(self) -> int:
        """How long the log is by now."""
        return self.log.stat().st_size if self.log else 0

    def tracebacks(self, since: int = 0) -> str:
        """The first one of the log; a handler that failed otherwise than by a refusal leaves one."""
        text = self.log.read_bytes()[since:].decode("utf-8", "replace") if self.log else ""
        return text[max(0, text.index("Traceback") - 300) :][:2500] if "Traceback" in text else ""


@contextmanager
def own(standins: Standins) -> Iterator[Misused]:
    """A stand-in without limits on calls, by its administrator."""
    with standins.running(TEST_MODE="true", CREATE_TOKENS_FOR_USERS="true") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        chat.admin.post("settings/API_Enable_Rate_Limiter", {"value": False})
        yield Misused(chat, chat.admin, standin.folder / f"chat-{standin.port}.log")


@contextmanager
def somebodys(chat: Chat) -> Iterator[Misused]:
    """Somebody's server, by an account that is removed at the end."""
    misused = Misused(chat, chat.person(), None)
    chat.keep(misused.caller)
    try:
        yield misused
    finally:
        chat.forget(str(misused.caller.user_id))
        chat.clean()
