"""DDP with values of any type in any field: Meteor's answer by name, no silence, no traceback.

`ddp-server/livedata_server.js`, `ddp-common/utils.js`: a text that is no JSON, or without a known `msg`, is a
"Bad request"; an unknown type of EJSON is a "Parse error"; before `connect` everything else is "Must connect
first"; a `connect` in another version is "failed" and ends the connection; malformed `sub` and `method`
messages are told which; a well-formed one is answered `ready` or `nosub`, `result` and `updated`, whatever
its parameters.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from standins.rocketchat.app import declare_handlers
from standins.rocketchat.registry import METHODS

from .client import Json
from .misuse import Misused
from .sockets import Socket, signed_in, socket

pytestmark = pytest.mark.conformance
declare_handlers()


def _has_unknown_type(value: Any) -> bool:
    """A custom EJSON type that the server cannot make: it reads them in `params` (ddp-common, parseDDP)."""
    if isinstance(value, dict):
        return value.keys() == {"$type", "$value"} or any(map(_has_unknown_type, value.values()))
    return isinstance(value, list) and any(map(_has_unknown_type, value))


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
_PARAMETERS = st.lists(_VALUES | _OPTIONS, max_size=4).filter(lambda values: not _has_unknown_type(values))
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
    # Not shrunk: on a slow server each try of a failure costs its whole patience.
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)


def _is_text(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_true(value: Any) -> bool:
    """In JavaScript."""
    return isinstance(value, list | dict) or bool(value)


def _expected(message: Json) -> str:
    """What Meteor answers a message of an open connection: the `reason` of an error, or a kind."""
    kind, params, its_id = message["msg"], message.get("params", []), message.get("id")
    if _has_unknown_type(params):
        return "Parse error"
    named = "name" if kind == "sub" else "method"
    good = _is_text(its_id, message.get(named)) and isinstance(params, list)
    echoed = not _is_true(its_id) or _is_text(its_id)
    answers = {
        "connect": "Already connected",
        "ping": "pong" if echoed else "nothing",
        "pong": "nothing",
        "unsub": "nosub" if echoed else "nothing",
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
def test_a_message_of_any_shape_has_its_answer(misused: Misused, message: Json) -> None:
    """On an open connection without a session, which goes on afterwards."""
    with socket(misused.chat.url) as client:
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
    assert not misused.tracebacks()


@_MANY
@given(message=_MESSAGES)
def test_before_connect_there_is_an_answer_or_an_end(misused: Misused, message: Json) -> None:
    """ "Must connect first", or `failed` and the end for a version that the server does not speak."""
    with socket(misused.chat.url) as client:
        client.send(message)
        answer = client.wait(lambda m: True)
        if _has_unknown_type(message.get("params")):
            assert answer == {"msg": "error", "reason": "Parse error"}
        elif message["msg"] == "connect":
            assert answer == {"msg": "failed", "version": "1"}
            with pytest.raises(ConnectionClosed):
                client.receive_frame()
        else:
            kind = message["msg"]
            reason = "Must connect first" if _is_true(kind) else "Bad request"
            assert (answer["msg"], answer["reason"]) == ("error", reason)
    assert not misused.tracebacks()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_method_takes_parameters_of_any_type(misused: Misused, method: str) -> None:
    """A result or an error. On a stand-in 500 and a logged traceback would be a handler that trusts its
    caller.

    Rocket.Chat's own handlers do trust: "Internal server error" is an answer of its (livedata_server.js).
    """
    chat = misused.chat
    person = chat.person()

    @settings(_MANY, max_examples=15)
    @given(params=_PARAMETERS)
    def call(params: list[Any]) -> None:
        client.send({"msg": "method", "id": "m", "method": method, "params": params})
        answer = client.named("result", id="m")
        code = answer.get("error", {}).get("error")
        assert code != 500 or not misused.is_own, (params, misused.tracebacks())
        client.named("updated")

    with signed_in(chat.url, person) as client:
        call()
    assert not misused.tracebacks()
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
def test_a_log_in_of_the_wrong_shape_is_400(misused: Misused, options: Json) -> None:
    """ "Match failed", or "Unrecognized options"; since 7.0 some are masked as 401 (loginErrorMessageOverride)."""
    with socket(misused.chat.url) as client:
        client.open()
        assert client.call("login", options)["error"]["error"] in {400, 401}
    assert not misused.tracebacks()


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
def test_a_subscription_takes_parameters_of_any_type(misused: Misused, stream: str) -> None:
    """`ready` or `nosub`, each once."""

    @settings(_MANY, max_examples=15)
    @given(params=_PARAMETERS)
    def call(params: list[Any]) -> None:
        assert client.subscribe(stream, *params)["msg"] in {"ready", "nosub"}

    with signed_in(misused.chat.url, misused.caller) as client:
        call()
    assert not misused.tracebacks()


def test_sockjs_frames_of_any_type(misused: Misused) -> None:
    """A frame of JSON that is no list of DDP's texts is a bad request, never silence (measured on 6.5.3)."""
    for frame in ("5", "null", "{}", "[5]", "[null]", '["{"]', "[[]]", "true"):
        with socket(misused.chat.url, sockjs=True) as client:
            assert client.receive_frame() == "o"
            client.send_text(frame)
            assert client.named("error")["reason"] == "Bad request", frame
    assert not misused.tracebacks()
