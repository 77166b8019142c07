"""Finding a browser that Playwright can drive, and installing one where there is none."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bootstrap import apt, driver
from bootstrap.errors import SetupError, Status
from bootstrap.process import execute, say

VARIABLE = "BESEDKA_BROWSER"
# Debian packages the build without windows that Playwright, too, downloads for headless runs: half the cost.
HEADLESS_SHELL = "chromium-headless-shell"
NAMES = (
    HEADLESS_SHELL,
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
MAC_APPS = ("Chromium", "Google Chrome", "Microsoft Edge")
WINDOWS_APPS = (
    "Chromium/Application/chrome",
    "Google/Chrome/Application/chrome",
    "Microsoft/Edge/Application/msedge",
)
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
PLAYWRIGHT_FOLDERS = {
    "win32": "~/AppData/Local/ms-playwright",
    "darwin": "~/Library/Caches/ms-playwright",
    "linux": "~/.cache/ms-playwright",
}
# Launched, not asked for its version: unlike a packaged browser it may lack libraries of the system.
PLAYWRIGHT_LAUNCH = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print("Chromium", playwright.chromium.launch().version)
"""


class Browsers:
    """The browsers of this machine, in the order in which run.py's docstring promises to try them."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self.refusals: list[str] = []

    def find(self) -> str:
        """The path of the first browser that runs, "" for Playwright's own build. Raises SetupError."""
        driver.ensure(self.python)
        say("setup: looking for a browser that runs")
        if named := os.environ.get(VARIABLE):
            return self.named(named)
        for path in candidates():
            if self.runs(path):
                return str(path)
        if self.playwright_runs():
            return ""
        say("setup: playwright install chromium")
        status, output = execute([str(self.python), "-m", "playwright", "install", "chromium"])
        if status == 0 and (self.playwright_runs() or self.libraries_help()):
            return ""
        if status != 0:
            self.refuse("playwright install chromium", output, status)
        for package in (HEADLESS_SHELL, "chromium") if apt.usable() else ():
            try:
                apt.install(package)
            except SetupError as error:
                self.refusals.append(f"apt-get install {package}: {error.found}")
            for path in candidates():
                if self.runs(path):
                    return str(path)
        raise SetupError(
            Status.NO_BROWSER,
            "; ".join(dict.fromkeys(self.refusals)),
            expected="chromium, Google Chrome, Edge or a build of Playwright, and that it runs",
            where=f"{VARIABLE}, PATH, the usual folders, Playwright's folder",
            next_step=f"install one (on Debian: apt-get install chromium) or put its path in {VARIABLE}",
        )

    def named(self, name: str) -> str:
        """The browser that the user asked for: no other one will do."""
        path = shutil.which(os.path.expanduser(name))
        if path and self.runs(Path(path)):
            return os.path.abspath(path)
        raise SetupError(
            Status.NO_BROWSER,
            f"{name}: {self.refusals[-1].partition(': ')[2] if path else 'no such program'}",
            expected="the path of a chromium, Google Chrome or Edge that runs",
            where=f"the environment variable {VARIABLE}",
            next_step="correct it, or unset it to have a browser looked for",
        )

    def runs(self, path: Path) -> bool:
        """Whether it does more than exist: Ubuntu's chromium-browser may be a script asking for a snap."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            status, output = execute(trial(str(path), profile))
        if status == 0 and re.search(r"(Chrom|Edge)\D*\d+\.|<html", output):
            return True
        self.refuse(str(path), output, status)
        return False

    def playwright_runs(self) -> bool:
        """Whether Playwright can launch a build of its own."""
        status, output = execute([str(self.python), "-c", PLAYWRIGHT_LAUNCH])
        if status != 0:
            if "Executable doesn't exist" in output:
                self.refusals.append("Playwright's own build: not installed")
            else:
                self.refuse("Playwright's own build", output, status)
        return status == 0

    def libraries_help(self) -> bool:
        """Whether the build runs once the system's libraries are there, which a bare system lacks."""
        if not apt.usable():
            return False
        say("setup: playwright install-deps chromium")
        execute([str(self.python), "-m", "playwright", "install-deps", "chromium"])
        return self.playwright_runs()

    def refuse(self, what: str, output: str, status: int) -> None:
        """Note why something will not do, in the words of what it printed."""
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"(?i)error|requires|not ", line)] or lines[-1:]
        said = telling[0][:200] if telling else "nothing"
        self.refusals.append(f"{what}: exit status {status}, it said: {said}")

    def seen(self) -> list[list[object]]:
        """What the choice depends on, read without running anything. Equal lists: the same choice."""
        seen: list[list[object]] = [[VARIABLE, os.environ.get(VARIABLE, "")]]
        named = shutil.which(os.path.expanduser(os.environ.get(VARIABLE, "")))
        for path in [Path(named)] if named else candidates():
            stat = path.stat()
            seen.append([str(path), stat.st_size, stat.st_mtime_ns])
        folder = playwright_folder()
        builds = sorted(path.name for path in folder.glob("chromium*")) if folder.is_dir() else []
        return [*seen, [str(folder), *builds]]


def candidates() -> Iterator[Path]:
    """The programs that bear a browser's name, on PATH and where the system usually has them; best first."""
    found = [shutil.which(name) for name in NAMES]
    usual: list[Path] = []
    if sys.platform == "darwin":
        folders = (Path("/Applications"), Path("~/Applications").expanduser())
        usual = [folder / f"{app}.app/Contents/MacOS/{app}" for app in MAC_APPS for folder in folders]
    elif sys.platform == "win32":
        roots = [Path(os.environ[name]) for name in WINDOWS_FOLDERS if name in os.environ]
        usual = [folder / f"{app}.exe" for app in WINDOWS_APPS for folder in roots]
    yield from dict.fromkeys(Path(path) for path in found if path)
    yield from (path for path in usual if path.is_file())


def trial(path: str, profile: str) -> list[str]:
    """The command that proves a browser. On Windows --version opens a window in place of an answer."""
    if sys.platform == "win32":
        return [
            path,
            "--headless",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--dump-dom",
            "about:blank",
        ]
    return [path, "--version"]


def playwright_folder() -> Path:
    """Where Playwright keeps its builds (its documentation, "Browsers", "Managing browser binaries")."""
    usual = PLAYWRIGHT_FOLDERS.get(sys.platform, PLAYWRIGHT_FOLDERS["linux"])
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or usual).expanduser()
