"""An option that one kind of stack alone obeys chooses that kind, or is refused; it is never dropped."""

from __future__ import annotations

import pytest

from besedka import contract as contracts
from besedka.errors import UsageError
from besedka.stacks.kind import AUTO, reject_unsupported_options, resolved
from besedka.stacks.services.options import ServiceOptions

CONTRACT = contracts.load()


def test_a_program_of_this_machine_means_an_embedded_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")

    kind, why = resolved(AUTO, CONTRACT, None, ServiceOptions(redis="none", node="x").given())

    assert (kind, why) == ("embedded", "because of --redis=none")


def test_what_is_taken_by_itself_is_no_wish() -> None:
    assert ServiceOptions().given() == []


@pytest.mark.parametrize(
    ("kind", "version", "given"),
    [
        ("containers", None, ["--redis=none"]),
        ("attached", None, ["--mongod=x"]),
        (AUTO, "7.7.1", ["--rocketchat-bundle=x"]),
        ("embedded", "7.7.1", []),
    ],
)
def test_options_that_contradict_each_other(kind: str, version: str | None, given: list[str]) -> None:
    with pytest.raises(UsageError):
        reject_unsupported_options(kind, version, given)


@pytest.mark.parametrize(
    ("kind", "version", "given"),
    [("embedded", None, ["--redis=none"]), (AUTO, None, ["--mongod=x"]), ("containers", "7.7.1", [])],
)
def test_options_that_go_together(kind: str, version: str | None, given: list[str]) -> None:
    reject_unsupported_options(kind, version, given)
    assert resolved(kind, CONTRACT, version, given)[0] in {"embedded", "containers"}
