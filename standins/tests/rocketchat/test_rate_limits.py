"""Rate limits (apps/meteor/app/api/server/api.ts, server/settings/rate.ts), under default settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

import pytest

from .chat import WAIT_SECONDS, Chat, eventually
from .client import random_address

pytestmark = pytest.mark.conformance

LIMIT, WINDOW_SECONDS = 10, 60
# Rocket.Chat's own interval of methods, and Meteor's of log-ins; a real server's is waited for.
METHOD_SECONDS = 10


@pytest.fixture
def limited(changeable: Chat) -> Chat:
    """A server with the limits of a fresh one, whatever it is set up with."""
    calls, interval = (f"API_Enable_Rate_Limiter_Limit_{part}_Default" for part in ("Calls", "Time"))
    before = changeable.admin.get(f"settings/{calls}").body["value"]
    # What the last test put back may still be on its way, and would arrive after what is set here.
    eventually(lambda: _left(changeable) == before - 1, "the server's own limit holds")
    changeable.set(calls, LIMIT)
    changeable.set(interval, WINDOW_SECONDS * 1000)
    deadline = time.monotonic() + WAIT_SECONDS
    while _left(changeable) != LIMIT - 1:
        if time.monotonic() > deadline:
            assert not changeable.has_clock
            pytest.skip("this server has another limit, and takes a changed one at its next start only")
    return changeable


def _left(chat: Chat) -> int:
    """How many calls a new caller has after the first; the limit's own header may be ahead of what holds."""
    answer = chat.anybody(address=random_address()).get("settings.public", count=1)
    return int(answer.headers.get("X-RateLimit-Remaining", -1))


def _reset_in(chat: Chat) -> float:
    """Seconds until a new caller's calls count anew."""
    answer = chat.anybody(address=random_address()).get("settings.public", count=1)
    return int(answer.headers["X-RateLimit-Reset"]) / 1000 - chat.now().timestamp()


def _over(chat: Chat, seconds: float, question: Callable[[], bool]) -> None:
    """It becomes so once the interval is over: a stand-in's clock moves, a real server's is waited for.

    Refused calls count too, and under several rules, whose intervals begin at different times. A client that
    goes on asking is refused for ever (seen on 6.5.3). So something without a limit is asked meanwhile.
    """
    if chat.has_clock:
        chat.advance(seconds)
    begun = time.monotonic()

    def over() -> bool:
        if not chat.has_clock and time.monotonic() < begun + seconds:
            return chat.anybody().request("GET", "/api/info").status != HTTPStatus.OK
        return question()

    eventually(over, "the interval is over", within=seconds + WAIT_SECONDS)


@pytest.mark.trap("Rate limits", "ten a minute, with headers")
def test_ten_calls_a_minute_for_a_route_and_an_address(limited: Chat) -> None:
    """API_Enable_Rate_Limiter_Limit_Calls_Default and …_Time_Default (rate.ts)."""
    caller = limited.anybody(address=random_address())
    answers = [caller.get("settings.public", count=1) for _ in range(LIMIT + 1)]
    assert [answer.status for answer in answers] == [200] * LIMIT + [429]
    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == [str(LIMIT)] * (LIMIT + 1)
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers]
    assert left == [*range(LIMIT - 1, -1, -1), 0]
    assert caller.get("settings.oauth").status == 200, "another route has a limit of its limited"
    assert limited.anybody(address=random_address()).get("settings.public", count=1).status == 200


@pytest.mark.trap("Rate limits", "the words of 429")
def test_429_says_how_long(limited: Chat) -> None:
    """The words are Rocket.Chat's, and `errorType` is not there (ApiClass.ts, tooManyRequests)."""
    caller = limited.anybody(address=random_address())
    answer = [caller.get("settings.oauth") for _ in range(LIMIT + 1)][-1]
    assert set(answer.body) == {"success", "error"}
    before, _, after = answer.body["error"].partition(" seconds ")
    assert before.startswith("Error, too many requests. Please slow down. You must wait ")
    assert after == "before trying this endpoint again. [error-too-many-requests]"


