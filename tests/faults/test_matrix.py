"""Each fault in a healthy stack: doctor names its cause first, and after its undo finds nothing."""

from __future__ import annotations

import pytest

from besedka import contract as contracts
from besedka.checks.finding import Severity, Status
from faults import Fault, catalogue
from faults.caught import caught_by
from faults.stopped import judged, met_in_a_browser, stopped_by
from tests.faults.fault_lab import FaultLab
from tests.faults.inner_run import names_what_is_wrong

pytestmark = pytest.mark.faults


def mood(fault: Fault) -> str | None:
    """What breaks here is met in the web client, which is then as awkward as the real one."""
    return "real" if fault.layer in {"sso", "iframe"} else None


# By mood, because a client of another mood takes another stack.
FAULTS = sorted(catalogue(contracts.load()), key=lambda fault: mood(fault) is None)


STOPPING = {fault.cause for fault in FAULTS if stopped_by(fault) or met_in_a_browser(fault)}


def _as_bad_as_it_is(fault: Fault, severity: Severity) -> bool:
    """Broken where it stops people; not broken where nothing of that code does, and nothing judges it so."""
    stopped = stopped_by(fault)
    if stopped is None:
        return True
    if severity is Severity.BROKEN:
        return fault.cause in STOPPING or judged(fault.cause)
    return not stopped


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_suite_sees_it_doctor_names_it_and_the_undo_heals(lab: FaultLab, fault: Fault) -> None:
    with lab.healed(mood(fault)) as breakable:
        with fault.put_into(breakable):
            report = breakable.examine()
            red = lab.failures(breakable, caught_by(fault))
        codes = [found.code for found in report.findings]
        assert codes[:1] == [fault.cause]
        assert sorted(codes[1:]) == sorted(fault.also)
        assert report.first_cause is not None
        assert report.first_cause.next_step, "the finding does not say how to fix it"
        assert report.leftovers == ()
        assert _as_bad_as_it_is(fault, report.first_cause.severity), "its severity is not what it stops"
        if not fault.breaks:
            assert report.result("sso.session").status is Status.OK, "a risk, and yet nobody signs in"
        assert set(red) == set(caught_by(fault)), "these tests alone went red"
        assert [test for test, text in red.items() if not names_what_is_wrong(text)] == []


@pytest.mark.parametrize("client", [None, "real"])
def test_on_a_healthy_stack_every_declared_test_is_green(lab: FaultLab, client: str | None) -> None:
    with lab.healed(client) as breakable:
        assert lab.failures_at_normal_timeouts(breakable, lab.declared) == {}


def test_a_hop_without_a_declared_test_is_named() -> None:
    with pytest.raises(ValueError, match="no test is declared that sees 'a_new_hop'"):
        caught_by(Fault("a_new_hop", "sso.token.other", lambda one: one.stopped("site")))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("E       AssertionError: GET / answered 404, not 200\n\ntests/api/x.py:3: AssertionError", True),
        ("E   besedka.errors.X: no\n  found: a\n  expected: b\n\nbesedka/x.py:3: X", True),
        ("E       assert 302 == 400\n\ntests/api/x.py:3: AssertionError", False),
        ("E       AssertionError: assert 'a' == 'b'\n\ntests/api/x.py:3: AssertionError", False),
        ("E   AssertionError: Timeout 5000ms exceeded\n\ntests/e2e/x.py:3: AssertionError", False),
        ("E   KeyError: 'Location'\n\ntests/api/x.py:3: KeyError", False),
        ("E   AssertionError: nested soft scopes\n\n.venv/site-packages/p.py:3: AssertionError", False),
    ],
)
def test_a_failure_must_say_what_is_wrong(text: str, named: bool) -> None:
    assert names_what_is_wrong(text) is named
