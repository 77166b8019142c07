"""The head and the end of a run say which programs were real. So do `up` and `status`."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from besedka.commands import stack as commands
from besedka.contract import PROJECT_ROOT
from besedka.stacks.model import Stack
from besedka.stacks.services import postgres, programs
from tests import inner
from tests.unit.stacks import made_up

# Each brings up a stack with the site in web/.
pytestmark = [pytest.mark.api, pytest.mark.feature("own_urls")]

ASKS_FOR_A_STACK = "def test_stack(stack): pass\n"
SERVER, NO_SERVER = postgres.find(programs.AUTO)


def test_what_the_stack_does_without_is_said_at_both_ends(subject: Path) -> None:
    subject.write_text(ASKS_FOR_A_STACK, "utf-8")

    finished = inner.run(str(subject), "--postgres=none", "--redis=none")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    head, _, end = finished.stdout.partition("not proved by this run")
    assert "  postgres    -        absent   SQLite keeps the site's data (--postgres=none)" in head
    assert "  redis       -        absent   the site's own memory is its cache (--redis=none)" in head
    assert "- anything of PostgreSQL: SQLite keeps the site's data" in end
    assert "- anything of Redis: the site's own memory is its cache" in end


@pytest.mark.skipif(SERVER is None, reason=f"PostgreSQL: {NO_SERVER}")
def test_what_is_real_is_said_and_not_called_unproved(subject: Path) -> None:
    assert SERVER is not None
    subject.write_text(ASKS_FOR_A_STACK, "utf-8")

    finished = inner.run(str(subject), f"--postgres={SERVER.folder}")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    head, _, end = finished.stdout.partition("not proved by this run")
    assert f"  postgres    {SERVER.version:<8} real     127.0.0.1:" in head
    assert "PostgreSQL" not in end


@pytest.mark.skipif(sys.platform == "win32", reason="the made-up programs are scripts")
def test_what_only_calls_itself_rocketchat_or_mongod_is_a_stand_in(subject: Path, tmp_path: Path) -> None:
    subject.write_text("def test_version(contract): assert contract.chat.version == '7.7.2'\n", "utf-8")
    folder = made_up.bundle(tmp_path / "bundle", version="7.7.2")
    options = [f"--rocketchat-bundle={folder}", f"--node={made_up.node()[0]}"]

    finished = inner.run(str(subject), *options, f"--mongod={made_up.mongod(tmp_path)}")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    # The made-up programs only have the names: they do not do what Rocket.Chat and MongoDB do.
    assert "  rocketchat  7.7.2    stand-in" in finished.stdout
    assert re.findall(r"^  (\w+) .* stand-in", finished.stdout, re.MULTILINE) == ["rocketchat", "mongo"]


@pytest.mark.parametrize(
    ("arguments", "more", "status", "named"),
    [
        (["--postgres=/no/such"], {}, 14, "--postgres names '/no/such'"),
        (["--redis=/no/such"], {}, 14, "--redis names '/no/such'"),
        (["--rocketchat-bundle=/no/such"], {}, 14, "--rocketchat-bundle: there is no such folder"),
        ([], {"BESEDKA_ROCKETCHAT_BUNDLE": "/no/such"}, 14, "there is no such folder"),
        (["--stack=containers", "--redis=none"], {}, 64, "--redis=none with --stack=containers"),
        (
            ["--stack=attached", "--site-url=http://x", "--chat-url=http://x", "--rocketchat-bundle=x"],
            {},
            64,
            "--rocketchat-bundle=x with --stack=attached",
        ),
        (["--mongod=x", "--rocketchat-version=7.7.1"], {}, 64, "--mongod=x with --rocketchat-version 7.7.1"),
    ],
)
def test_a_wish_that_cannot_be_had_ends_the_run(
    arguments: list[str], more: dict[str, str], status: int, named: str, subject: Path
) -> None:
    subject.write_text(ASKS_FOR_A_STACK, "utf-8")

    finished = inner.run(str(subject), *arguments, more=more)

    output = finished.stdout + finished.stderr
    assert finished.returncode == status, output
    assert "Traceback" not in output
    assert named in output
    assert output.count("next step:") == 1
    assert "starting the" not in output.partition("found:")[2]


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["--redis=/no/such"], 14, "--redis names '/no/such'"),
        (["--rocketchat-bundle=/no/such"], 14, "there is no such folder"),
        (["--stack=containers", "--mongod=x"], 64, "--mongod=x with --stack=containers"),
        (["--stack=containers", "--postgres=none"], 64, "--postgres=none with --stack=containers"),
    ],
)
def test_up_refuses_what_it_cannot_have(arguments: list[str], status: int, named: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "besedka.cli", "up", *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        env=inner.environment({"COLUMNS": "200"}),
        timeout=inner.RUN_SECONDS,
        check=False,
    )

    assert finished.returncode == status, finished.stdout + finished.stderr
    assert named in finished.stdout + finished.stderr


def test_up_and_status_list_what_is_absent(stack: Stack) -> None:
    shown = Console(record=True, width=160, file=io.StringIO())

    commands.show(shown, replace(stack, absent={"redis": "the site's own memory is its cache"}))

    rows = {line.split("│")[1].strip(): line for line in shown.export_text().splitlines() if "│" in line}
    assert "stand-in" in rows["rocketchat"] or "real" in rows["rocketchat"]
    assert "absent" in rows["redis"]
    assert "the site's own memory is its cache" in rows["redis"]
