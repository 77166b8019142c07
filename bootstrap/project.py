"""A checkout and its .venv: what is ready there, and the steps that make it so."""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap import apt
from bootstrap.browser import Browsers
from bootstrap.errors import ADVICE, SetupError, Status, failure
from bootstrap.lock import Lock
from bootstrap.pip import Pip
from bootstrap.process import execute, say
from bootstrap.uv import Uv, installed

STAMP = "besedka-setup.json"
LAUNCHER = '#!/bin/sh\nexec "$(dirname "$0")/python" -P -m besedka.cli "$@"\n'
WINDOWS_LAUNCHER = '@"%~dp0python.exe" -P -m besedka.cli %*\n'


@dataclass(frozen=True)
class Packages:
    """What is installed: a lock file, and the disk space in MB that it takes while it is unpacked."""

    lock: str
    megabytes: int


ALL = Packages("requirements.lock", 700)
BASE = Packages("requirements-base.lock", 150)
"""What doctor and provision import: the dependencies of `besedka-e2e` without its extras."""


class Project:
    """Set-up of one checkout, with all packages or those that a command needs.

    The stamp in .venv holds what the finished steps depended on. It is taken away before the first change to
    .venv and written after the last one: no stamp means a .venv that nobody vouches for, and it is made anew.
    Keys: home, lock, packages (the installation); browser ("" for Playwright's own build), seen.
    """

    def __init__(self, root: Path, packages: Packages = ALL) -> None:
        self.root = root
        self.packages = packages
        self.venv = root / ".venv"
        self.before = root / ".venv.before"
        self.lock_file = root / packages.lock
        where = {"base": str(self.venv), "platbase": str(self.venv)}
        self.scripts = Path(sysconfig.get_path("scripts", "venv", where))
        self.libraries = Path(sysconfig.get_path("purelib", "venv", where))
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")
        self.browsers = Browsers(self.python)
        self.held: tuple[int, ...] = ()

    def set_up(self) -> None:
        """Make the packages ready that are not."""
        if not self.packages_ready():
            with self.locked():
                if not self.packages_ready():
                    self.install_packages()

    def browser(self) -> str:
        """Find a browser where that is to be done. Returns its path, "" for the build that Playwright has."""
        if not self.browser_ready():
            with self.locked():
                if not self.browser_ready():
                    browser = self.browsers.find()
                    self.write_stamp(self.stamp() | {"browser": browser, "seen": self.browsers.seen()})
        browser = str(self.stamp()["browser"])
        say(f"setup: ready (browser: {browser or 'the build that Playwright has itself'})")
        return browser

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While entered, no other run.py sets up here."""
        with Lock(self.root / ".besedka" / "setup.lock") as lock:
            self.held = lock.descriptors
            yield

    def stamp(self) -> dict[str, object]:
        """The stamp, empty where there is none that can be read."""
        try:
            stamp = json.loads((self.venv / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def write_stamp(self, stamp: dict[str, object]) -> None:
        """All of it or nothing: a stamp cut short by a full disk must not count."""
        new = self.venv / (STAMP + ".new")
        new.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        new.replace(self.venv / STAMP)

    def home(self) -> list[object]:
        """What no .venv outlives the change of: its scripts name its folder, its packages its Python."""
        return [str(self.root), *sys.version_info[:2]]

    def lock_hash(self, packages: Packages) -> str:
        """SHA-256 of the lock file."""
        path = self.root / packages.lock
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            raise SetupError(
                Status.FAILED,
                "no such file",
                expected="the lock file of the project",
                where=path,
                next_step=f"get it back: git checkout -- {packages.lock}",
            ) from None

    def packages_ready(self) -> bool:
        """Whether the stamp is of this Python and a lock that will do, and its packages are there."""
        stamp = self.stamp()
        # Who has everything has what doctor needs.
        locks = [self.lock_hash(one) for one in dict.fromkeys((self.packages, ALL))]
        if stamp.get("home") != self.home() or stamp.get("lock") not in locks:
            return False
        packages = stamp.get("packages")
        return self.python.exists() and isinstance(packages, list) and set(packages) <= self.installed()

    def browser_ready(self) -> bool:
        """Whether the browsers that can be seen are those among which the stamp's was chosen."""
        stamp = self.stamp()
        return "browser" in stamp and stamp.get("seen") == self.browsers.seen()

    def installed(self) -> set[str]:
        """What stands in site-packages for a package."""
        with contextlib.suppress(FileNotFoundError):
            return {name for name in os.listdir(self.libraries) if name.endswith((".dist-info", ".pth"))}
        return set()

    def beyond_base(self) -> bool:
        """Whether a package stands in .venv, or stood there by its stamp, that the base does not have."""
        noted = self.stamp().get("packages")
        there = self.installed() | {str(name) for name in (noted if isinstance(noted, list) else ())}
        names = {name.partition("-")[0].replace("_", "-").lower() for name in there}
        return bool(names & (self.locked_names(ALL) - self.locked_names(BASE)))

    def locked_names(self, packages: Packages) -> set[str]:
        """What a lock file installs, in the spelling of package indexes."""
        path = self.root / packages.lock
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return {name.replace("_", "-").lower() for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}

    def install_packages(self) -> None:
        """Make .venv, unless a sound one is there, and install the lock file into it.

        Where more than the base was installed, all of it is again: doctor takes nobody's tests away.
        """
        old = self.stamp()
        if self.beyond_base():
            self.packages, self.lock_file = ALL, self.root / ALL.lock
        anew = old.get("home") != self.home() or not self.python.exists()
        if anew:
            self.check_space()
            self.set_aside()
        with contextlib.suppress(FileNotFoundError):
            (self.venv / STAMP).unlink()
        try:
            with installed(self.root / ".besedka" / "uv") as uv:
                try:
                    self.install_with(uv or Pip(), old, anew=anew)
                except SetupError as error:
                    # An index that pip knows how to ask, and uv does not.
                    if uv is None or error.status not in {Status.FAILED, Status.NO_MATCH}:
                        raise
                    say(f"setup: {uv.name} could not: {error.found[:160]}")
                    self.install_with(Pip(), {}, anew=True)
            self.add_project()
        except BaseException:
            if anew:
                remove(self.venv)
                self.take_back()
            raise
        remove(self.before)
        self.write_stamp(
            {"home": self.home(), "lock": self.lock_hash(self.packages), "packages": sorted(self.installed())}
        )

    def install_with(self, tool: Uv | Pip, old: dict[str, object], *, anew: bool) -> None:
        """One try at an installation."""
        started = time.monotonic()
        if anew:
            if isinstance(tool, Pip):
                check_venv_module()
            version = ".".join(map(str, sys.version_info[:3]))
            say(f"setup: making .venv with Python {version}")
            self.call(tool, tool.venv(base_python(), self.venv))
        say(f"setup: installing {self.packages.lock} into .venv with {tool.name}")
        self.call(tool, tool.install(self.python, self.lock_file), keep={} if anew else old)
        count = sum(name.endswith(".dist-info") for name in self.installed())
        say(f"setup: {count} packages in {time.monotonic() - started:.0f} s")

    def set_aside(self) -> None:
        """Keep the .venv of before until the new one stands; of a link, the link alone is moved."""
        if self.venv.is_symlink():
            say(f"setup: .venv is a link; a folder takes its place, and {self.venv.resolve()} is left alone")
        if os.path.lexists(self.venv):
            remove(self.before)
            self.venv.replace(self.before)

    def take_back(self) -> None:
        """Put the .venv of before back where it was."""
        if os.path.lexists(self.before):
            self.before.replace(self.venv)

    def call(self, tool: Uv | Pip, argv: list[str], *, keep: dict[str, object] | None = None) -> None:
        """Run a step or raise SetupError; `keep` is a stamp to put back if it failed before any change."""
        status, output = execute(argv, keep_open=self.held, more=tool.environment, told=False)
        if status == 0:
            return
        if keep and not tool.changed(output):
            self.write_stamp(keep)
        raise failure(output, shlex.join(argv))

    def check_space(self) -> None:
        """Raises SetupError where .venv would not fit."""
        free = shutil.disk_usage(self.root).free // 2**20
        if free < self.packages.megabytes:
            raise SetupError(
                Status.NO_SPACE,
                f"{free} MB free",
                expected=f"about {self.packages.megabytes} MB free",
                where=self.root,
                next_step=ADVICE[Status.NO_SPACE][1],
            )

    def add_project(self) -> None:
        """Make `import besedka` and the command `besedka` work in the activated .venv, from the work tree.

        By hand, because an editable install needs a build backend that the lock file does not vouch for. The
        path is relative, hence ASCII: Python reads .pth files in the encoding of the locale.
        """
        path = os.path.relpath(self.root, self.libraries)
        (self.libraries / "besedka-project.pth").write_text(path + "\n", encoding="ascii")
        windows = os.name == "nt"
        launcher = self.scripts / ("besedka.cmd" if windows else "besedka")
        launcher.write_text(WINDOWS_LAUNCHER if windows else LAUNCHER, encoding="ascii")
        launcher.chmod(0o755)
        tests = self.scripts / "pytest"
        if not windows and tests.exists():
            tests.unlink()  # It may be a hard link to a cache of packages.
            tests.write_text(LAUNCHER.replace("besedka.cli", "bootstrap.as_pytest"), encoding="ascii")
            tests.chmod(0o755)


def remove(folder: Path) -> None:
    """Take a folder away, or a link and not what it leads to."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def base_python() -> str:
    """The Python to make .venv with; sys.executable itself may lie in .venv, about to be cleared."""
    return getattr(sys, "_base_executable", None) or sys.executable


def check_venv_module() -> None:
    """Debian and Ubuntu pack venv's other half, ensurepip, apart: install it, or raise SetupError."""
    if has_venv_module():
        return
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    try:
        if apt.usable() and base_python().startswith("/usr/bin/"):
            apt.install(package)
    except SetupError as error:
        if error.status is not Status.FAILED:
            raise
    importlib.invalidate_caches()
    if not has_venv_module():
        raise SetupError(
            Status.NO_VENV,
            "this Python has no module venv or ensurepip",
            expected="both, to make .venv",
            where=base_python(),
            next_step=f"on Debian or Ubuntu, as root: apt-get install {package}; elsewhere a whole Python",
        )


def has_venv_module() -> bool:
    """Whether this Python can make a virtual environment with pip in it."""
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
