"""Which browser set-up settles on."""

from pathlib import Path

import pytest

from bootstrap import apt, browser, driver
from bootstrap.browser import Browsers
from bootstrap.errors import SetupError, Status
from bootstrap.process import execute

from .conftest import MakeProgram

SNAP_STUB = "#!/bin/sh\necho \"Command '$0' requires the chromium snap to be installed.\" >&2\nexit 1\n"


class Machine:
    """A machine with an empty PATH, no Playwright build, and no rights; programs of set-up are recorded."""

    def __init__(self, tmp_path: Path) -> None:
        self.bin = tmp_path / "bin"
        self.second_bin = tmp_path / "second bin"
        self.calls: list[str] = []
        self.playwright_build = False
        self.download_works = False
        self.lacks_libraries = False
        self.apt_packages: set[str] = set()

    def execute(self, argv: list[str]) -> tuple[int, str]:
        if "-c" in argv:
            self.calls.append("playwright launch")
            return (
                (0, "Chromium 1.2") if self.playwright_build else (1, "Error: Executable doesn't exist at /x")
            )
        if "install-deps" in argv:
            self.calls.append("playwright install-deps")
            self.playwright_build = True
            return 0, ""
        if "playwright" in argv:
            self.calls.append("playwright install")
            self.playwright_build = self.download_works and not self.lacks_libraries
            return (0, "") if self.download_works else (1, "Error: getaddrinfo ENOTFOUND")
        return execute(argv)

    def install(self, package: str) -> None:
        self.calls.append(f"apt-get install {package}")
        if package not in self.apt_packages:
            raise SetupError(Status.FAILED, "no such package", expected="", where="", next_step="")
        program = self.bin / package
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\necho Chromium 9.9.9\n")
        program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.delenv("BESEDKA_BROWSER", raising=False)
    monkeypatch.setenv("PATH", f"{machine.bin}:{machine.second_bin}")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.setattr(browser, "execute", machine.execute)
    monkeypatch.setattr(driver, "trial", lambda _python: (0, "Version 1.65"))
    monkeypatch.setattr(apt, "usable", lambda: False)
    monkeypatch.setattr(apt, "install", machine.install)
    return machine


def find() -> str:
    return Browsers(Path("python")).find()


