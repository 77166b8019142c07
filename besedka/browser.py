"""Which browser Playwright drives."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import sync_playwright

from besedka import hosts
from besedka.certificates import trusted_keys
from besedka.errors import BrowserMissingError

try:
    from besedka import without_netlink
except ImportError:  # netlink is Linux's; elsewhere browsers start as ever
    without_netlink = None  # type: ignore[assignment]

BROWSER_ENV = "BESEDKA_BROWSER"
# Where Playwright looks for the program that runs its driver, before its own.
_NODE_ENV = "PLAYWRIGHT_NODEJS_PATH"
_LAUNCHER = Path(__file__).with_name("without_netlink.sh")
_PYTHON_ENV = "BESEDKA_PYTHON"
_HEADLESS_SHELL = "chromium-headless-shell"
_NAMES = (
    # The build without windows that Playwright, too, uses for headless runs: half the cost of the others.
    # First, so that a headed run can leave it out.
    _HEADLESS_SHELL,
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)

_DISABLED_FEATURES = (
    # Each window would load these two pages of the browser's own, at twice the cost of the page under test.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # A renderer kept ready for a next site that never comes, once for each test.
    "SpareRendererForSitePerProcess",
    # The last switch of a name wins, so what Playwright itself disables is repeated.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
)


def executable(playwright_build: Callable[[], str], *, headed: bool = False) -> str | None:
    """Path of the browser to run, None for Playwright's own build.

    The order is `run.py`'s: BESEDKA_BROWSER, a browser on PATH, then the build that Playwright
    downloads, whose place `playwright_build` tells. `headed` passes over a build that has no windows.
    Raises BrowserMissingError when nothing is there.
    """
    found = _of_the_machine(headed=headed)
    if found:
        return found
    if Path(playwright_build()).exists():
        return None
    raise BrowserMissingError(
        "no Chromium, Chrome or Edge on PATH and no Playwright build",
        expected="a browser that Playwright can drive",
        where="PATH and Playwright's browsers folder",
        next_step="run `python3 run.py setup`, which installs one, or set "
        f"{BROWSER_ENV} to the path of a browser",
    )


def _of_the_machine(*, headed: bool) -> str | None:
    """Path of the browser that BESEDKA_BROWSER names, else of the first on PATH, else None."""
    named = os.environ.get(BROWSER_ENV)
    if named and not (headed and Path(named).name == _HEADLESS_SHELL):
        found = shutil.which(named)
        if found:
            return found
        raise BrowserMissingError(
            f"{BROWSER_ENV} names {named!r}, which is not an executable file",
            expected="the path of Chromium, Chrome or Edge",
            where=f"environment variable {BROWSER_ENV}",
            next_step=f"correct the path, or unset {BROWSER_ENV}",
        )
    return next((found for name in _NAMES[headed:] if (found := shutil.which(name))), None)


@contextmanager
def unwatched_network(*, headed: bool = False) -> Iterator[None]:
    """Playwright, started within the block, starts browsers that hear nothing of the machine's network.

    Else containers that start or stop beside a run make Chromium give up what it loads; see
    `besedka.without_netlink`. A browser out of a snap is left alone: snap gets its rights by a file's mode,
    which the kernel no longer honours under a filter.
    """
    browser = _of_the_machine(headed=headed)
    of_snap = browser is not None and Path(browser).resolve().name == "snap"
    if without_netlink is None or of_snap or not os.access(_LAUNCHER, os.X_OK):
        yield
        return
    node, _ = compute_driver_executable()
    told = {_NODE_ENV: str(_LAUNCHER), _PYTHON_ENV: sys.executable, without_netlink.PROGRAM_ENV: node}
    before = {name: os.environ.pop(name, None) for name in told}
    os.environ |= told
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def has_build(name: str) -> bool:
    """Whether Playwright's own Firefox or WebKit is here; starts Playwright, so not while it is running."""
    with sync_playwright() as playwright:
        return Path(getattr(playwright, name).executable_path).exists()


def playwright_build() -> str:
    """Where Playwright would keep its own Chromium; starts Playwright, so not while it is running."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def arguments(urls: Iterable[str] = ()) -> list[str]:
    """Command-line switches: root cannot use Chromium's sandbox, and a test browser calls nobody.

    Of the `urls`, those that the environment's certificates vouch for are trusted.
    """
    switches = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-gpu",
        f"--disable-features={','.join(_DISABLED_FEATURES)}",
        *hosts.switches(),
    ]
    if keys := ",".join(trusted_keys(urls)):
        switches.append(f"--ignore-certificate-errors-spki-list={keys}")
    root = sys.platform == "linux" and os.geteuid() == 0
    return [*switches, "--no-sandbox"] if root else switches
