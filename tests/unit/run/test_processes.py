"""run.py called as people call it: real processes, a real .venv, no network, for nothing is to install."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from besedka import cli
from bootstrap import command, project
from bootstrap.lock import Lock

from .conftest import Checkout

HOLD_THE_LOCK = """
import sys
from pathlib import Path
from bootstrap.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and shell scripts of POSIX")


def wait_for_line(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stderr
    assert any(text in line for line in process.stderr), f"{text!r} was never said"


def test_help_lists_commands_and_statuses(checkout: Checkout) -> None:
    done = checkout.run("--help")
    assert done.returncode == 0
    assert all(
        f"\n  {name} " in done.stdout for name in ("e2e", "test", "setup", "doctor", "provision", "status")
    )
    assert "26  no browser" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert checkout.files() == checkout.before

    russian = checkout.run("--help", "--lang", "ru", PYTHONIOENCODING="utf-8")
    assert "26  нет браузера" in russian.stdout
    assert max(map(len, russian.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"LC_ALL": "ru_RU.UTF-8", "PYTHONIOENCODING": "utf-8"}, "что дальше: может быть, doctor?"),
        ({"LC_ALL": "ru_RU.UTF-8", "PYTHONIOENCODING": "ascii"}, "next step: did you mean doctor?"),
        ({"LC_ALL": "C", "PYTHONIOENCODING": "utf-8"}, "next step: did you mean doctor?"),
    ],
)
def test_a_slip_is_answered_in_the_persons_language(
    checkout: Checkout, env: dict[str, str], told: str
) -> None:
    """A console of ASCII cannot show Russian: English can be read there."""
    done = checkout.run("docter", **env)
    assert done.returncode == 28
    assert told in done.stderr


def test_every_command_of_the_command_line_can_be_called_here() -> None:
    group = typer.main.get_command(cli.app)
    assert set(command.CLI_COMMANDS) == set(group.list_commands(None))


def test_a_folder_elsewhere_is_no_place_of_tests(tmp_path: Path) -> None:
    """pytest would look for its configuration there, and know none of the project's options."""
    elsewhere, here = str(tmp_path), str(command.ROOT / "tests")
    given = ["--chat-client", elsewhere, "-k", "x", "--headed", here, "--stack", "embedded", elsewhere]
    assert command.joined(given) == [f"--chat-client={elsewhere}", *given[2:]]
    assert command.joined([f"--chat-client={elsewhere}", elsewhere]) == [
        f"--chat-client={elsewhere}",
        elsewhere,
    ]


