"""The command line as a person meets it: help, examples, version, completion, and what follows a slip."""

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import besedka
from besedka.cli import _COMMANDS, app
from besedka.commands.examples import EXAMPLES
from besedka.errors import DiskFullError, UsageError

RUNNER = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80", "LANG": "C", "LC_ALL": "C"})
ROOT: Any = typer.main.get_command(app)


def test_it_names_its_version() -> None:
    assert RUNNER.invoke(app, ["--version"]).output == f"besedka {besedka.__version__}\n"


@pytest.mark.parametrize("command", _COMMANDS)
def test_help_fits_80_columns(command: str) -> None:
    told = RUNNER.invoke(app, [command, "--help"])
    assert told.exit_code == 0
    assert max(len(line) for line in told.output.splitlines()) <= 80
    assert "--lang" in told.output
    for line in EXAMPLES.get(command, ()):
        assert f"besedka {line}\n" in told.output


@pytest.mark.parametrize("line", [line for rows in EXAMPLES.values() for line in rows])
def test_every_example_is_understood(line: str) -> None:
    name, *words = shlex.split(line)
    command = ROOT.get_command(None, name)
    command.make_context(name, words)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["docter"], "Did you mean 'doctor'?"),
        (["doctor", "--chekc", "x"], "--check"),
        (["doctor", "--check", "rooms.member"], "did you mean rooms.members"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(words: list[str], meant: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "besedka.cli", *words],
        env=os.environ | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {31, 64}
    assert meant in done.stderr


def test_a_shell_can_complete_commands() -> None:
    asked = {"_BESEDKA_COMPLETE": "complete_bash", "COMP_WORDS": "besedka do", "COMP_CWORD": "1"}
    code = "import sys; sys.argv = ['besedka']; from besedka.cli import app; app(prog_name='besedka')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert set(done.stdout.split()) == {"doctor", "down"}


@pytest.mark.parametrize("encoding", ["ascii", "cp866"])
def test_a_console_of_another_alphabet_gets_no_traceback(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "besedka.cli", "doctor", "--list"],
        env=os.environ | {"LC_ALL": "ru_RU", "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"services.mongo" in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a file that is always full")
def test_output_that_does_not_fit_is_said_in_one_message() -> None:
    with open("/dev/full", "w", encoding="ascii") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "besedka.cli", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ended.returncode == DiskFullError.exit_status
    assert "standard output" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell closes it")
def test_a_command_whose_output_nobody_wants_still_ends_well() -> None:
    line = f"{shlex.quote(sys.executable)} -m besedka.cli env site >&-"

    ended = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ("doctor", "--site-url", "nonsense"),
        ("doctor", "--chat-url", "127.0.0.1:3000"),
        ("provision", "--plan", "--provider-url", "ftp://127.0.0.1"),
        ("conformance", "--site-url", "http://user:secret@127.0.0.1"),
        ("up", "--port", "99999999"),
        ("up", "--port", "site=8001", "--port", "rocketchat=8001"),
    ],
    ids=" ".join,
)
def test_what_is_no_address_and_no_port_is_a_wrong_option(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refusal:
        RUNNER.invoke(app, [*words], catch_exceptions=False)

    assert refusal.value.exit_status == 64
    assert "secret" not in refusal.value.text()
