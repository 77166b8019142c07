"""Playwright's driver is proved, and the libraries that a bare Debian lacks are installed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap import apt, driver
from bootstrap.errors import SetupError, Status

PYTHON = Path("/venv/bin/python")
LOADER = "node: error while loading shared libraries: {}: cannot open shared object file: No such file"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    packages: list[str] = []
    monkeypatch.setattr(apt, "usable", lambda: True)
    monkeypatch.setattr(apt, "install", packages.append)
    return packages


def answers(monkeypatch: pytest.MonkeyPatch, *outcomes: tuple[int, str]) -> None:
    rest = list(outcomes)
    monkeypatch.setattr(driver, "trial", lambda _python: rest.pop(0))


def test_a_driver_that_runs_needs_nothing(monkeypatch: pytest.MonkeyPatch, installed: list[str]) -> None:
    answers(monkeypatch, (0, "Version 1.65.2"))
    driver.ensure(PYTHON)
    assert installed == []


def test_each_missing_library_is_installed_in_turn(
    monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    answers(
        monkeypatch,
        (127, LOADER.format("libatomic.so.1")),
        (127, LOADER.format("libstdc++.so.6")),
        (0, "Version 1.65.2"),
    )
    driver.ensure(PYTHON)
    assert installed == ["libatomic1", "libstdc++6"]


@pytest.mark.parametrize("library", ["libatomic.so.1", "libunheard-of.so.3"])
def test_what_cannot_be_helped_is_said_once(
    library: str, monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> None:
    answers(monkeypatch, *[(127, LOADER.format(library))] * 2)
    with pytest.raises(SetupError) as caught:
        driver.ensure(PYTHON)
    assert caught.value.status is Status.NO_BROWSER
    assert library in caught.value.found
    assert "apt-get install" in caught.value.rows["next step"]


def test_without_root_nothing_is_installed(monkeypatch: pytest.MonkeyPatch, installed: list[str]) -> None:
    monkeypatch.setattr(apt, "usable", lambda: False)
    answers(monkeypatch, (127, LOADER.format("libatomic.so.1")))
    with pytest.raises(SetupError, match="driver does not run"):
        driver.ensure(PYTHON)
    assert installed == []