@pytest.mark.parametrize("arguments", [(), ("e3e",), ("--stack=x",), ("\u0447\u0430\u0442",)])
def test_an_unknown_command_sets_nothing_up(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    done = checkout.run(*arguments, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert done.returncode == 28
    assert "expected: a command of these: e2e, test" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert checkout.files() == checkout.before


@posix_only
def test_the_first_run_sets_up_and_the_second_has_nothing_to_do(checkout: Checkout) -> None:
    first = checkout.run("setup")
    assert first.returncode == 0, first.stderr
    assert "making .venv" in first.stderr
    assert not first.stdout
    assert checkout.files() == checkout.before | {".venv"}

    second = checkout.run("setup")
    assert second.stderr.splitlines() == [f"setup: ready (browser: {checkout.root / 'browser'})"]

    package = checkout.root / "besedka"
    (package / "cli.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['BESEDKA_BROWSER'], os.getcwd())\nsys.exit(7)\n"
    )
    told = checkout.run("doctor", "--json", "a b")
    assert told.returncode == 7
    assert told.stdout == f"['doctor', '--json', 'a b'] {checkout.root / 'browser'} {checkout.root}\n"
    launched = subprocess.run(
        [checkout.root / ".venv" / "bin" / "besedka", "x"],
        cwd="/",
        env=checkout.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (launched.returncode, launched.stdout[:5]) == (7, "['x']"), launched.stderr


@posix_only
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_nothing(checkout: Checkout, number: int, status: int) -> None:
    with checkout.start("setup") as process:
        wait_for_line(process, "making .venv")
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert process.returncode == status
    assert "Traceback" not in err
    assert checkout.files() == checkout.before


@posix_only
def test_killed_it_is_repaired_by_the_next_run(checkout: Checkout) -> None:
    with checkout.start("setup") as process:
        wait_for_line(process, "making .venv")
        process.kill()
    done = checkout.run("setup")
    assert done.returncode == 0, done.stderr
    assert "making .venv" in done.stderr
    assert checkout.files() == checkout.before | {".venv"}


@posix_only
def test_no_network_ends_in_one_message(checkout: Checkout) -> None:
    checkout.lock.write_text("nothing==1.0 --hash=sha256:" + "0" * 64)
    done = checkout.run(
        "test",
        PIP_CONFIG_FILE=os.devnull,
        PIP_NO_INDEX="0",
        PIP_INDEX_URL="http://127.0.0.1:1/simple",
        PIP_EXTRA_INDEX_URL="",
        PIP_FIND_LINKS="",
        PIP_RETRIES="1",
    )
    assert done.returncode == 23
    assert done.stderr.count("found:") == 1
    assert "Traceback" not in done.stderr
    assert checkout.files() == checkout.before


@pytest.mark.parametrize(("number", "status"), [(errno.EROFS, 27), (errno.EACCES, 27), (errno.ENOSPC, 22)])
def test_a_folder_that_cannot_be_written_to(
    number: int,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    # In this process and not by the folder's mode, because root may write anywhere.
    def refuse(path: Path, **_: object) -> None:
        raise OSError(number, "no", str(path))

    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(Path, "mkdir", refuse)
    (tmp_path / "requirements.lock").touch()
    before = signal.getsignal(signal.SIGTERM)
    assert command.run(["setup"], None) == status
    signal.signal(signal.SIGTERM, before)
    assert f"where: {tmp_path / '.besedka'}" in capsys.readouterr().err


def test_a_folder_where_no_file_can_be_made_ends_the_search_for_a_lock(tmp_path: Path) -> None:
    (tmp_path / "locks").symlink_to("/proc/1/attr")
    with pytest.raises(OSError, match="locks"), Lock(tmp_path / "locks" / "setup.lock"):
        pass


def holder(path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(path)],
        cwd=Path(__file__).resolve().parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@posix_only
def test_the_second_of_two_waits_for_the_first(checkout: Checkout) -> None:
    with holder(checkout.root / ".besedka" / "setup.lock") as first:
        with checkout.start("setup") as second:
            wait_for_line(second, f"waiting for another run.py (pid {first.pid})")
            assert second.poll() is None
            assert not (checkout.root / ".venv").exists()
            first.communicate("", timeout=60)
            second.communicate(timeout=300)
        assert second.returncode == 0
    assert checkout.files() == checkout.before | {".venv"}


@posix_only
def test_the_lock_of_a_dead_process_is_taken_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".besedka" / "setup.lock"
    with holder(path) as first:
        first.kill()
        first.wait()
    assert path.read_text() == str(first.pid)
    with Lock(path):
        assert path.read_text() == str(os.getpid())
    assert "waiting" not in capsys.readouterr().err
    assert not path.parent.exists()


def test_a_command_asserts_and_writes_cyrillic_whatever_the_shell_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell = {"PYTHONOPTIMIZE": "2", "PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONSAFEPATH": "1"}
    for name, value in shell.items():
        monkeypatch.setenv(name, value)

    told = command.activated(project.Project(tmp_path), None)

    assert not {"PYTHONOPTIMIZE", "PYTHONSAFEPATH"} & set(told)
    assert told["PYTHONUTF8"] == "1"


@pytest.mark.parametrize("word", ["-P", "-I"])
def test_run_finds_its_own_folder_where_python_adds_none(word: str) -> None:
    finished = subprocess.run(
        [sys.executable, word, str(command.ROOT / "run.py"), "no-such-command"],
        capture_output=True,
        check=False,
    )

    assert finished.returncode == 28, finished.stderr


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ({"PYTHONOPTIMIZE": "1"}, "assertions are not executed"),
        ({"PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"}, "PYTHONUTF8=1"),
    ],
    ids=["no assertions", "no Cyrillic"],
)
def test_pytest_itself_is_refused_where_it_would_prove_nothing(shell: dict[str, str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--collect-only", __file__],
        cwd=command.ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | shell,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr


def test_a_user_without_a_home_gets_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setenv("HOME", "")

    command.have_a_home()

    assert Path(os.environ["HOME"]).is_dir()
    assert Path(os.environ["HOME"]).is_relative_to(tmp_path)
