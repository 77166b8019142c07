"""Rules of a proxy, in words: which requests, and what becomes of them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from faults.proxy import Forward, Headers, Reply, Request, Rule, without_header

Matching = Callable[[Request], bool]
_HTML = "text/html; charset=utf-8"
_JSON = "application/json"
# Longer than anybody here waits for one answer.
_NEVER_SECONDS = 60.0


def every(request: Request) -> bool:
    """Any request."""
    return True


def to(path: str, verb: str = "", *, by: str = "") -> Matching:
    """Requests to a path (all below it, if it ends with `*`); `by` is a part of the User-Agent.

    Rocket.Chat's server calls itself Meteor (`packages/oauth` of Meteor, `OAuth.userAgent`).
    """

    def matches(request: Request) -> bool:
        right_path = request.path == path or (path.endswith("*") and request.path.startswith(path[:-1]))
        return right_path and verb in {"", request.verb} and by in request.header("User-Agent")

    return matches


def answers(which: Matching, status: int, body: str = "", kind: str = _HTML, **headers: str) -> Rule:
    """The service is not asked; this is the answer."""
    given: Headers = (
        ("Content-Type", kind),
        *((key.replace("_", "-"), text) for key, text in headers.items()),
    )
    return Rule(which, lambda request, forward: Reply(status, given, body.encode()))


def refuses_sockets(status: int, body: str) -> Rule:
    """Handshakes of WebSockets get this answer, and everything else goes on."""

    def matches(request: Request) -> bool:
        return bool(request.header("Upgrade"))

    reply = Reply(status, (("Content-Type", _HTML),), body.encode())
    return Rule(matches, lambda request, forward: reply, sockets=True)


def closes_silent_sockets(seconds: float) -> Rule:
    """A WebSocket over which nobody says anything for so long is closed; everything else goes on."""
    return Rule(every, lambda request, forward: forward(request), sockets=True, idle=seconds)


def refuses_bodies(above: int) -> Rule:
    """A body that is announced with more bytes gets 413; everything else goes on."""

    def matches(request: Request) -> bool:
        return int(request.header("Content-Length") or 0) > above

    reply = Reply(413, (("Content-Type", _HTML),), b"<h1>413 Request Entity Too Large</h1>")
    return Rule(matches, lambda request, forward: reply, early=True)


def cut_short(which: Matching) -> Rule:
    """Half of the answer is there, and then the connection ends."""

    def change(reply: Reply) -> Reply:
        return replace(reply, body=reply.body[: len(reply.body) // 2], announced=len(reply.body))

    return changed(which, change)


def leads_to_itself(base: str) -> Rule:
    """Each request is sent where it was asked, at this address."""

    def treat(request: Request, forward: Forward) -> Reply:
        return Reply(301, (("Location", f"{base}{request.target}"),), b"")

    return Rule(every, treat)


def answers_json(which: Matching, code: int, /, **told: Any) -> Rule:
    """The service is not asked; JSON of these fields is the answer, with that status."""
    return answers(which, code, json.dumps(told), _JSON)


def lost(which: Matching) -> Rule:
    """The connection is closed without an answer."""
    return Rule(which, lambda request, forward: None)


def silent(which: Matching) -> Rule:
    """The connection stays open, and nothing is ever answered."""

    def treat(request: Request, forward: Forward) -> None:
        threading.Event().wait(_NEVER_SECONDS)

    return Rule(which, treat)


def late(which: Matching, seconds: float) -> Rule:
    """The answer comes that much later."""

    def treat(request: Request, forward: Forward) -> Reply | None:
        threading.Event().wait(seconds)
        return forward(request)

    return Rule(which, treat)


def request_without(which: Matching, header: str) -> Rule:
    """The service never sees that header."""
    return Rule(which, lambda request, forward: forward(without_header(request, header)))


def reply_with(which: Matching, header: str, value: str) -> Rule:
    """The answer has that header, whatever it had under that name before."""
    return changed(
        which, lambda reply: replace(reply, headers=(*reply.headers_without(header), (header, value)))
    )


def reply_without_cookie(which: Matching, name: str) -> Rule:
    """The answer sets no cookie of that name."""

    def kept(reply: Reply) -> Headers:
        return tuple(
            row for row in reply.headers if not (row[0].lower() == "set-cookie" and row[1].startswith(name))
        )

    return changed(which, lambda reply: replace(reply, headers=kept(reply)))


def rewritten(which: Matching, pattern: str, text: str) -> Rule:
    """Wherever the pattern stands in the answer's body, it says another thing."""
    compiled = re.compile(pattern.encode())
    return changed(which, lambda reply: replace(reply, body=compiled.sub(text.encode(), reply.body)))


def relocated(which: Matching, pattern: str, text: str) -> Rule:
    """Wherever the pattern stands in the answer's Location, it says another thing."""

    def change(reply: Reply) -> Reply:
        location = re.sub(pattern, text, reply.header("Location"))
        return replace(reply, headers=(*reply.headers_without("Location"), ("Location", location)))

    return changed(which, lambda reply: change(reply) if reply.header("Location") else reply)


def fields(which: Matching, /, **wrong: Any) -> Rule:
    """The answer's JSON has these values; None takes a field out. Other answers stay as they are."""

    def change(reply: Reply) -> Reply:
        if not reply.header("Content-Type").startswith(_JSON):
            return reply
        told = json.loads(reply.body) | wrong
        kept = {key: value for key, value in told.items() if value is not None}
        return replace(reply, body=json.dumps(kept, ensure_ascii=False).encode())

    return changed(which, change)


def changed(which: Matching, change: Callable[[Reply], Reply]) -> Rule:
    """The service is asked, and its answer changed on the way back."""

    def treat(request: Request, forward: Forward) -> Reply | None:
        reply = forward(request)
        return None if reply is None else change(reply)

    return Rule(which, treat)
