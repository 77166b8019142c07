"""The redirect URIs of the site's record of Rocket.Chat: its own, others that are meant, others that are not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from besedka.checks.examination import Examination
from besedka.contract import Provider
from besedka.provision.site_side import _application
from besedka.rocketchat import provider
from besedka.site_database import Application
from tests.unit.checks.documents import codes, severities

OTHER = "https://phone.example/callback/?from=chat"


def record(*redirect_uris: str) -> Application:
    return Application(
        "id", "secret", "confidential", "authorization-code", redirect_uris, True, False, "Chat"
    )


@pytest.mark.parametrize(
    ("declared", "found"), [((), ["risk"]), ((OTHER,), []), ((OTHER.rstrip("t"),), ["risk"])]
)
def test_another_address_is_a_risk_until_the_contract_names_it_to_the_letter(
    declared: tuple[str, ...], found: list[str], holding: Callable[..., Examination]
) -> None:
    examination = holding()
    known = examination.contract.provider
    rows = known.model_dump() | {"client_secret": known.secret, "more_redirect_uris": declared}
    update = {"provider": Provider.model_validate(rows)}
    examination.contract = told = examination.contract.model_copy(update=update)
    held = record(OTHER, provider.redirect_uri(told))
    examination.site_database = SimpleNamespace(application=lambda _: held)  # type: ignore[assignment]

    assert severities("application.redirect_uri", examination) == found


def test_without_the_chats_own_address_nothing_else_counts(holding: Callable[..., Examination]) -> None:
    examination = holding()
    held = record(OTHER)
    examination.site_database = SimpleNamespace(application=lambda _: held)  # type: ignore[assignment]

    assert codes("application.redirect_uri", examination) == ["application.redirect_uri.differs"]


def test_provisioning_asks_for_the_chats_own_address_alone(holding: Callable[..., Examination]) -> None:
    told = holding().contract

    assert "redirect_uris" not in _application(told, record(OTHER, provider.redirect_uri(told)))
    assert "redirect_uris" in _application(told, record(OTHER))
