"""What a fault stops people from doing, and what its severity follows from.

Tried over HTTP (`faults/people_at_work.py`); what only a browser shows is seen by the tests of `caught.py`.
"""

from __future__ import annotations

from faults.caught import NO_STACK, caught_by
from faults.fault import Fault
from faults.people_at_work import ACTS

_MESSAGES, _ROOMS, _AGAIN, _FIRST = ACTS
# Where a test of these is red, people meet the fault in their browsers.
_IN_A_BROWSER = ("tests/e2e/", "tests/api/test_chat_pages.py", "tests/api/test_urls.py", NO_STACK)

# Who cannot sign in again cannot do so for the first time either.
_NOBODY = (_AGAIN, _FIRST)
_STOPS: dict[tuple[str, ...], tuple[str, ...]] = {
    _NOBODY: (),
}
_BY_NAME = {name: acts for acts, names in _STOPS.items() for name in names}
# Broken all the same: codes, or the beginning of several → what no act over HTTP and no declared test shows.
_JUDGED = {
    "services": "doctor and provisioning stand on it",
}


def stopped_by(fault: Fault) -> tuple[str, ...]:
    """Those of `ACTS` that do not work for somebody under the fault."""
    return _BY_NAME.get(fault.name, ())


def met_in_a_browser(fault: Fault) -> bool:
    """Whether a test that does what people do in a browser is red under the fault."""
    return any(test.startswith(_IN_A_BROWSER) for test in caught_by(fault))


def judged(code: str) -> bool:
    """Whether it is broken by judgement, for the reason in the table."""
    return any(code == known or code.startswith(f"{known}.") for known in _JUDGED)


def unknown(names: set[str]) -> set[str]:
    """Names of the table that no fault has."""
    return set(_BY_NAME) - names