@pytest.mark.trap("Rate limits", "Reset is an absolute time in ms")
def test_the_reset_is_a_time_in_milliseconds_and_comes(limited: Chat) -> None:
    """X-RateLimit-Reset is absolute (api.ts)."""
    seconds = WINDOW_SECONDS if limited.has_clock else 4
    limited.set("API_Enable_Rate_Limiter_Limit_Time_Default", seconds * 1000)
    eventually(lambda: _reset_in(limited) <= seconds, "the interval is the changed one")
    caller = limited.anybody(address=random_address())
    answers = [caller.get("settings.oauth") for _ in range(LIMIT + 1)]
    reset = int(answers[0].headers["X-RateLimit-Reset"])
    assert reset > time.time() * 1000
    assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {str(reset)}
    _over(limited, seconds, lambda: caller.get("settings.oauth").status == 200)


@pytest.mark.trap("Rate limits", "log-in is limited too")
def test_login_is_limited_for_anybody(limited: Chat) -> None:
    """A caller without a session cannot be exempt, the administrator neither (ApiClass.ts, login)."""
    admin = limited.admin
    caller = limited.anybody(address=random_address())
    body = {"username": admin.username, "password": admin.password}
    answers = [caller.login(body) for _ in range(LIMIT)]
    assert [answer.status for answer in answers] == [200] * LIMIT
    for answer in answers:
        caller.token = answer.body["data"]["authToken"]
        caller.post("logout")
    caller.token = None
    refused = caller.post("login", body)
    assert refused.status == 429
    assert refused.headers["X-RateLimit-Remaining"] == "0"


@pytest.mark.trap("Rate limits", "who is exempt")
def test_who_may_bypass_is_not_counted(limited: Chat) -> None:
    """api-bypass-rate-limit: admin, bot and app (authorization/constant/permissions.ts)."""
    address = {"X-Real-IP": random_address()}
    answers = [limited.admin.request("GET", "/api/v1/me", headers=address) for _ in range(LIMIT + 2)]
    assert {answer.status for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers
    anna = [limited.anna.request("GET", "/api/v1/me", headers=address) for _ in range(LIMIT + 1)]
    assert anna[-1].status == 429


def test_the_limiter_can_be_switched_off(limited: Chat) -> None:
    """API_Enable_Rate_Limiter, live (api.ts, shouldAddRateLimitToRoute)."""
    limited.set("API_Enable_Rate_Limiter", False)
    caller = limited.anybody(address=random_address())
    answers = [caller.get("settings.oauth") for _ in range(LIMIT + 2)]
    assert {answer.status for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers


@pytest.mark.trap("Rate limits", "methods have their own")
def test_methods_have_a_limit_of_their_own(limited: Chat) -> None:
    """DDP's: ten calls of a method in ten seconds, refused inside a 200 (v1/misc.ts, method.call)."""
    method = "DDP_Rate_Limit_Connection_By_Method"
    limited.set(f"{method}_Enabled", True)
    limited.set(f"{method}_Requests_Allowed", LIMIT)
    limited.set(f"{method}_Interval_Time", METHOD_SECONDS * 1000)

    def refused() -> list[str | None]:
        """What a new user's calls are refused for: calls count by session, and by user."""
        person = limited.person()
        frames = [person.method("rooms/get") for _ in range(LIMIT + 1)]
        return [frame.get("error", {}).get("error") for frame in frames]

    eventually(lambda: refused() == [None] * LIMIT + ["too-many-requests"], "the limit is the changed one")
    person = limited.person()
    for _ in range(LIMIT + 1):
        person.method("rooms/get")
    assert "result" in person.method("subscriptions/get")
    _over(limited, METHOD_SECONDS, lambda: "result" in person.method("rooms/get"))


@pytest.mark.trap("Rate limits", "five log-ins in ten seconds")
def test_the_sixth_log_in_within_ten_seconds_is_refused(limited: Chat) -> None:
    """Meteor's own rule, per address by REST (accounts-base; measured on 6.13.0); no setting changes it."""
    limited.set("DDP_Rate_Limit_Connection_By_Method_Enabled", False)
    caller = limited.anybody(address=random_address())
    wrong = {"user": {"username": limited.anna.username}, "password": "wrong"}
    errors = [caller.method("login", wrong)["error"]["error"] for _ in range(6)]
    assert errors[5] == "too-many-requests"
    assert "too-many-requests" not in errors[:5]
    another = limited.anybody(address=random_address())
    assert another.method("login", wrong)["error"]["error"] != "too-many-requests"
    _over(
        limited,
        METHOD_SECONDS,
        lambda: caller.method("login", wrong)["error"]["error"] != "too-many-requests",
    )
