"""The Rocket.Chat stand-in in numbers: answers, echoes, two hundred log-ins at once, memory, connects.

    .venv/bin/python -m benchmarks.standins [--calls 500] [--logins 200] [--connects 10000]

One stand-in of its own with an empty database on the MongoDB that the embedded stack would take. A log-in is
the whole round of Custom OAuth as a browser walks it after the provider's consent: callback, exchange of the
code, identity, new account, default rooms, log-in by the credential. The provider answers at once, from a
thread of this process, so that the numbers are the stand-in's. Memory is the resident set of its process.
Exit status: 0 when every limit is kept and nothing failed, 1 otherwise.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import re
import secrets
import socket as sockets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psutil

from benchmarks import machine
from besedka.stacks.services import mongod
from standins.tests.rocketchat.chat import Chat
from standins.tests.rocketchat.provider import Provider, connect
from standins.tests.rocketchat.sockets import signed_in
from standins.tests.rocketchat.standin import ADMIN, ADMIN_PASSWORD, Standin, standins

REST_LIMIT_MS = 3.0
ECHO_LIMIT_MS = 5.0
MEMORY_LIMIT_MB = 150.0
BATCH = 500
_UPGRADE = (
    b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    """The code is the access token, and the token is the user's name: as many users as are wanted."""

    def answer(self) -> None:
        parts = urlsplit(self.path)
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()))
        if parts.path == "/token":
            body = {"access_token": form["code"]}
        else:
            name = dict(parse_qsl(parts.query))["access_token"]
            body = {"id": f"id-{name}", "username": name, "full_name": name, "email": f"{name}@besedka.test"}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
        """Nothing."""


@contextmanager
def providing() -> Iterator[str]:
    """A provider's address, for the length of a `with` block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def milliseconds(count: int, step: Callable[[], object]) -> list[float]:
    """How long each of `count` steps took, after a few that warm up."""
    for _ in range(10):
        step()
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        step()
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


def report(name: str, taken: list[float], limit: float) -> bool:
    """Print one row; whether the median keeps the limit."""
    ordered = sorted(taken)
    median, worst = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    kept = median <= limit
    print(
        f"{name}: p50 {median:.2f} ms, p99 {worst:.2f} ms of {len(taken)}; "
        f"limit {limit:.0f} ms {'kept' if kept else 'EXCEEDED'} (ratio {median / limit:.2f})",
        flush=True,
    )
    return kept


@contextmanager
def plain_rest(chat: Chat) -> Iterator[Callable[..., bytes]]:
    """REST calls of the administrator on one kept connection, by the standard library's client.

    `requests`, which the tests use, takes about as long itself as the stand-in does.
    """
    connection = HTTPConnection(chat.url.removeprefix("http://"), timeout=20)
    headers = {"X-Auth-Token": str(chat.admin.token), "X-User-Id": str(chat.admin.user_id)}
    headers |= {"Content-Type": "application/json"}

    def call(verb: str, path: str, body: object = None) -> bytes:
        text = None if body is None else json.dumps(body)
        connection.request(verb, f"/api/v1/{path}", text, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{verb} {path}: {answer.status} {content[:200]!r}")
        return content

    try:
        yield call
    finally:
        connection.close()


def time_answers(chat: Chat, count: int) -> bool:
    """REST on a connection that is kept, and echoes: a ping's pong, a message's own push."""
    room = chat.room()
    message = {"message": {"rid": room["_id"], "msg": "x" * 80}}
    with plain_rest(chat) as call:
        kept = report("REST, GET me", milliseconds(count, lambda: call("GET", "me")), REST_LIMIT_MS)
        written = milliseconds(count, lambda: call("POST", "chat.sendMessage", message))
        kept &= report("REST, POST chat.sendMessage", written, REST_LIMIT_MS)
    with signed_in(chat.url, chat.admin) as client:
        client.subscribe(
            "stream-room-messages", room["_id"], {"useCollection": False, "args": [{"visitorToken": False}]}
        )

        def ping() -> None:
            client.send({"msg": "ping"})
            client.named("pong")

        def echo() -> None:
            sent = {"rid": room["_id"], "msg": "x" * 80}
            client.send({"msg": "method", "id": "m", "method": "sendMessage", "params": [sent]})
            client.pushed("stream-room-messages", room["_id"])
            client.named("result")
            client.named("updated")

        kept &= report("socket, ping and pong", milliseconds(count, ping), ECHO_LIMIT_MS)
        kept &= report("socket, sendMessage and its push", milliseconds(count, echo), ECHO_LIMIT_MS)
    return kept


def log_in(chat: Chat, name: str) -> str:
    """One SSO log-in; the user's name as `me` says it. Raises for whatever went wrong."""
    token = secrets.token_urlsafe(24)
    fields = {"loginStyle": "redirect", "credentialToken": token, "redirectUrl": f"{chat.url}/home"}
    state = base64.b64encode(json.dumps(fields).encode()).decode()
    person = chat.anybody()
    page = person.request("GET", "/_oauth/besedka", params={"code": name, "state": state})
    found = re.search(r'<div id="config"[^>]*>(.*?)</div>', page.text)
    if found is None:
        raise RuntimeError(f"no page of the callback: {page.status} {page.text[:200]}")
    secret = json.loads(html.unescape(found[1])).get("credentialSecret")
    answer = person.login({"oauth": {"credentialToken": token, "credentialSecret": secret}})
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {answer.text[:200]}")
    return str(person.get("me").body["username"])


