"""run.py's commands: what each is, and how it is handed over to once the project is set up."""

import difflib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

from besedka import language
from bootstrap import bytecode
from bootstrap.browser import VARIABLE
from bootstrap.errors import SetupError, Status, system_failure
from bootstrap.help_text import help_text, in_cyrillic
from bootstrap.process import say, write
from bootstrap.project import ALL, BASE, Project

INTERRUPTED = 128 + signal.SIGINT
ROOT = Path(__file__).resolve().parent.parent
OWN_COMMANDS: Mapping[str, str] = {
    "e2e": "the end-to-end tests on the embedded stack: pytest -m e2e [pytest arguments]",
    "test": "the tests of the project, but for the long tables: pytest [pytest arguments]",
    "setup": "only set up",
}
CLI_COMMANDS: Mapping[str, str] = {
    "doctor": "say what is wrong with a stack, where, and how to put it right",
    "provision": "bring Rocket.Chat to the contract (besedka.toml)",
    "restart": "restart the stack of docker-compose.local.yml and lose nothing",
    "up": "start a stack to look at: embedded until Ctrl-C, in containers until `down`",
    "down": "remove the stack in containers that `up` keeps",
    "status": "show the stack that `up` keeps",
    "logs": "print the last lines of that stack's services",
    "env": "print what a service is told by environment, as `export` lines",
    "upgrade": "bring a workspace from one release of Rocket.Chat to another, stop by stop",
    "conformance": "ask how Rocket.Chat and MongoDB behave, and print one page of results",
    "summary": "tell what a run came to, for the summary of a CI job",
    "bundle": "make one archive of a run, without secrets, to send to somebody",
    "merge": "make one page of the shards of a run",
    "load": "sign many people in at once, and print how long each hop takes (Locust)",
    "announce": "tell of a nightly by issues on GitHub and a message to a webhook",
}
# These need neither the suite nor the programs of a stack, and no browser.
_OF_THE_BASE = {"doctor", "provision", "status", "env", "summary"}
# With these, doctor starts a stack of its own.
_WITH_A_STACK = ("--chat-client", "--rocketchat-bundle", "--mongod", "--node")
# Each case of these two takes a stack of its own: the nightly workflow runs them.
_TESTS = ("-m", "not variants and not fixes and not adoption")
COMMANDS = {**OWN_COMMANDS, **CLI_COMMANDS}


def run(arguments: list[str], promise: str | None) -> int:
    """Set up and run a command; `promise` is what help says beside the commands. Returns the exit status.

    On POSIX the command takes this process over, so that it is the command's status that the caller sees.
    """
    signal.signal(signal.SIGTERM, on_terminate)
    language.speak(language.chosen(language.named(arguments)) if in_cyrillic(sys.stderr) else "en")
    try:
        if arguments[:1] in (["-h"], ["--help"], ["help"]):
            sys.stdout.write(help_text(COMMANDS, promise or ""))
            return 0
        have_a_home()
        return dispatch(arguments)
    except SetupError as error:
        write(error.spoken())
        return error.status
    except OSError as error:
        failed = system_failure(error, ROOT)
        write(failed.spoken())
        return failed.status
    except KeyboardInterrupt:
        say("setup: interrupted; the next run goes on from here")
        return INTERRUPTED


def have_a_home() -> None:
    """Give programs a folder of ours where the user has none, as under `docker run --user 1234`.

    Playwright's driver does not start without one.
    """
    if os.path.expanduser("~") == "~":
        home = ROOT / ".besedka" / "home"
        home.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(home)


def dispatch(arguments: list[str]) -> int:
    """Refuse an unknown command before anything is set up; then set up and hand over."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, 1)
        look = "python3 run.py --help says what each does"
        raise SetupError(
            Status.NO_COMMAND,
            f"{command!r}, which is no command" if command else "no command",
            expected=f"a command of these: {', '.join(COMMANDS)}",
            where="the first argument of run.py",
            next_step=f"did you mean {near[0]}? {look}" if near else look,
        )
    base = command in _OF_THE_BASE and not any(word.startswith(_WITH_A_STACK) for word in rest)
    project = Project(ROOT, BASE if base else ALL)
    project.set_up()
    browser = None if base else project.browser()
    if command == "setup":
        return 0
    rest = rest if command in CLI_COMMANDS else joined(rest)
    module = {"e2e": ["pytest", "-m", "e2e"], "test": ["pytest", *_TESTS]}.get(
        command, ["besedka.cli", command]
    )
    return hand_over([str(project.python), "-m", *module, *rest], activated(project, browser))


def joined(arguments: list[str]) -> list[str]:
    """`--option DIR` as `--option=DIR`, for folders and files elsewhere.

    pytest takes such a word for a place of tests, and looks there for its configuration instead of here.
    """
    found: list[str] = []
    for argument in arguments:
        elsewhere = os.path.exists(argument) and not Path(argument).resolve().is_relative_to(ROOT)
        if elsewhere and found and found[-1].startswith("--") and "=" not in found[-1]:
            # The command runs in the project's folder, wherever it was called.
            found[-1] += f"={Path(argument).resolve()}"
        else:
            found.append(argument)
    return found


_LEFT_OUT = ("PYTHONHOME", "PYTHONOPTIMIZE", "PYTHONSAFEPATH")


def activated(project: Project, browser: str | None) -> dict[str, str]:
    """The environment that .venv's `activate` makes, with the browser if one was looked for.

    Without PYTHONOPTIMIZE, under which no assertion is executed, and PYTHONSAFEPATH, under which
    `python -m` does not find this project; with names in Cyrillic in any locale.
    """
    env = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    env["PYTHONUTF8"] = "1"
    env |= bytecode.elsewhere(env)
    if browser is not None:
        env.pop(VARIABLE, None)
    env["VIRTUAL_ENV"] = str(project.venv)
    env["PATH"] = os.pathsep.join([str(project.scripts), env.get("PATH", os.defpath)])
    return env | ({VARIABLE: browser} if browser else {})


def hand_over(argv: list[str], env: dict[str, str]) -> int:
    """Become the program, in the project's folder. On Windows, which cannot, wait for it instead."""
    os.chdir(ROOT)
    if os.name != "nt":
        os.execve(argv[0], argv, env)  # noqa: S606
    return subprocess.call(argv, env=env)  # noqa: S603


def on_terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leave as by Ctrl-C: whatever was begun is ended and cleared away."""
    sys.exit(128 + number)
