"""The proxy before a service: invisible without a rule, and each rule does what it says."""

from __future__ import annotations

import json
import time

import pytest
import requests
from websockets.sync.client import connect

from faults import Patient
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
from tests.faults.ward import Ward

pytestmark = pytest.mark.faults

STATUS = "/api/v1/status/"


def _get(patient: Patient, path: str, **headers: str) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        address = patient.contract.site.url + path
        return http.get(address, headers=headers, timeout=10, allow_redirects=False)


def test_a_web_socket_passes(ward: Ward) -> None:
    with ward.fresh() as patient:
        address = patient.contract.chat.url.replace("http://", "ws://") + "/websocket"
        with connect(address) as socket:
            socket.send(json.dumps({"msg": "connect", "version": "1", "support": ["1"]}))
            said = json.loads(socket.recv(5))
    assert said["msg"] == "connected"


def test_every_rule_does_what_it_says(ward: Ward) -> None:
    status = to(STATUS)
    with ward.fresh() as patient:
        plain = _get(patient, STATUS)
        with patient.ruled("site", answers(status, 418, "<h1>tea</h1>", Retry_After="5")):
            told = _get(patient, STATUS)
            assert (told.status_code, told.text, told.headers["Retry-After"]) == (418, "<h1>tea</h1>", "5")
        with patient.ruled("site", answers_json(status, 503, status="no")):
            assert _get(patient, STATUS).json() == {"status": "no"}
        with (
            patient.ruled("site", lost(status)),
            pytest.raises(requests.ConnectionError),
        ):
            _get(patient, STATUS)
        with patient.ruled("site", fields(status, status="no", version=None)):
            assert _get(patient, STATUS).json() == {
                key: value for key, value in (plain.json() | {"status": "no"}).items() if key != "version"
            }
        with patient.ruled("site", rewritten(status, '"ok"', '"no"')):
            assert _get(patient, STATUS).json()["status"] == "no"
        with patient.ruled("site", reply_with(status, "Content-Type", "text/plain")):
            assert _get(patient, STATUS).headers["Content-Type"] == "text/plain"
        with patient.ruled("site", late(status, 0.3)):
            started = time.monotonic()
            assert _get(patient, STATUS).json() == plain.json()
            assert time.monotonic() - started >= 0.3
        assert _get(patient, STATUS).json() == plain.json()


def test_rules_of_cookies_and_locations(ward: Ward) -> None:
    with ward.fresh() as patient:
        login, page = patient.contract.site.login_path, patient.contract.site.test_page
        assert "besedka_csrf" in _get(patient, login).cookies
        with patient.ruled("site", reply_without_cookie(every, "besedka_csrf")):
            assert "besedka_csrf" not in _get(patient, login).cookies
        with patient.ruled("site", relocated(to(page), r"\?.*", "?next=/")):
            assert _get(patient, page).headers["Location"] == f"{login}?next=/"
            assert "Location" not in _get(patient, login).headers


def test_the_last_rule_sees_a_request_first_and_the_service_what_is_left(ward: Ward) -> None:
    seen: list[str] = []

    def noted(name: str) -> Rule:
        def note(request: Request) -> bool:
            seen.append(f"{name} {request.header('X-Test')}".strip())
            return False

        return Rule(note, lambda request, forward: forward(request))

    with ward.fresh() as patient:
        with patient.ruled("site", noted("inner"), request_without(every, "x-test"), noted("outer")):
            _get(patient, STATUS, **{"X-Test": "yes"})
        assert seen == ["outer yes", "inner"]


def test_a_rule_holds_for_its_paths_verbs_and_callers_alone(ward: Ward) -> None:
    def marked(reply: Reply) -> Reply:
        return Reply(299, reply.headers, reply.body)

    with ward.fresh() as patient:
        rules = [
            (to("/api/*"), 299),
            (to(STATUS, "POST"), 200),
            (to("/api/v1/"), 200),
            (to(STATUS, by="Meteor"), 200),
            (to(STATUS, by="python-requests"), 299),
        ]
        for which, status in rules:
            with patient.ruled("site", changed(which, marked)):
                assert _get(patient, STATUS).status_code == status
