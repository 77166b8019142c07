"""DDP with values of any type in any field: Meteor's answer by name, no silence, no traceback.

`ddp-server/livedata_server.js`: a text that is no EJSON is a "Parse error"; a message without a known `msg`
is a "Bad request"; before `connect` everything else is "Must connect first"; a `connect` in another version
is "failed" and ends the connection; malformed `sub` and `method` messages are told which; a well-formed one
is answered `ready` or `nosub`, `result` and `updated`, whatever its parameters are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from standins.rocketchat.app import declare_handlers
from standins.rocketchat.registry import METHODS

from .chat import Chat
from .client import Json
from .sockets import Socket, signed_in, socket
from .standin import ADMIN, ADMIN_PASSWORD, Standin, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "sends the server nonsense and reads its log"
declare_handlers()

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["GENERAL", "\0", "\ud800", {"$date": 0}, {"$date": "x"}])
    | st.sampled_from([{"$binary": "YQ=="}, {"$ne": None}, {"$type": "oid", "$value": 5}, {"$escape": 5}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_KNOWN = "rid msg _id user password resume oauth totp iframe tmid username code added serviceName accessToken"
_OPTIONS = st.dictionaries(st.sampled_from(_KNOWN.split()), _VALUES, min_size=1, max_size=3)
_KINDS = ("connect", "ping", "pong", "sub", "unsub", "method", "ready", "")
_FIELDS = ("id", "name", "method", "params", "version", "support", "session")
_MESSAGES = st.builds(
    lambda kind, fields: {"msg": kind} | fields,
    st.sampled_from(_KINDS) | _VALUES,
    st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=4),
)
_MANY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture(scope="module")
def server(standins: Standins) -> Iterator[tuple[Chat, Path]]:
    """A stand-in without limits on methods, and its log."""
    with standins.running(TEST_MODE="true") as standin:
        yield Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url), _log_of(standin)


def _log_of(standin: Standin) -> Path:
    return standin.folder / f"chat-{standin.port}.log"


def _tracebacks(log: Path) -> str:
    text = log.read_text(encoding="utf-8")
    return text[text.index("Traceback") - 300 :][:2500] if "Traceback" in text else ""


def _is_text(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _expected(message: Json) -> str:
    """What Meteor answers a message of an open connection: the `reason` of an error, or a kind."""
    kind, params = message["msg"], message.get("params", [])
    named = "name" if kind == "sub" else "method"
    good = _is_text(message.get("id"), message.get(named)) and isinstance(params, list)
    answers = {
        "connect": "Already connected",
        "ping": "pong",
        "pong": "nothing",
        "unsub": "nosub" if _is_text(message.get("id")) else "nothing",
        "sub": "nosub" if good else "Malformed subscription",
        "method": "result" if good else "Malformed method invocation",
    }
    return answers.get(kind, "Bad request") if isinstance(kind, str) else "Bad request"


def _answers(client: Socket) -> list[Json]:
    """Everything that has come until the answer to a ping of our own."""
    client.send({"msg": "ping", "id": "the end"})
    client.wait(lambda m: m.get("msg") == "pong" and m.get("id") == "the end")
    came, client.inbox = client.inbox, []
    return came


@_MANY
@given(message=_MESSAGES)
def test_a_message_of_any_shape_has_its_answer(server: tuple[Chat, Path], message: Json) -> None:
    """On an open connection without a session, which goes on afterwards."""
    chat, log = server
    with socket(chat.url) as client:
        client.open()
        client.inbox.clear()
        client.send(message)
        came = _answers(client)
    expected = _expected(message)
    kinds = [answer["msg"] for answer in came]
    if expected == "nothing":
        assert kinds == []
    elif expected in {"pong", "nosub"}:
        assert kinds == [expected]
    elif expected == "result":
        assert kinds == ["result", "updated"]
    else:
        assert [(answer["msg"], answer["reason"]) for answer in came] == [("error", expected)]
    assert not _tracebacks(log)


@_MANY
@given(message=_MESSAGES)
def test_before_connect_there_is_an_answer_or_an_end(server: tuple[Chat, Path], message: Json) -> None:
    """ "Must connect first", or `failed` and the end for a version that the server does not speak."""
    chat, log = server
    with socket(chat.url) as client:
        client.send(message)
        answer = client.wait(lambda m: True)
        if message["msg"] == "connect":
            assert answer == {"msg": "failed", "version": "1"}
            with pytest.raises(ConnectionClosed):
                client.receive_frame()
        else:
            reason = "Must connect first" if _is_text(message["msg"]) else "Bad request"
            assert (answer["msg"], answer["reason"]) == ("error", reason)
    assert not _tracebacks(log)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_method_takes_parameters_of_any_type(server: tuple[Chat, Path], method: str) -> None:
    """A result or an error by name; 500 and a logged traceback would be a handler that trusts its caller."""
    chat, log = server
    person = chat.person()

    @settings(_MANY, max_examples=15)
    @given(params=st.lists(_VALUES | _OPTIONS, max_size=5))
    def call(params: list[Any]) -> None:
        client.send({"msg": "method", "id": "m", "method": method, "params": params})
        answer = client.named("result", id="m")
        assert answer.get("error", {}).get("error") != 500, (params, _tracebacks(log))
        client.named("updated")

    with signed_in(chat.url, person) as client:
        call()
    assert not _tracebacks(log)
    chat.clean()


@pytest.mark.parametrize(
    "options",
    [
        {"oauth": True},
        {"oauth": {"credentialToken": 5}},
        {"serviceName": 5, "accessToken": "x", "expiresIn": 1},
        {"user": 5, "password": "x"},
        {"totp": {"code": "1", "login": [5]}},
        {"totp": 5},
        {},
    ],
    ids=json.dumps,
)
def test_a_log_in_of_the_wrong_shape_is_400(server: tuple[Chat, Path], options: Json) -> None:
    """ "Match failed", or "Unrecognized options"; since 7.0 some are masked as 401 (loginErrorMessageOverride)."""
    chat, log = server
    with socket(chat.url) as client:
        client.open()
        assert client.call("login", options)["error"]["error"] in {400, 401}
    assert not _tracebacks(log)


@pytest.mark.parametrize(
    "stream",
    [
        "stream-notify-all",
        "stream-notify-logged",
        "stream-notify-user",
        "stream-notify-room",
        "stream-room-messages",
        "stream-user-presence",
        "meteor.loginServiceConfiguration",
        "userData",
    ],
)
def test_a_subscription_takes_parameters_of_any_type(server: tuple[Chat, Path], stream: str) -> None:
    """`ready` or `nosub`, each once."""
    chat, log = server

    @settings(_MANY, max_examples=15)
    @given(params=st.lists(_VALUES | _OPTIONS, max_size=3))
    def call(params: list[Any]) -> None:
        assert client.subscribe(stream, *params)["msg"] in {"ready", "nosub"}

    with signed_in(chat.url, chat.anna) as client:
        call()
    assert not _tracebacks(log)


def test_sockjs_frames_of_any_type(server: tuple[Chat, Path]) -> None:
    """A frame that is no list of texts is `c[1007,…]` or a Parse error of its text, never silence."""
    chat, log = server
    for frame in ("5", "null", "{}", "[5]", "[null]", '["{"]', "[[]]", "true"):
        with socket(chat.url, sockjs=True) as client:
            assert client.receive_frame() == "o"
            client.send_text(frame)
            came = client.receive_frame()
            assert came[0] == "c" or "Parse error" in came, frame
            if came[0] == "c":
                assert json.loads(came[1:])[0] == 1007
    assert not _tracebacks(log)
