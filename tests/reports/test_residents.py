"""A page that outlives a test is handed out at home. A test that leaves it otherwise fails by name."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

from besedka.stacks.model import Stack
from fixtures.lending import MODULES, Lender, take_along, with_profiles
from tests import inner

pytestmark = pytest.mark.reports

SUBJECT = """
import pytest
from playwright.sync_api import expect

@pytest.fixture
def who(contract):
    return contract.users[0]

def test_gets_a_page_at_home(at_home, who, contract):
    page = at_home(who)
    page.page.evaluate("() => { window.mine = 1 }")
    assert page.chat.composer_of(contract.default_channel.name).is_enabled()

def test_gets_the_same_page(at_home, who):
    assert at_home(who).page.evaluate("() => window.mine") == 1

def test_leaves_it_small(at_home, who):
    at_home(who).page.set_viewport_size({"width": 390, "height": 844})

def test_leaves_a_draft(at_home, who):
    at_home(who).chat.composer.fill("left behind")

def test_leaves_a_tab(at_home, who):
    at_home(who).page.context.new_page()

def test_gets_a_page_at_home_again(at_home, who):
    page = at_home(who)
    assert page.page.viewport_size == {"width": 1280, "height": 800}
    assert len(page.page.context.pages) == 1
    expect(page.chat.composer).to_have_value("")

def test_a_tab_of_theirs_is_signed_in_and_closed(returning, who, contract):
    from besedka.pages.site import IntegratedPage
    IntegratedPage(returning(who), contract).open().wait_for_chat()

def test_a_lent_browser_is_nobodys(person, contract):
    from besedka.pages.site import ChatTestPage
    for user in contract.users[:2]:
        page = ChatTestPage(person(user), contract).open()
        page.wait_for_chat()

def test_the_next_one_too(visitor, contract):
    assert visitor.context.cookies() == []
    visitor.goto(contract.chat.url)
    assert visitor.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]
"""
LEFT = {
    "test_leaves_it_small": "viewport is (390, 844), was (1280, 800)",
    "test_leaves_a_draft": "draft is 'left behind', was ''",
    "test_leaves_a_tab": "tabs is 2, was 1",
}


def test_a_browser_with_a_profile_takes_files_along_and_nobody(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In front of Rocket.Chat's own client the lender starts these."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with with_profiles(browser_type, browser_type_launch_args) as start, ExitStack() as open_browsers:
        first = start()
        open_browsers.callback(first.close)
        page = first.new_page()
        page.goto(f"{stack.site_url}/accounts/login/")
        page.close()
        (kept,) = map(_files, _profiles(tmp_path))
        second = start()
        open_browsers.callback(second.close)

        assert first.cookies() != []
        assert (second.cookies(), second.pages) == ([], [])
        assert kept
        assert all(kept <= _files(profile) for profile in _profiles(tmp_path))

    assert _profiles(tmp_path) == []


def test_nothing_of_a_person_is_taken_along(tmp_path: Path) -> None:
    first = tmp_path / "first" / "Default"
    for kept in ("Cache/Cache_Data/page", "Code Cache/js/script", "Cookies", "Local Storage/leveldb/token"):
        (first / kept).parent.mkdir(parents=True, exist_ok=True)
        (first / kept).touch()

    take_along(first.parent, tmp_path / "own")

    own = {file.name for file in (tmp_path / "own").rglob("*") if file.is_file()}
    assert own == {"page", "script"}


SOMEWHERE = "http://somewhere.test"
LEAVE = """async ([mine, modules]) => {
    document.cookie = `${mine}=1; path=/`;
    localStorage.setItem(mine, 1);
    for (const name of [mine, modules]) {
        await new Promise((done) => { indexedDB.open(name).onsuccess = ({target}) => { target.result.close(); done(); }; });
    }
}"""
FOUND = """async () => [
    document.cookie, localStorage.length, (await indexedDB.databases()).map(({name}) => name),
]"""


@pytest.mark.parametrize("on_disk", [True, False], ids=["with a profile", "without one"])
def test_a_browser_is_lent_again_and_keeps_the_clients_modules_alone(
    on_disk: bool, browser: Browser, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> None:
    with with_profiles(browser_type, browser_type_launch_args) as start:
        profiled = start if on_disk else None
        lender = Lender(browser, (SOMEWHERE,), keeps=True, device={}, profiled=profiled)
        first = lender.lend()
        page = _page(first)
        page.evaluate(LEAVE, ["somebody", MODULES])
        assert page.evaluate(FOUND) == ["somebody=1", 1, [MODULES, "somebody"]]

        lender.take_back(first)
        second = lender.lend()

        assert second is first
        assert _page(second).evaluate(FOUND) == ["", 0, [MODULES]]
        lender.take_back(second)
        lender.close()


def _page(context: BrowserContext) -> Page:
    """An empty page of an origin where nobody listens."""
    page = context.new_page()
    page.route("**", lambda route: route.fulfill(content_type="text/html", body=""))
    page.goto(SOMEWHERE)
    return page


def _profiles(folder: Path) -> list[Path]:
    return list(folder.glob("besedka-profile-*"))


def _files(profile: Path) -> set[str]:
    """Names of what the browser keeps of files."""
    return {file.name for file in profile.glob("Default/Cache/*/*_0")}


def test_who_leaves_a_page_different_fails_by_name(stack: Stack, subject: Path) -> None:
    subject.write_text(SUBJECT, encoding="utf-8")

    said = inner.run(*inner.attached(stack), "--no-diagnosis", "--lang=en", str(subject)).stdout

    assert re.search(r"\b9 passed, .*3 errors\b", said), said
    for name, words in LEFT.items():
        assert re.search(rf"\b{name}\S* left a page different from how it got it: ", said), said
        assert words in said
    loads = re.search(r"loads of the chat's web client: (\d+); tests with a browser: 9\b", said)
    assert loads, said