def test_the_named_one_comes_before_those_on_path(
    machine: Machine, make_program: MakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program(machine.bin / "chromium")
    named = make_program(tmp_path / "my browser")
    monkeypatch.setenv("BESEDKA_BROWSER", str(named))
    assert find() == str(named)


def test_a_name_without_a_folder_is_looked_up_on_path(
    machine: Machine, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program(machine.bin / "chromium")
    edge = make_program(machine.bin / "msedge", "#!/bin/sh\necho Microsoft Edge 130.0\n")
    monkeypatch.setenv("BESEDKA_BROWSER", "msedge")
    assert find() == str(edge)


@pytest.mark.parametrize("text", [SNAP_STUB, "#!/bin/sh\necho true 9.1\n", None])
def test_a_named_one_that_will_not_do_is_not_replaced(
    text: str | None,
    machine: Machine,
    make_program: MakeProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_program(machine.bin / "chromium")
    named = tmp_path / "other"
    if text:
        make_program(named, text)
    monkeypatch.setenv("BESEDKA_BROWSER", str(named))
    with pytest.raises(SetupError, match="other") as caught:
        find()
    assert caught.value.status is Status.NO_BROWSER
    assert "BESEDKA_BROWSER" in str(caught.value)


def test_on_path_the_name_counts_not_the_folder(machine: Machine, make_program: MakeProgram) -> None:
    make_program(machine.bin / "google-chrome")
    make_program(machine.bin / "microsoft-edge")
    chromium = make_program(machine.second_bin / "chromium")
    assert find() == str(chromium)


def test_one_that_exists_and_does_not_run_is_passed_over(machine: Machine, make_program: MakeProgram) -> None:
    make_program(machine.bin / "chromium-browser", SNAP_STUB)
    chrome = make_program(machine.bin / "google-chrome-stable", "#!/bin/sh\necho Google Chrome 130.0.1\n")
    assert find() == str(chrome)


def test_a_playwright_build_comes_after_path_and_before_any_download(machine: Machine) -> None:
    machine.playwright_build = True
    assert find() == ""
    assert machine.calls == ["playwright launch"]


def test_a_download_comes_next(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.download_works = True
    monkeypatch.setattr(apt, "usable", lambda: True)
    assert find() == ""
    assert machine.calls == ["playwright launch", "playwright install", "playwright launch"]


def test_root_on_debian_installs_one_at_last(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.apt_packages = {"chromium-headless-shell", "chromium"}
    monkeypatch.setattr(apt, "usable", lambda: True)
    assert find() == str(machine.bin / "chromium-headless-shell")
    assert machine.calls == [
        "playwright launch",
        "playwright install",
        "apt-get install chromium-headless-shell",
    ]


def test_where_there_is_no_headless_shell_chromium_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.apt_packages = {"chromium"}
    monkeypatch.setattr(apt, "usable", lambda: True)
    assert find() == str(machine.bin / "chromium")
    assert machine.calls[-2:] == ["apt-get install chromium-headless-shell", "apt-get install chromium"]


def test_the_build_without_windows_comes_first(machine: Machine, make_program: MakeProgram) -> None:
    make_program(machine.bin / "chromium")
    shell = make_program(machine.bin / "chromium-headless-shell")
    assert find() == str(shell)


@pytest.mark.parametrize("is_root_on_debian", [False, True])
def test_none_at_all_says_what_was_tried(
    is_root_on_debian: bool, machine: Machine, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program(machine.bin / "chromium-browser", SNAP_STUB)
    monkeypatch.setattr(apt, "usable", lambda: is_root_on_debian)
    with pytest.raises(SetupError) as caught:
        find()
    error = caught.value
    assert error.status is Status.NO_BROWSER
    assert "requires the chromium snap" in error.found
    assert "Playwright's own build: not installed" in error.found
    assert "ENOTFOUND" in error.found
    assert ("apt-get install chromium: no such package" in error.found) is is_root_on_debian
    assert "BESEDKA_BROWSER" in error.rows["next step"]


def test_what_is_seen_changes_with_every_candidate(
    machine: Machine, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    browsers = Browsers(Path("python"))
    seen = [browsers.seen()]
    make_program(machine.bin / "google-chrome")
    seen.append(browsers.seen())
    make_program(machine.bin / "google-chrome", "#!/bin/sh\necho Google Chrome 131.0, renewed\n")
    seen.append(browsers.seen())
    (tmp_path / "playwright" / "chromium-1255").mkdir(parents=True)
    seen.append(browsers.seen())
    monkeypatch.setenv("BESEDKA_BROWSER", "/elsewhere")
    seen.append(browsers.seen())
    assert len({repr(one) for one in seen}) == len(seen)
    assert browsers.seen() == seen[-1]
    assert not machine.calls


def test_a_bare_system_gets_the_libraries_of_playwrights_build(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ubuntu has chromium only as a snap: there Playwright's build is the one that can be had."""
    machine.download_works = machine.lacks_libraries = True
    monkeypatch.setattr(apt, "usable", lambda: True)

    assert find() == ""
    assert machine.calls[-3:] == ["playwright launch", "playwright install-deps", "playwright launch"]


def test_a_snap_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def execute(argv: list[str]) -> tuple[int, str]:
        calls.append(argv)
        return 0, "Inst squashfs-tools\nInst snapd (2.62)\nInst chromium" if "--simulate" in argv else ""

    monkeypatch.setattr(apt, "execute", execute)

    with pytest.raises(SetupError, match="as a snap only"):
        apt.install("chromium")
    assert not [argv for argv in calls if "install" in argv and "--simulate" not in argv]
