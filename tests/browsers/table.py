"""docs/browsers.json: what came of each situation in each browser that was there, and the stacks for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from playwright.sync_api import BrowserType, Playwright, sync_playwright

from besedka import browser as browsers
from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import StackStartError
from besedka.stacks import embedded
from besedka.stacks.environment import SITE_SETTINGS_ENV
from besedka.stacks.services import nginx
from besedka.stacks.services.options import Programs
from faults.behind import Behind
from tests.browsers.situations import SITUATIONS, measured, program

FILE = PROJECT_ROOT / "docs" / "browsers.json"
BROWSERS = ("chromium", "firefox", "webkit")
_OTHER_HOST = "chat.elsewhere.test"
_FOR_ALL = {"SESSION_COOKIE_SAMESITE": "None"}


def stored() -> dict[str, Any]:
    """Browser → situation → page → what came of it."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def here(playwright: Playwright) -> dict[str, BrowserType]:
    """The browsers of this machine that can be measured."""
    kinds = {name: getattr(playwright, name) for name in BROWSERS}
    return {name: kind for name, kind in kinds.items() if name == "chromium" or _built(kind)}


def _built(kind: BrowserType) -> bool:
    return os.path.exists(kind.executable_path)


@contextmanager
def stack(name: str) -> Iterator[Behind]:
    """The stack of that name, behind nginx but for `two_spellings`. Raises StackStartError."""
    program, why = nginx.find("auto", print)
    if program is None:
        raise StackStartError(why, expected="nginx", where="PATH", next_step="apt-get install nginx")
    told, programs = contracts.load(), Programs(tls=True, proxy=True, nginx=program)
    with ExitStack() as held:
        if name in {"other_site", "cookie_for_all_sites"}:
            told = _elsewhere(told)
        if name == "cookie_for_all_sites":
            held.enter_context(_site_settings(_FOR_ALL))
        if name == "two_spellings":
            told, programs = (
                told.at(site_url="http://127.0.0.1:8001", chat_url="http://localhost:3000"),
                Programs(),
            )
        yield Behind(held.enter_context(embedded.running(told, programs=programs)), program, told)


def _elsewhere(told: Contract) -> Contract:
    front = nginx.settings(told).model_copy(update={"chat_host": _OTHER_HOST})
    return told.model_copy(update={"proxy": front})


@contextmanager
def _site_settings(told: dict[str, str]) -> Iterator[None]:
    before = os.environ.get(SITE_SETTINGS_ENV)
    os.environ[SITE_SETTINGS_ENV] = json.dumps(told)
    try:
        yield
    finally:
        os.environ.pop(SITE_SETTINGS_ENV)
        if before is not None:
            os.environ[SITE_SETTINGS_ENV] = before


def measure(name: str, kind: BrowserType) -> dict[str, Any]:
    """Every situation of one stack, in one browser."""
    told = contracts.load()
    user = next(one for one in told.users if one.role == told.common_role)
    with stack(name) as behind:
        return {
            one.name: measured(one, behind, kind, user.username) for one in SITUATIONS if one.stack == name
        }


def stacks() -> list[str]:
    """The names of the stacks, each once."""
    return list(dict.fromkeys(one.stack for one in SITUATIONS))


def main() -> None:
    """`python -m tests.browsers.table`: measure, and write the file that docs/browsers.md is made from."""
    found = stored() if FILE.exists() else {}
    with browsers.unwatched_network(), sync_playwright() as playwright:
        for browser, kind in here(playwright).items():
            rows: dict[str, Any] = {}
            for name in stacks():
                rows |= measure(name, kind)
            found[browser] = {"version": _version(kind), "cells": rows}
    FILE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _version(kind: BrowserType) -> str:
    switches = browsers.arguments() if kind.name == "chromium" else []
    launched = kind.launch(executable_path=program(kind), args=switches)
    try:
        return launched.version
    finally:
        launched.close()


if __name__ == "__main__":
    main()
