"""`besedka doctor`: its options, its output and its exit status; no stack is needed here."""

from __future__ import annotations

import json
import socket

import pytest
import typer
from typer.testing import CliRunner

from besedka.checks.catalogue import UnknownCheckError, checks_for
from besedka.commands import doctor
from besedka.commands.doctor import NothingToManageError
from besedka.contract import Contract


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The program with this one command, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer()
    doctor.register(app)
    return app


@pytest.fixture
def nowhere() -> list[str]:
    """Options that name addresses where nobody listens."""
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in (one, two)]
    return [f"--site-url=http://127.0.0.1:{ports[0]}", f"--chat-url=http://127.0.0.1:{ports[1]}"]


def test_the_list_names_every_check_and_asks_none(command: typer.Typer, contract: Contract) -> None:
    shown = CliRunner().invoke(command, ["--list", "--json"])
    assert shown.exit_code == 0
    assert [row["name"] for row in json.loads(shown.stdout)] == [check.name for check in checks_for(contract)]


def test_a_stack_that_is_not_there_could_not_be_asked(command: typer.Typer, nowhere: list[str]) -> None:
    shown = CliRunner().invoke(command, nowhere)
    assert shown.exit_code == 2, shown.stdout
    assert "services.site.unanswered" in shown.stdout
    assert "Probable cause" in shown.stdout
    assert "no MongoDB address was given" in " ".join(shown.stdout.split())
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80


def test_the_same_as_json(command: typer.Typer, nowhere: list[str]) -> None:
    shown = CliRunner().invoke(command, [*nowhere, "--json"])
    report = json.loads(shown.stdout)
    assert shown.exit_code == report["exit_status"] == 2
    assert report["first_cause"]["code"] == "services.site.unanswered"
    assert report["counts"]["skipped"] >= 2


def test_one_check_is_asked_with_its_ground_alone(command: typer.Typer, nowhere: list[str]) -> None:
    shown = CliRunner().invoke(command, [*nowhere, "--json", "--check", "site.identity"])
    asked = [row["check"] for row in json.loads(shown.stdout)["results"]]
    assert asked == ["services.site_database", "services.certificate", "services.site", "site.identity"]


def test_an_unknown_check_is_an_error_of_its_own(command: typer.Typer, nowhere: list[str]) -> None:
    shown = CliRunner().invoke(command, [*nowhere, "--check", "no.such"])
    assert isinstance(shown.exception, UnknownCheckError)


def test_writing_needs_a_site_that_can_be_told(command: typer.Typer, nowhere: list[str]) -> None:
    shown = CliRunner().invoke(command, [*nowhere, "--write"])
    assert isinstance(shown.exception, NothingToManageError)
    assert shown.exception.exit_status == 33
