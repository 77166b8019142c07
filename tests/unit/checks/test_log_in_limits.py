"""Which of the two limits refused a log-in, and what is printed for each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from besedka.checks import limits, sso_chat
from besedka.checks.examination import Examination
from besedka.checks.finding import Findings, Where
from besedka.contract import Contract
from besedka.rocketchat.rest import RocketChatError

LIMIT = "API_Enable_Rate_Limiter_Limit_Calls_Default"
REST = RocketChatError("POST login", 429, "error-too-many-requests", "Error, too many requests.")
METEOR = RocketChatError("POST login", 401, "too-many-requests", "Error, too many requests.")


def examined(error: RocketChatError, stored: object, wanted: object = 1000) -> Examination:
    def refuse(_: object) -> None:
        raise error

    return cast(
        Examination,
        SimpleNamespace(
            contract=SimpleNamespace(
                chat=SimpleNamespace(url="http://chat", sso="oauth"), settings={LIMIT: wanted}
            ),
            chat=SimpleNamespace(login=refuse),
            effective={LIMIT: stored},
            provision_command="provision --apply",
            where=lambda setting_id, place="": Where(place or setting_id, setting_id, "", ""),
        ),
    )


@pytest.mark.parametrize(
    ("error", "stored", "words", "commands"),
    [
        (REST, 1, "Wait a minute", ("provision --apply",)),
        (REST, 1000, "Wait a minute", ()),
        (REST, None, "Wait a minute", ()),
        (METEOR, 1, "Wait ten seconds", ()),
    ],
)
def test_the_limit_that_refused_is_the_one_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
    error: RocketChatError,
    stored: object,
    words: str,
    commands: tuple[str, ...],
) -> None:
    made: Any = SimpleNamespace(credential={})
    monkeypatch.setattr(sso_chat, "visitor", lambda _: made)
    given = sso_chat._login(examined(error, stored))
    assert isinstance(given, Findings)
    (found,) = given.found
    assert found.code == "sso.login.rate_limited"
    assert found.advice[0].startswith(words)
    assert found.commands == commands


@pytest.mark.parametrize(("seconds", "waits"), [(0.0, True), (43.0, True), (120.0, False), (None, False)])
def test_doctor_waits_for_a_limit_that_names_its_end(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    contract: Contract,
    seconds: float | None,
    waits: bool,
) -> None:
    refused = RocketChatError("POST login", 429, "error-too-many-requests", "wait", retry_after=seconds)
    given: list[object] = [refused, "signed in"]

    def sign_in(*_: object, **__: object) -> object:
        answered = given.pop(0)
        if isinstance(answered, Exception):
            raise answered
        return answered

    waited: list[float] = []
    monkeypatch.setattr(limits, "wait", waited.append)
    monkeypatch.setattr(limits.RocketChat, "sign_in", sign_in)
    if not waits:
        with pytest.raises(RocketChatError):
            limits.signed_in(contract, 4)
        assert waited == []
        return
    assert str(limits.signed_in(contract, 4)) == "signed in"
    assert waited == [seconds]
    assert f"{seconds:.0f} s" in capsys.readouterr().err
