"""The proxy before a service: invisible without a rule, and each rule does what it says."""

from __future__ import annotations

import json
import time

import pytest
import requests
from websockets.sync.client import connect

from faults import BreakableStack
from faults.proxy import Reply, Request, Rule
from faults.rules import (
    answers,
    answers_json,
    changed,
    every,
    fields,
    late,
    lost,
    relocated,
    reply_with,
    reply_without_cookie,
    request_without,
    rewritten,
    to,
)
from tests.faults.fault_lab import FaultLab

pytestmark = pytest.mark.faults

STATUS = "/api/v1/status/"


def _get(breakable: BreakableStack, path: str, **headers: str) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        address = breakable.contract.site.url + path
        return http.get(address, headers=headers, timeout=10, allow_redirects=False)


def test_a_web_socket_passes(lab: FaultLab) -> None:
    with lab.fresh() as breakable:
        address = breakable.contract.chat.url.replace("http://", "ws://") + "/websocket"
        with connect(address) as socket:
            socket.send(json.dumps({"msg": "connect", "version": "1", "support": ["1"]}))
            said = json.loads(socket.recv(5))
    assert said["msg"] == "connected"


def test_every_rule_does_what_it_says(lab: FaultLab) -> None:
    status = to(STATUS)
    with lab.fresh() as breakable:
        plain = _get(breakable, STATUS)
        with breakable.ruled("site", answers(status, 418, "<h1>tea</h1>", Retry_After="5")):
            told = _get(breakable, STATUS)
            assert (told.status_code, told.text, told.headers["Retry-After"]) == (418, "<h1>tea</h1>", "5")
        with breakable.ruled("site", answers_json(status, 503, status="no")):
            assert _get(breakable, STATUS).json() == {"status": "no"}
        with (
            breakable.ruled("site", lost(status)),
            pytest.raises(requests.ConnectionError),
        ):
            _get(breakable, STATUS)
        with breakable.ruled("site", fields(status, status="no", version=None)):
            assert _get(breakable, STATUS).json() == {
                key: value for key, value in (plain.json() | {"status": "no"}).items() if key != "version"
            }
        with breakable.ruled("site", rewritten(status, '"ok"', '"no"')):
            assert _get(breakable, STATUS).json()["status"] == "no"
        with breakable.ruled("site", reply_with(status, "Content-Type", "text/plain")):
            assert _get(breakable, STATUS).headers["Content-Type"] == "text/plain"
        with breakable.ruled("site", late(status, 0.3)):
            started = time.monotonic()
            assert _get(breakable, STATUS).json() == plain.json()
            assert time.monotonic() - started >= 0.3
        assert _get(breakable, STATUS).json() == plain.json()


def test_rules_of_cookies_and_locations(lab: FaultLab) -> None:
    with lab.fresh() as breakable:
        login, page = breakable.contract.site.login_path, breakable.contract.site.test_page
        assert "besedka_csrf" in _get(breakable, login).cookies
        with breakable.ruled("site", reply_without_cookie(every, "besedka_csrf")):
            assert "besedka_csrf" not in _get(breakable, login).cookies
        with breakable.ruled("site", relocated(to(page), r"\?.*", "?next=/")):
            assert _get(breakable, page).headers["Location"] == f"{login}?next=/"
            assert "Location" not in _get(breakable, login).headers


def test_the_last_rule_sees_a_request_first_and_the_service_what_is_left(lab: FaultLab) -> None:
    seen: list[str] = []

    def noted(name: str) -> Rule:
        def note(request: Request) -> bool:
            seen.append(f"{name} {request.header('X-Test')}".strip())
            return False

        return Rule(note, lambda request, forward: forward(request))

    with lab.fresh() as breakable:
        with breakable.ruled("site", noted("inner"), request_without(every, "x-test"), noted("outer")):
            _get(breakable, STATUS, **{"X-Test": "yes"})
        assert seen == ["outer yes", "inner"]


def test_a_rule_holds_for_its_paths_verbs_and_callers_alone(lab: FaultLab) -> None:
    def marked(reply: Reply) -> Reply:
        return Reply(299, reply.headers, reply.body)

    with lab.fresh() as breakable:
        rules = [
            (to("/api/*"), 299),
            (to(STATUS, "POST"), 200),
            (to("/api/v1/"), 200),
            (to(STATUS, by="Meteor"), 200),
            (to(STATUS, by="python-requests"), 299),
        ]
        for which, status in rules:
            with breakable.ruled("site", changed(which, marked)):
                assert _get(breakable, STATUS).status_code == status
