"""Browsers of the suite hear nothing of the machine's network, and lose nothing else by it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser

from besedka import browser as browsers
from besedka import without_netlink
from besedka.contract import PROJECT_ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
NODE_ENV = "PLAYWRIGHT_NODEJS_PATH"
LAUNCHER = Path(without_netlink.__file__).with_suffix(".sh")
ASKS = """
import socket, sys
for family in (socket.AF_NETLINK, socket.AF_INET, socket.AF_UNIX):
    try:
        socket.socket(family, socket.SOCK_DGRAM, 0).close()
        print("had")
    except OSError as error:
        print(error.strerror)
sys.exit(int(sys.argv[1]))
"""
LAUNCHES = """
import sys
from contextlib import nullcontext
from playwright.sync_api import sync_playwright
from besedka import browser as browsers
from tests.unit.test_without_netlink import with_netlink

with browsers.unwatched_network() if sys.argv[1] == "unwatched" else nullcontext():
    playwright = sync_playwright().start()
path = browsers.executable(lambda: playwright.chromium.executable_path)
browser = playwright.chromium.launch(executable_path=path, args=browsers.arguments())
page = browser.new_page()
page.goto("data:text/html,<title>runs</title>")
print(page.title(), len(with_netlink()))
browser.close()
playwright.stop()
"""


def with_netlink() -> list[str]:
    """Of Playwright's driver and what it started, the programs with a netlink socket: a file whose inode the
    kernel lists.
    """
    listed = {line.split()[-1] for line in Path("/proc/net/netlink").read_text("ascii").splitlines()[1:]}
    drivers = [child for child in psutil.Process().children() if is_driver(child)]
    assert drivers, "Playwright's driver is not found among the processes started here"
    found = []
    for process in [*drivers, *(child for driver in drivers for child in driver.children(recursive=True))]:
        # Files are closed and processes end while they are looked at.
        with suppress(OSError, psutil.Error):
            for number in Path(f"/proc/{process.pid}/fd").iterdir():
                with suppress(OSError):
                    if number.readlink().name.removeprefix("socket:[")[:-1] in listed:
                        found.append(process.name())
    return found


def is_driver(process: psutil.Process) -> bool:
    """Whether this is Playwright's driver; what has ended meanwhile, or is not yet waited for, is not."""
    with suppress(psutil.Error):
        return "run-driver" in process.cmdline()
    return False


def run(code: str, *arguments: str, through: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LAUNCHER) if through else sys.executable, "-c", code, *arguments],
        env=dict(os.environ)
        | {without_netlink.PROGRAM_ENV: sys.executable, "BESEDKA_PYTHON": sys.executable},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_netlink_alone_is_refused_to_the_program() -> None:
    freely = run(ASKS, "7")
    refused = run(ASKS, "7", through=True)

    assert freely.stdout.split("\n")[:3] == ["had", "had", "had"], freely.stderr
    assert refused.stdout.split("\n")[:3] == ["Address family not supported by protocol", "had", "had"]
    assert refused.returncode == 7, refused.stderr


@pytest.mark.parametrize(("how", "expected"), [("unwatched", 0), ("watched", 1)])
def test_a_browser_holds_no_netlink_socket(how: str, expected: int) -> None:
    finished = run(LAUNCHES, how)

    title, held = finished.stdout.split() or ["", ""]
    assert title == "runs", finished.stderr
    assert min(int(held), 1) == expected, f"{held} netlink sockets"


def test_the_browser_of_the_tests_holds_none(browser: Browser) -> None:
    page = browser.new_page()
    page.goto("data:text/html,<title>runs</title>")

    assert page.title() == "runs"
    assert with_netlink() == []
    page.close()


def test_without_the_library_the_program_runs_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> object:
        raise OSError("libseccomp.so.2: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)

    assert without_netlink.refuse_netlink() is False


def test_the_environment_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NODE_ENV, "/opt/node")
    before = dict(os.environ)

    with browsers.unwatched_network():
        assert os.environ[NODE_ENV] == str(LAUNCHER)
        assert os.environ[without_netlink.PROGRAM_ENV] == "/opt/node", "the user's own Node.js is passed over"

    assert dict(os.environ) == before


@pytest.mark.parametrize("reason", ["snap", "not executable"])
def test_where_it_cannot_be_had_playwright_starts_as_ever(
    reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "snap"
    program.touch(mode=0o755)
    (tmp_path / "chromium").symlink_to(program)
    monkeypatch.delenv(NODE_ENV, raising=False)
    if reason == "snap":
        monkeypatch.setenv(browsers.BROWSER_ENV, str(tmp_path / "chromium"))
    else:
        monkeypatch.setattr(browsers, "_LAUNCHER", tmp_path / "missing")

    with browsers.unwatched_network():
        assert NODE_ENV not in os.environ
