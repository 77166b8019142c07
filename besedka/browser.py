"""Which browser Playwright drives."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

from besedka.errors import BrowserMissingError

BROWSER_ENV = "BESEDKA_BROWSER"
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

    The order is that of `run.py`: BESEDKA_BROWSER, a browser on PATH, then the build that Playwright
    downloads, whose place `playwright_build` tells. `headed` passes over a build that has no windows.
    Raises BrowserMissingError when nothing is there.
    """
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
    for name in _NAMES[headed:]:
        found = shutil.which(name)
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


def playwright_build() -> str:
    """Where Playwright would keep its own Chromium; starts Playwright, so not while it is running."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def arguments() -> list[str]:
    """Command-line switches: root cannot use Chromium's sandbox, and a test browser calls nobody."""
    switches = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-gpu",
        f"--disable-features={','.join(_DISABLED_FEATURES)}",
    ]
    root = sys.platform == "linux" and os.geteuid() == 0
    return [*switches, "--no-sandbox"] if root else switches