def log_in_at_once(chat: Chat, count: int) -> bool:
    """`count` new users who come back from the provider in the same moment; whether all came in."""
    names = [f"temp_{number}_{secrets.token_hex(3)}" for number in range(count)]
    together = threading.Barrier(count)

    def one(name: str) -> str | None:
        together.wait()
        try:
            return None if log_in(chat, name) == name else f"{name} is somebody else"
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    begin = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        problems = [problem for problem in pool.map(one, names) if problem]
    seconds = time.perf_counter() - begin
    members = {user["username"] for user in _all_members(chat)}
    missing = [name for name in names if name not in members]
    print(
        f"{count} SSO log-ins at once: {seconds:.1f} s, {len(problems)} errors, "
        f"{len(missing)} without the default room"
    )
    for problem in problems[:3]:
        print(f"  {problem}")
    return not problems and not missing


def _all_members(chat: Chat) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = chat.admin.get("channels.members", roomId="GENERAL", count=100, offset=len(found)).body
        found += page["members"]
        if len(found) >= page["total"] or not page["members"]:
            return found


def connect_often(chat: Chat, standin: Standin, count: int) -> bool:
    """`count` WebSockets that say nothing, five hundred at a time; whether it serves all the while."""
    opened_ones, served, begin = 0, True, time.perf_counter()
    for start in range(0, count, BATCH):
        with ExitStack() as opened:
            peers = []
            for _ in range(min(BATCH, count - start)):
                peer = opened.enter_context(
                    sockets.create_connection(("127.0.0.1", standin.port), timeout=20)
                )
                peer.sendall(_UPGRADE)
                peers.append(peer)
            opened_ones += sum(peer.recv(64).startswith(b"HTTP/1.1 101") for peer in peers)
            served &= chat.admin.get("me").status == 200
    seconds = time.perf_counter() - begin
    print(
        f"{opened_ones} of {count} connects in batches of {BATCH}: {seconds:.1f} s, "
        f"{'it serves' if served else 'NOT SERVING'}"
    )
    return served and opened_ones == count


def memory(standin: Standin, when: str) -> bool:
    """Print the resident set of the stand-in's process; whether it keeps the limit."""
    assert standin.process
    (service,) = psutil.Process(standin.process.pid).children()
    size = service.memory_info().rss / 1e6
    kept = size <= MEMORY_LIMIT_MB
    print(
        f"memory {when}: {size:.0f} MB; limit {MEMORY_LIMIT_MB:.0f} MB "
        f"{'kept' if kept else 'EXCEEDED'} (ratio {size / MEMORY_LIMIT_MB:.2f})",
        flush=True,
    )
    return kept


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--logins", type=int, default=200)
    parser.add_argument("--connects", type=int, default=10_000)
    wanted = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in psutil.getloadavg())
    print(f"{machine.describe()}; load {load}")
    print(f"MongoDB: {'mongod' if mongod.find(None) else 'stand-in'}")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        made = opened.enter_context(standins(folder))
        standin = opened.enter_context(made.running())
        provider = Provider(url=opened.enter_context(providing()))
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        for name in (
            "DDP_Rate_Limit_Connection_By_Method_Enabled",
            "Accounts_TwoFactorAuthentication_By_Email_Enabled",
        ):
            chat.set(name, False)
        connect(chat, provider)
        kept = memory(standin, "at the start")
        kept &= time_answers(chat, wanted.calls)
        kept &= log_in_at_once(chat, wanted.logins)
        kept &= memory(standin, "after the log-ins")
        kept &= connect_often(chat, standin, wanted.connects)
        kept &= memory(standin, "after the connects")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
