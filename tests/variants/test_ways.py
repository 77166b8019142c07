"""What goes wrong with the server-side OAuth flow of 8.7 is named: its own hops, on a stand-in of that version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing

import pytest

from besedka import contract as contracts
from besedka.ways import MODERN_FLOW
from faults.breakable_stack import BreakableStack
from faults.fresh import FreshStacks
from faults.proxy import Request
from faults.rules import answers, reply_without_cookie, to
from tests.variants.table import FOLDER

pytestmark = pytest.mark.variants


def _sent_by_rocketchat(request: Request) -> bool:
    """The hop that Rocket.Chat's own start leads to, not the ones that doctor makes itself."""
    return "code_challenge" in request.query and not request.query.get("state", "").startswith("doctor")


BREAKINGS: dict[str, Callable[[BreakableStack], AbstractContextManager[None]]] = {
    f"setting.{MODERN_FLOW}": lambda one: one.setting(MODERN_FLOW, wrong=False),
    "sso.callback.no_start": lambda one: one.ruled("chat", answers(to("/oauth/*"), 404)),
    "sso.callback.no_code": lambda one: one.ruled("site", answers(_sent_by_rocketchat, 400)),
    "sso.callback.refused": lambda one: one.ruled(
        "chat", reply_without_cookie(to("/oauth/*"), "rocketchat.oauth.sid")
    ),
}


@pytest.fixture(scope="module")
def modern() -> Iterator[BreakableStack]:
    contract = contracts.load(overlays=(FOLDER / "sso_modern_flow.toml",))
    with (
        closing(FreshStacks(contract)) as stacks,
        stacks.fresh() as running,
        BreakableStack.of(running, contract) as breakable,
    ):
        yield breakable


def test_a_flow_that_the_contract_does_not_take_is_named(modern: BreakableStack) -> None:
    modern.signs_in, right = True, modern.contract
    settings = {name: value for name, value in right.settings.items() if name != MODERN_FLOW}
    chat = right.chat.model_copy(update={"sso": "oauth"})
    modern.contract = right.model_copy(update={"chat": chat, "settings": settings})
    try:
        found = modern.examine().first_cause
    finally:
        modern.contract = right

    assert found is not None
    assert found.code == "sso.callback.other_flow"


@pytest.mark.parametrize("cause", BREAKINGS)
def test_what_breaks_the_flow_is_the_first_finding(cause: str, modern: BreakableStack) -> None:
    modern.signs_in = True
    assert modern.examine().findings == ()

    with BREAKINGS[cause](modern):
        found = modern.examine().first_cause

    assert found is not None
    assert found.code.startswith(cause)
    assert found.next_step
