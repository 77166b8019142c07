"""One signed-in administrator at one Rocket.Chat: log-in, second factor, rate limit, version."""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from besedka.contract import Contract
from besedka.errors import BesedkaError, ServiceUnreachableError
from besedka.provision import errors
from besedka.rocketchat import catalogue
from besedka.rocketchat.rest import (
    Credentials,
    Json,
    NotRocketChatError,
    RocketChat,
    RocketChatError,
    TlsError,
)

_T = TypeVar("_T")
POLL_SECONDS = 0.1
# After so long without a call another server may answer at the address.
PAUSE_SECONDS = 2.0
_FAREWELL_SECONDS = 2.0

_tokens: dict[tuple[str, str, str], Credentials] = {}


class Session:
    """Calls as the administrator. Every POST counts as a write, log-in apart; `writes` is their number.

    `server_id` is Rocket.Chat's own `uniqueID`, which tells this workspace from any other.

    A refusal is raised as its own class from besedka/provision/errors.py. A 429 is waited for once, as
    long as the answer says, and no longer than about a minute.
    """

    def __init__(self, chat: RocketChat, username: str, version: str) -> None:
        self.chat = chat
        self.username = username
        self.version = version
        self.writes = 0
        self.dry = False
        self._sure_until = 0.0
        self.server_id = self._call(self._ask_id)

    @property
    def url(self) -> str:
        """Where this Rocket.Chat is."""
        return self.chat.url

    def get(self, path: str, **query: str | int) -> Json:
        """`GET /api/v1/<path>`."""
        return self._call(lambda: self.chat.get(path, **query))

    def post(self, path: str, **body: Any) -> Json:
        """`POST /api/v1/<path>`: a write. A dry session counts it and sends nothing.

        Before the first write, and again after a pause, the server must be the one that was read.
        """

        def write() -> Json:
            self._demand_the_same_server()
            return self.chat.post(path, **body)

        answer = {} if self.dry else self._call(write)
        self._sure_until = time.monotonic() + PAUSE_SECONDS
        self.writes += 1
        return answer

    def _demand_the_same_server(self) -> None:
        if time.monotonic() < self._sure_until:
            return
        try:
            now = self._ask_id()
        except (RocketChatError, NotRocketChatError) as error:
            now = error.found
        if now != self.server_id:
            raise errors.OtherServerError(
                f"another server answers here than before: {now}",
                expected=f"Rocket.Chat {self.server_id}, which was read",
                where=self.url,
                next_step="find out which program has taken this port; to this server nothing was written",
            )

    def _ask_id(self) -> str:
        try:
            own_id = self.chat.get("settings/uniqueID").get("value")
        except RocketChatError as error:
            # A row that is not there is answered so, without a word (v1/settings.ts, 6.x and 7.x).
            if error.status != 400:
                raise
            own_id = None
        if not own_id:
            raise errors.nameless(self.url)
        return str(own_id)

    def method(self, name: str, *params: Any) -> Any:
        """A DDP method over REST: a write. Its errors come with HTTP 200, inside `message`."""
        message = json.dumps({"msg": "method", "id": "1", "method": name, "params": params})
        answer = json.loads(self.post(f"method.call/{name}", message=message).get("message", "{}"))
        if "error" in answer:
            problem = answer["error"]
            code, text = str(problem.get("error", "unknown")), str(problem.get("message", ""))
            refusal = RocketChatError(f"method {name}", 200, code, text)
            raise errors.translated(refusal, self.username)
        return answer.get("result")

    def _call(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except RocketChatError as error:
            if error.short_wait is None:
                raise errors.translated(error, self.username) from error
            threading.Event().wait(error.short_wait)
            self._sure_until = 0.0
        try:
            return call()
        except RocketChatError as error:
            raise errors.translated(error, self.username) from error


def opened(contract: Contract, *, patience: float = 10.0, account_exists: bool | None = None) -> Session:
    """Sign in at `contract.chat.url`, waiting up to `patience` seconds for it to answer.

    Raises UnknownVersionError before it logs in to a version that the settings registry does not know.

    The token is kept for this process, because `login` itself is limited to ten calls a minute.
    `account_exists` is what Mongo says of the administrator's account, if it was asked.
    """
    admin = contract.chat.admin
    chat = RocketChat(contract.chat.url, password=admin.secret)
    version = _answering(chat, patience)
    catalogue.for_version(version)
    key = (chat.url, admin.username, admin.secret)
    if key in _tokens:
        chat.credentials = _tokens[key]
        if _accepted(chat):
            return Session(chat, admin.username, version)
        chat.credentials = None
    try:
        data = chat.call("POST", "login", {"user": admin.username, "password": admin.secret})["data"]
    except RocketChatError as error:
        raise _refused(error, chat, admin.username, account_exists) from error
    roles = list((data.get("me") or {}).get("roles") or [])
    if "admin" not in roles:
        raise errors.not_admin(admin.username, roles, chat.url)
    if not _tokens:
        atexit.register(_sign_out, os.getpid())
    chat.credentials = _tokens[key] = Credentials(data["userId"], data["authToken"])
    return Session(chat, admin.username, version)


def _sign_out(process: int) -> None:
    """End this process's log-ins with it. A forked child has those of its parent, who still needs them."""
    if process == os.getpid():
        for (url, _, _), credentials in _tokens.items():
            RocketChat(url, credentials, timeout=_FAREWELL_SECONDS).sign_out()


def _answering(chat: RocketChat, patience: float) -> str:
    """The version that `/api/info` names, once Rocket.Chat answers."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return str(chat.info().get("version", ""))
        except TlsError:
            raise
        except ServiceUnreachableError as error:
            starting = not isinstance(error, RocketChatError | NotRocketChatError) or _is_5xx(error)
            if not starting:
                raise
            if time.monotonic() >= deadline:
                raise _not_up(error, chat.url, patience) from error
        threading.Event().wait(POLL_SECONDS)


def _is_5xx(error: BesedkaError) -> bool:
    return getattr(error, "status", 0) in {500, 502, 503, 504}


def _not_up(error: BesedkaError, where: str, patience: float) -> errors.StillStartingError:
    return errors.StillStartingError(
        f"no Rocket.Chat answered within {patience:.0f} s ({error.found})",
        expected="GET /api/info with a version",
        where=where,
        next_step="a first boot takes minutes: wait for SERVER RUNNING in its log, or start it; "
        "nothing was changed",
    )


def _accepted(chat: RocketChat) -> bool:
    with suppress(RocketChatError):
        return "admin" in chat.me().get("roles", ())
    return False


def _refused(error: RocketChatError, chat: RocketChat, username: str, exists: bool | None) -> BesedkaError:
    if error.second_factor or error.status == 429 or "blocked" in error.code:
        return errors.translated(error, username)
    if error.status == 401:
        known = _publicly_known(chat, username) if exists is None else exists
        return errors.wrong_password(username, f"POST {chat.url}/api/v1/login", exists=known)
    return error


def _publicly_known(chat: RocketChat, username: str) -> bool | None:
    """Whether an account exists, as far as a stranger is told; None where nothing can be concluded.

    `users.getAvatar` needs no log-in. It redirects to the picture of an account and refuses the name of
    nobody with `error-invalid-user` (`apps/meteor/app/api/server/v1/users.ts`).
    """
    try:
        chat.get("users.getAvatar", username=username)
    except RocketChatError as error:
        return False if error.code == "error-invalid-user" else None
    except NotRocketChatError:
        return True
    except ServiceUnreachableError:
        return None
    return None
