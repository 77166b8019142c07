"""A time-out is believed when it has come twice, and only where asking twice does no harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from besedka.errors import ServiceUnreachableError
from besedka.rocketchat.rest import RocketChat
from besedka.site import Site


class Asked:
    """What was asked; the first answers are these errors, then comes an empty success."""

    def __init__(self, *errors: Exception) -> None:
        self.errors: Iterator[Exception] = iter(errors)
        self.timeouts: list[float] = []

    def __call__(
        self, _session: requests.Session, _verb: str, _url: str, **options: Any
    ) -> requests.Response:
        self.timeouts.append(options["timeout"])
        for error in self.errors:
            raise error
        answer = requests.Response()
        answer.status_code, answer._content = (
            200,
            b'{"success": true, "data": {"userId": "u", "authToken": "t"}}',
        )
        return answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_errors(*errors: Exception) -> Asked:
        made = Asked(*errors)

        # A function, because an instance would not be given the session.
        def request(*args: Any, **options: Any) -> requests.Response:
            return made(*args, **options)

        monkeypatch.setattr(requests.Session, "request", request)
        return made

    return with_errors


def test_a_slow_answer_is_asked_for_again_and_longer(asked: Any) -> None:
    seen = asked(requests.ReadTimeout())
    assert RocketChat("http://chat", timeout=4, patient=True).get("info")["success"] is True
    assert seen.timeouts == [4, 12]


@pytest.mark.parametrize(
    ("client", "verb", "errors", "times"),
    [
        (RocketChat("http://chat", patient=True), "GET", 2, 2),
        (RocketChat("http://chat", patient=True), "POST", 1, 1),
        (RocketChat("http://chat"), "GET", 1, 1),
        (Site("http://site", patient=True), "GET", 2, 2),
        (Site("http://site", patient=True), "POST", 1, 1),
    ],
)
def test_what_stays_silent_is_believed(
    asked: Any, client: RocketChat | Site, verb: str, errors: int, times: int
) -> None:
    seen = asked(*[requests.ReadTimeout()] * errors)
    with pytest.raises(ServiceUnreachableError):
        client.call(verb, "users.list") if isinstance(client, RocketChat) else client.request(verb, "/")
    assert len(seen.timeouts) == times


def test_nobody_at_the_address_is_believed_at_once(asked: Any) -> None:
    seen = asked(requests.ConnectionError())
    with pytest.raises(ServiceUnreachableError):
        RocketChat("http://chat", patient=True).get("info")
    assert len(seen.timeouts) == 1


def test_a_log_in_is_repeated(asked: Any) -> None:
    seen = asked(requests.ReadTimeout())
    RocketChat.sign_in("http://chat", "owner", "password", patient=True)
    assert len(seen.timeouts) == 2
