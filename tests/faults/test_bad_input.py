"""Faults that go wrong: each is named with a next step, and nothing of the stack is left behind."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psutil
import pytest

from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.stacks import embedded, run_folders
from besedka.stacks.process.ports import free_ports
from faults import BreakableStack, Fault, catalogue
from faults.breakable_stack import FaultError
from faults.proxied import ProxiedStack
from faults.proxy import Proxy, Rule
from faults.rules import every
from tests import inner
from tests.faults.fault_lab import FaultLab

pytestmark = pytest.mark.faults

CONTRACT = contracts.load()
BY_NAME = {fault.name: fault for fault in catalogue(CONTRACT)}


@pytest.fixture
def breakable(lab: FaultLab) -> Iterator[BreakableStack]:
    """A breakable stack for one test; whatever the test does to its stack, nothing of it may be left."""
    with lab.fresh() as admitted:
        running = admitted.running
        assert isinstance(running, ProxiedStack)
        proxies, family = dict(running.proxies), _processes(running)
        yield admitted
        family += _processes(running)
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert [name for name in ("mongo", "site") if (running.folder / name).exists()] == []
    assert [name for name, proxy in proxies.items() if proxy.running] == []
    assert [name for name, port in running.ports.items() if _listens(port)] == []


def _processes(running: embedded.EmbeddedStack) -> list[psutil.Process]:
    """The guards that run, and their services."""
    guards = [psutil.Process(one.pid) for one in running.processes.values() if one.alive()]
    return [process for guard in guards for process in (guard, *guard.children(recursive=True))]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _first_code(breakable: BreakableStack) -> str:
    cause = breakable.examine().first_cause
    assert cause is not None
    return cause.code


def _first_code_without(breakable: BreakableStack, service: str) -> str:
    breakable.running.processes[service].kill()
    return _first_code(breakable)


@contextmanager
def _never_undone(one: BreakableStack) -> Iterator[None]:
    with one.column("accounts_user", ("username", "test_user"), "role", "moderator"):
        yield
    raise OSError("the disk is full")


@contextmanager
def _never_put_in(one: BreakableStack) -> Iterator[None]:
    raise OSError("the disk is full")
    yield


def test_an_undo_that_fails_is_named(breakable: BreakableStack) -> None:
    fault = Fault("never_undone", "site.accounts.role", _never_undone)
    with (
        pytest.raises(FaultError, match="the undo of never_undone failed: OSError: the disk is full") as said,
        fault.put_into(breakable),
    ):
        assert _first_code(breakable) == fault.cause
    assert said.value.next_step.startswith("use this stack for nothing more: stop it")
    assert said.value.where == breakable.stack.folder


def test_a_failed_undo_does_not_hide_what_failed_before_it(breakable: BreakableStack) -> None:
    fault = Fault("never_undone", "site.accounts.role", _never_undone)
    with (
        pytest.raises(FaultError, match="the undo of never_undone failed") as said,
        fault.put_into(breakable),
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
    breakable: BreakableStack, dies: str, name: str, cause: str
) -> None:
    fault = BY_NAME[name]
    with (
        pytest.raises(FaultError, match=f"the undo of {name} failed; .*{dies}.* had ended") as said,
        fault.put_into(breakable),
    ):
        assert _first_code_without(breakable, dies) == cause
    assert "start another" in said.value.next_step


def test_a_site_that_dies_is_named_by_doctor_and_comes_back(breakable: BreakableStack) -> None:
    with BY_NAME["site_stopped"].put_into(breakable):
        breakable.running.processes["site"].kill()
        codes = [found.code for found in breakable.examine().findings]
        assert codes == ["services.site.unanswered"]


def test_a_stack_that_is_not_ours_is_refused(
    breakable: BreakableStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(breakable.running, "stack", replace(breakable.stack, kind="attached"))
        with (
            pytest.raises(FaultError, match="may not be put into this stack") as said,
            BreakableStack.of(breakable.running, CONTRACT),
        ):
            pytest.fail("an attached stack took a fault")
    assert said.value.where == "attached"
    assert said.value.next_step == "leave --stack out: pytest -m faults starts stacks of its own"


def test_a_stack_that_was_never_started_is_refused() -> None:
    never_started = embedded.EmbeddedStack(CONTRACT, run_folders.new())
    with (
        pytest.raises(FaultError, match="may not be put into this stack") as said,
        BreakableStack.of(never_started, CONTRACT),
    ):
        pytest.fail("a stack that was never started took a fault")
    assert said.value.where == "a stack that was never started"


def test_a_fault_that_cannot_be_put_in_is_named_and_changes_nothing(breakable: BreakableStack) -> None:
    fault = Fault("never_put_in", "site.accounts.role", _never_put_in)
    with (
        pytest.raises(FaultError, match="never_put_in could not be put in: OSError") as said,
        fault.put_into(breakable),
    ):
        pytest.fail("the fault is in")
    assert said.value.next_step.startswith("run doctor on a stack without a fault")


def test_a_fault_of_a_document_that_is_not_there_is_named(breakable: BreakableStack) -> None:
    fault = Fault(
        "nobody", "rooms.accounts.inactive", lambda one: one.changed("users", {"username": "x"}, {"$set": {}})
    )
    with pytest.raises(FaultError, match="lacks the document") as said, fault.put_into(breakable):
        pytest.fail("the fault is in")
    assert said.value.where == "users"


def test_a_fault_of_a_row_that_is_not_there_is_named(breakable: BreakableStack) -> None:
    with (
        pytest.raises(FaultError, match="0 rows") as said,
        breakable.column("accounts_user", ("username", "x"), "role", "user"),
    ):
        pytest.fail("the fault is in")
    assert said.value.where == "accounts_user, username"


def test_a_rule_that_raises_is_named(breakable: BreakableStack) -> None:
    def raising(request: object, forward: object) -> None:
        raise KeyError("what the rule looked for")

    fault = Fault("rule", "services.site.unanswered", lambda one: one.ruled("site", Rule(every, raising)))
    with (
        pytest.raises(FaultError, match="the undo of rule failed: KeyError: 'what the rule looked for'"),
        fault.put_into(breakable),
    ):
        assert _first_code(breakable) == fault.cause


def test_a_rule_needs_a_proxy(breakable: BreakableStack) -> None:
    assert isinstance(breakable.running, ProxiedStack)
    bare = replace(breakable, running=_without_proxies(breakable.running))
    with (
        pytest.raises(FaultError, match="nothing stands before site") as said,
        BY_NAME["site_starting"].put_into(bare),
    ):
        pytest.fail("the rule holds")
    assert said.value.next_step == "start the stack with faults.fresh.FreshStacks"


def _without_proxies(one: ProxiedStack) -> embedded.EmbeddedStack:
    return embedded.EmbeddedStack(one.contract, one.folder, one.programs, one.stack, one.processes)


def test_each_patient_has_a_stack_that_nobody_has_touched(lab: FaultLab) -> None:
    marker = {"_id": "leftOfThePatientBefore"}
    family: list[psutil.Process] = []

    def spoil() -> None:
        with lab.fresh() as first:
            family.extend(_processes(first.running))
            first.mongo["users"].insert_one(dict(marker))
            first.set("Iframe_Restrict_Access", True)
            with closing(sqlite3.connect(first.site_file)) as database, database:
                database.execute("UPDATE accounts_user SET role = 'moderator'")
            assert len(first.examine().findings) > 1
            raise AssertionError("the test of this breakable failed")

    with pytest.raises(AssertionError, match="of this breakable"):
        spoil()

    assert len(family) == 6
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    with lab.fresh() as second:
        assert second.mongo["users"].find_one(marker) is None
        assert second.examine().findings == ()


def test_a_run_on_an_attached_stack_is_refused() -> None:
    addresses = ("--site-url=http://127.0.0.1:1", "--chat-url=http://127.0.0.1:2")
    # Tests that need no stack: should the run not be refused, it ends at once.
    finished = inner.run("-m", "faults", "--stack=attached", *addresses, "tests/faults/test_coverage.py")
    assert finished.returncode == FaultError.exit_status, finished.stdout
    said = finished.stdout + finished.stderr
    assert "a fault may not be put into this stack" in said
    assert "where: --stack=attached" in said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_run_of_faults_leaves_nothing() -> None:
    name = "the_suite_sees_it_doctor_names_it_and_the_undo_heals[setting_Iframe_Restrict_Access]"
    run = subprocess.Popen(
        inner.command("-q", f"tests/faults/test_matrix.py::test_{name}"),
        stdout=subprocess.DEVNULL,
        env=inner.environment(),
        cwd=PROJECT_ROOT,
    )
    me = psutil.Process(run.pid)
    try:
        # ForkServers, guards and services of the stack, and the inner run with its browser.
        family: list[psutil.Process] = []
        until = time.monotonic() + inner.RUN_SECONDS
        while not any(_is_browser(process) for process in family):
            assert run.poll() is None, "the run ended before a browser was there"
            assert time.monotonic() < until, "no browser was started"
            family = me.children(recursive=True)
    finally:
        run.kill()
        run.wait()
    assert len(family) > 10
    _gone, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []


def _is_browser(process: psutil.Process) -> bool:
    try:
        return "headless" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_a_proxy_before_nothing_answers_nothing_and_ends() -> None:
    proxy = Proxy(*free_ports(2))
    assert proxy.running
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1) == b""
    proxy.close()
    assert not proxy.running
    assert not _listens(proxy.port)
