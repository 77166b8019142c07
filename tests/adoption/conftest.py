"""The club's site, mended and as it was found; each starts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka import provision
from besedka.provision import Options
from tests.adoption import foreign
from tests.adoption.foreign import Foreign


@pytest.fixture(scope="session")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """Mended, with Rocket.Chat as provisioning has brought it to the contract."""
    with foreign.running(tmp_path_factory.mktemp("club")) as running:
        _provisioned(running, tmp_path_factory.mktemp("journal"))
        yield running


@pytest.fixture(scope="session")
def unmended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """As it was found."""
    with foreign.running(tmp_path_factory.mktemp("unmended"), unmended=True) as running:
        _provisioned(running, tmp_path_factory.mktemp("journal"))
        yield running


@pytest.fixture(autouse=True)
def _environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the site's command is told, and a `python3` that knows our packages."""
    name = "unmended" if "unmended" in request.fixturenames else "club"
    for variable, value in foreign.environment(request.getfixturevalue(name)).items():
        monkeypatch.setenv(variable, value)


def _provisioned(running: Foreign, journal: Path) -> None:
    options = Options(partial=True)
    outcome = provision.bring(running.target, running.contract, journal_folder=journal, options=options)
    assert outcome.remaining == outcome.unstored == ()
    assert [notice.text for notice in outcome.notices] == []
