"""The description of the REST routes holds: schemathesis sends what it allows and what it does not.

Every route of the table is in the description. Every answer has a declared status and shape, none is a 5xx.
On a stand-in the calls are an administrator's; on somebody's server they are those of an account without
rights.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from standins.rocketchat.openapi import document
from standins.rocketchat.registry import ROUTES

from .client import Json, random_address
from .misuse import Misused
from .versions import at

pytestmark = pytest.mark.conformance

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    # Not shrunk: on a slow server each try of a failure costs its whole patience.
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)
_DOCUMENTED = {
    f"{verb.upper()} {path}": operation
    for path, operations in document()["paths"].items()
    for verb, operation in operations.items()
}


def _without_sessions() -> Json:
    """The description with nothing to log in by: schemathesis would make up tokens, and send them too."""
    described = document()
    for operations in described["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return described


OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(_without_sessions()).get_all_operations()
}
# The administrator's own session has to outlive the tests.
_OF_A_SESSION = [label for label in OPERATIONS if not label.endswith("/logout")]
_FREE = [name for name, operation in _DOCUMENTED.items() if "security" not in operation]


@pytest.fixture
def operation(misused: Misused, label: str) -> str:
    """An operation that this version of the server has."""
    verb, path = label.split()
    url = f"/api/v1{re.sub('{.*?}', 'x', path)}"
    answer = misused.chat.anybody().request(verb, url)
    unknown = dict(zip(("GET", "POST"), at(misused.chat.version, "unknown path"), strict=True))
    if answer.status == unknown[verb] and not answer.headers.get("Content-Type", "").startswith(
        "application/json"
    ):
        pytest.skip("a route that came with a later version")
    return label


def test_every_route_is_described() -> None:
    """Made of the table; the count is of paths and methods."""
    assert len(_DOCUMENTED) == len(OPERATIONS) == len(ROUTES)


def _ask(misused: Misused, label: str, mode: GenerationMode, few: settings, session: Json) -> Counter[int]:
    """Call an operation with generated values and check each answer; how often each status came."""
    statuses: Counter[int] = Counter()

    # Somebody's server takes its time, and the account there may do little.
    @settings(few, max_examples=few.max_examples if misused.is_own else 2)
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        headers = session | {"X-Real-IP": random_address()}
        answer = case.call(base_url=f"{misused.chat.url}/api/v1", headers=headers)
        if answer.status_code != 400 or not answer.headers["content-type"][0].startswith(_broken(misused)):
            case.validate_response(answer, checks=_CHECKS, headers=headers)
        statuses[answer.status_code] += 1

    call()
    return statuses


@pytest.mark.parametrize("label", _OF_A_SESSION)
def test_a_caller_gets_declared_answers(misused: Misused, operation: str) -> None:
    """Values that are allowed and values that are not, with a session and the second factor."""
    caller = misused.caller
    session = {"X-Auth-Token": str(caller.token), "X-User-Id": str(caller.user_id)} | caller.second_factor
    for mode in GenerationMode:
        if mode is GenerationMode.NEGATIVE and not _takes_values(operation):
            continue
        statuses = _ask(misused, operation, mode, _FEW, session)
        assert statuses
        assert 401 not in statuses or operation == "POST /login", "the session holds"


def _broken(misused: Misused) -> str:
    """What a body is answered with that is no JSON object; nothing where that is declared."""
    kind: str = at(misused.chat.version, "broken body")
    return kind if kind == "text/html" else "undeclared"


def _takes_values(label: str) -> bool:
    operation = OPERATIONS[label]
    return bool(operation.body or operation.query)


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in _FREE])
def test_nobody_is_refused_before_anything_else(misused: Misused, operation: str) -> None:
    """401 without a session, whatever is sent (ApiClass.ts, addRoute)."""
    few = settings(_FEW, max_examples=2)
    statuses = _ask(misused, operation, GenerationMode.POSITIVE, few, {"X-Auth-Token": "", "X-User-Id": ""})
    assert set(statuses) == {401}


def test_no_call_left_a_traceback(misused: Misused) -> None:
    """A handler that fails otherwise than by a refusal is answered 400 and logged; none did so far."""
    assert misused.caller.get("me").status == 200
    assert not misused.tracebacks()
