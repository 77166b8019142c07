"""Faults that go wrong: each is named with a next step, and nothing of the stack is left behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from besedka import contract as contracts
from besedka.faults import Fault, Patient, catalogue, proxied
from besedka.faults.patient import FaultError
from besedka.faults.proxied import ProxiedStack
from besedka.faults.proxy import Proxy, Rule
from besedka.faults.rules import every
from besedka.stack import embedded
from besedka.stack.processes import free_port
from tests.faults.ward import Ward
from tests.inner import processes_of

pytestmark = pytest.mark.faults

CONTRACT = contracts.load()
BY_NAME = {fault.name: fault for fault in catalogue(CONTRACT)}


@pytest.fixture
def running() -> Iterator[ProxiedStack]:
    """A stack for one test; whatever the test does to it, nothing of it may be left."""
    with proxied.running(CONTRACT) as started:
        proxies = dict(started.proxies)
        yield started
    assert processes_of(started.folder) == []
    assert [name for name in ("mongo", "site") if (started.folder / name).exists()] == []
    assert [name for name, proxy in proxies.items() if proxy.running] == []
    assert [name for name, port in started.ports.items() if _listens(port)] == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _first_code(patient: Patient) -> str:
    cause = patient.examine().first_cause
    assert cause is not None
    return cause.code


def _first_code_without(patient: Patient, service: str) -> str:
    patient.running.processes[service].kill()
    return _first_code(patient)


@contextmanager
def _never_undone(one: Patient) -> Iterator[None]:
    with one.column("accounts_user", ("username", "test_user"), "role", "moderator"):
        yield
    raise OSError("the disk is full")


@contextmanager
def _never_put_in(one: Patient) -> Iterator[None]:
    raise OSError("the disk is full")
    yield


def test_an_undo_that_fails_is_named(running: ProxiedStack) -> None:
    fault = Fault("never_undone", "site.accounts.role", _never_undone)
    with (
        Patient.of(running, CONTRACT) as patient,
        pytest.raises(FaultError, match="the undo of never_undone failed: OSError: the disk is full") as said,
        fault.put_into(patient),
    ):
        assert _first_code(patient) == fault.cause
    assert said.value.next_step.startswith("use this stack for nothing more: stop it")
    assert said.value.where == str(running.folder)


def test_a_failed_undo_does_not_hide_what_failed_before_it(ward: Ward) -> None:
    fault = Fault("never_undone", "site.accounts.role", _never_undone)
    with ward.healthy() as patient:
        with (
            pytest.raises(FaultError, match="the undo of never_undone failed") as said,
            fault.put_into(patient),
        ):
            raise AssertionError("what the test found")
        told = said.value.__cause__
        assert told is not None
        assert str(told.__context__) == "what the test found"


@pytest.mark.parametrize(
    ("dies", "name", "cause"),
    [
        ("rocketchat", "chat_thinks_it_lives_elsewhere", "services.chat.unanswered"),
        ("mongo", "account_deactivated", "services.mongo.unanswered"),
    ],
)
def test_a_stack_that_dies_under_a_fault_is_named(
    running: ProxiedStack, dies: str, name: str, cause: str
) -> None:
    fault = BY_NAME[name]
    with (
        Patient.of(running, CONTRACT) as patient,
        pytest.raises(FaultError, match=f"the undo of {name} failed; .*{dies}.* had ended") as said,
        fault.put_into(patient),
    ):
        assert _first_code_without(patient, dies) == cause
    assert "start another" in said.value.next_step


def test_a_site_that_dies_is_named_by_doctor_and_comes_back(ward: Ward) -> None:
    with ward.healthy() as patient, BY_NAME["site_stopped"].put_into(patient):
        patient.running.processes["site"].kill()
        codes = [found.code for found in patient.examine().findings]
        assert codes == ["services.site.unanswered"]


def test_a_stack_that_is_not_ours_is_refused(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    with ward.healthy() as patient:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(patient.running, "stack", replace(patient.stack, kind="attached"))
            with (
                pytest.raises(FaultError, match="may not be put into this stack") as said,
                Patient.of(patient.running, CONTRACT),
            ):
                pytest.fail("an attached stack took a fault")
        assert said.value.where == "attached"
        assert said.value.next_step == "leave --stack out: pytest -m faults starts stacks of its own"


def test_a_stack_that_was_never_started_is_refused() -> None:
    never_started = embedded.EmbeddedStack(CONTRACT, embedded.new_run_folder())
    with (
        pytest.raises(FaultError, match="may not be put into this stack") as said,
        Patient.of(never_started, CONTRACT),
    ):
        pytest.fail("a stack that was never started took a fault")
    assert said.value.where == "a stack that was never started"


def test_a_fault_that_cannot_be_put_in_is_named_and_changes_nothing(ward: Ward) -> None:
    fault = Fault("never_put_in", "site.accounts.role", _never_put_in)
    with ward.healthy() as patient:
        with (
            pytest.raises(FaultError, match="never_put_in could not be put in: OSError") as said,
            fault.put_into(patient),
        ):
            pytest.fail("the fault is in")
        assert said.value.next_step.startswith("run doctor on a stack without a fault")


def test_a_fault_of_a_document_that_is_not_there_is_named(ward: Ward) -> None:
    fault = Fault(
        "nobody", "rooms.accounts.inactive", lambda one: one.changed("users", {"username": "x"}, {"$set": {}})
    )
    with ward.healthy() as patient:
        with pytest.raises(FaultError, match="lacks the document") as said, fault.put_into(patient):
            pytest.fail("the fault is in")
        assert said.value.where == "users"


def test_a_fault_of_a_row_that_is_not_there_is_named(ward: Ward) -> None:
    with ward.healthy() as patient:
        with (
            pytest.raises(FaultError, match="0 rows") as said,
            patient.column("accounts_user", ("username", "x"), "role", "user"),
        ):
            pytest.fail("the fault is in")
        assert said.value.where == "accounts_user, username"


def test_a_rule_that_raises_is_named(ward: Ward) -> None:
    def raising(request: object, forward: object) -> None:
        raise KeyError("what the rule looked for")

    fault = Fault("rule", "services.site.unanswered", lambda one: one.ruled("site", Rule(every, raising)))
    with (
        ward.healthy() as patient,
        pytest.raises(FaultError, match="the undo of rule failed: KeyError: 'what the rule looked for'"),
        fault.put_into(patient),
    ):
        assert _first_code(patient) == fault.cause


def test_a_rule_needs_a_proxy(ward: Ward) -> None:
    with ward.healthy() as patient:
        assert isinstance(patient.running, ProxiedStack)
        bare = replace(patient, running=_without_proxies(patient.running))
        with (
            pytest.raises(FaultError, match="nothing stands before site") as said,
            BY_NAME["site_starting"].put_into(bare),
        ):
            pytest.fail("the rule holds")
        assert said.value.next_step == "start the stack with besedka.faults.proxied.running"


def _without_proxies(one: ProxiedStack) -> embedded.EmbeddedStack:
    return embedded.EmbeddedStack(one.contract, one.folder, one.mongod, one.stack, one.processes)


def test_a_stack_on_which_a_test_failed_is_given_up(ward: Ward) -> None:
    with pytest.raises(FaultError, match="0 rows"), ward.healthy() as first:
        first.site_value("accounts_user", ("username", "x"))
    with ward.healthy() as second:
        assert second.stack.run_id != first.stack.run_id
    assert processes_of(first.stack.folder) == []


def test_a_proxy_before_nothing_answers_nothing_and_ends() -> None:
    proxy = Proxy(free_port(), free_port())
    assert proxy.running
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1) == b""
    proxy.close()
    assert not proxy.running
    assert not _listens(proxy.port)
