"""The description of the REST routes holds: schemathesis sends what it allows and what it does not.

Every route of the table is in the description; every answer has a declared status and shape, none is a 5xx.
The stand-in is the test's own, because the calls are an administrator's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from standins.rocketchat.openapi import document
from standins.rocketchat.registry import ROUTES

from .chat import Chat
from .client import Json
from .standin import ADMIN, ADMIN_PASSWORD, Standin, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "sends wrong values to every route, those that remove things too"

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


@pytest.fixture(scope="module")
def served(standins: Standins) -> Iterator[tuple[Standin, Chat]]:
    """A stand-in without rate limits, and its administrator."""
    with standins.running(CREATE_TOKENS_FOR_USERS="true") as standin:
        chat = Chat(standin.url, ADMIN, ADMIN_PASSWORD, mongo_url=standin.mongo_url)
        chat.admin.post("settings/API_Enable_Rate_Limiter", {"value": False})
        yield standin, chat


def test_every_route_is_described() -> None:
    """Made of the table; the count is of paths and methods."""
    assert len(_DOCUMENTED) == len(OPERATIONS) == len(ROUTES)


def _ask(label: str, mode: GenerationMode, url: str, headers: dict[str, str], few: settings) -> Counter[int]:
    """Call an operation with generated values and check each answer; how often each status came."""
    statuses: Counter[int] = Counter()

    @few
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(base_url=f"{url}/api/v1", headers=headers, checks=_CHECKS)
        statuses[answer.status_code] += 1

    call()
    return statuses


@pytest.mark.parametrize("label", _OF_A_SESSION)
def test_an_administrator_gets_declared_answers(served: tuple[Standin, Chat], label: str) -> None:
    """Values that are allowed and values that are not, with a session and the second factor."""
    standin, chat = served
    headers = {"X-Auth-Token": str(chat.admin.token), "X-User-Id": str(chat.admin.user_id)}
    for mode in GenerationMode:
        if mode is GenerationMode.NEGATIVE and not _takes_values(label):
            continue
        statuses = _ask(label, mode, standin.url, headers | chat.admin.second_factor, _FEW)
        assert statuses
        assert 401 not in statuses or label == "POST /login", "the session holds"


def _takes_values(label: str) -> bool:
    operation = OPERATIONS[label]
    return bool(operation.body or operation.query)


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in _FREE])
def test_nobody_is_refused_before_anything_else(served: tuple[Standin, Chat], label: str) -> None:
    """401 without a session, whatever is sent (ApiClass.ts, addRoute)."""
    headers = {"X-Auth-Token": "", "X-User-Id": ""}
    few = settings(_FEW, max_examples=2)
    statuses = _ask(label, GenerationMode.POSITIVE, served[0].url, headers, few)
    assert set(statuses) == {401}


def test_no_call_left_a_traceback(served: tuple[Standin, Chat]) -> None:
    """A handler that fails otherwise than by a refusal is answered 400 and logged; none did so far."""
    standin, chat = served
    assert chat.admin.get("me").status == 200
    log = (standin.folder / f"chat-{standin.port}.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
