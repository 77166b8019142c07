"""Where the frame may stand to its page: what each situation is, and what comes of it in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserType, Error, Page, expect

from besedka import address
from besedka import browser as browsers
from besedka.contract import Contract
from besedka.pages.login import LoginPage
from besedka.pages.site import ChatPage, ChatTestPage, IntegratedPage
from besedka.translation import translated
from faults.behind import Behind

_PARTITIONING = "ThirdPartyStoragePartitioning"
_NO_THIRD_PARTY = "--test-third-party-cookie-phaseout"
_PARTITIONED = "Partitioned"
# The page is silent for five seconds, then asks what is wrong (patience.js, DOUBT_MS).
_WORDS_MILLISECONDS = 30_000
_KNOWN = ("ready", "stopped", "signed-out", "awaiting-click")
PAGES: dict[str, type[ChatPage]] = {"test": ChatTestPage, "integrated": IntegratedPage}


@dataclass(frozen=True)
class Situation:
    """`stack` is the key of one of STACKS; `frame` are attributes that its frame gets from the proxy.

    `partitioned`: the browser keeps another storage for the frame on each site, as it does for people.
    `blocked`: it gives the frame of another site no cookies. `cookies` are attributes that the site's get
    from the proxy.
    """

    name: str
    words: str
    stack: str
    frame: str = ""
    cookies: str = ""
    allow: bool = True
    partitioned: bool = True
    blocked: bool = False
    checks: tuple[str, ...] = ("services.addresses", "sso.frame_policy")


_EVERY = "allow-scripts allow-same-origin allow-forms allow-popups"
SITUATIONS = (
    Situation("one_site", "one domain, as besedka.test and chat.besedka.test", "one_site"),
    Situation("one_site_blocked", "one domain, third-party cookies blocked", "one_site", blocked=True),
    Situation("other_site", "another domain, third-party cookies allowed", "other_site", partitioned=False),
    Situation("other_site_partitioned", "another domain, cookies allowed, storage partitioned", "other_site"),
    Situation(
        "other_site_blocked", "another domain, third-party cookies blocked", "other_site", blocked=True
    ),
    Situation(
        "cookie_for_all_sites",
        "another domain, SESSION_COOKIE_SAMESITE = None",
        "cookie_for_all_sites",
        partitioned=False,
    ),
    Situation(
        "cookie_for_all_sites_blocked",
        "another domain, SESSION_COOKIE_SAMESITE = None, third-party cookies blocked",
        "cookie_for_all_sites",
        blocked=True,
    ),
    Situation(
        "cookie_of_this_site",
        "another domain, the site's cookies SameSite=None and Partitioned (CHIPS), third-party cookies blocked",
        "cookie_for_all_sites",
        cookies=_PARTITIONED,
        blocked=True,
    ),
    Situation("two_spellings", "site on 127.0.0.1, chat on localhost", "two_spellings"),
    Situation("sandbox_scripts", 'sandbox="allow-scripts"', "one_site", frame='sandbox="allow-scripts"'),
    Situation("sandbox_empty", "sandbox without a word", "one_site", frame="sandbox"),
    Situation("sandbox_enough", f'sandbox="{_EVERY}"', "one_site", frame=f'sandbox="{_EVERY}"'),
    Situation("credentialless", "credentialless", "one_site", frame="credentialless"),
    Situation("no_allow", "no `allow` attribute", "one_site", allow=False),
)


def measured(
    situation: Situation, behind: Behind, kind: BrowserType, user_name: str
) -> dict[str, dict[str, Any]]:
    """Page → what came of it: whether somebody is signed in, and else the words of page and doctor."""
    contract = behind.running.contract
    with _served(situation, behind), _launched(situation, contract, kind) as browser:
        found = {name: _came(situation, browser, contract, page, user_name) for name, page in PAGES.items()}
        if not all(cell["signed_in"] for cell in found.values()):
            doctor = _doctor(situation, behind)
            found = {name: cell if cell["signed_in"] else cell | doctor for name, cell in found.items()}
    return found


def _doctor(situation: Situation, behind: Behind) -> dict[str, list[str]]:
    """The code of the cause, and what doctor says to do, in Russian."""
    cause = behind.examine(*situation.checks).first_cause
    return {"doctor": [cause.code, *(translated(line, "ru") for line in cause.advice)] if cause else []}


@contextmanager
def _served(situation: Situation, behind: Behind) -> Iterator[None]:
    """The attributes of the frame and of cookies, put there by nginx."""
    changes = []
    if situation.frame:
        changes.append(f"sub_filter '<iframe ' '<iframe {situation.frame} ';")
    if not situation.allow:
        changes.append("sub_filter ' allow=' ' data-allow=';")
    if changes:
        changes.append("sub_filter_once off; proxy_set_header Accept-Encoding '';")
    if situation.cookies:
        changes.append(f"proxy_cookie_path / '/; {situation.cookies}';")
    if not changes:
        yield
        return
    text, passed = behind.sites.read_text("utf-8"), "proxy_pass http://besedka_site;"
    with behind.said(text.replace(passed, " ".join([*changes, passed]))):
        yield


def program(kind: BrowserType) -> str | None:
    """What to run: for Chromium the one that the suite runs, else Playwright's own build."""
    return browsers.executable(lambda: kind.executable_path) if kind.name == "chromium" else None


@contextmanager
def _launched(situation: Situation, contract: Contract, kind: BrowserType) -> Iterator[Browser]:
    switches = browsers.arguments((contract.site.url, contract.chat.url))
    if situation.partitioned:
        switches = [one.replace(f",{_PARTITIONING}", "") for one in switches]
    if situation.blocked:
        switches.append(_NO_THIRD_PARTY)
    browser = kind.launch(executable_path=program(kind), args=switches if kind.name == "chromium" else [])
    try:
        yield browser
    finally:
        browser.close()


def _came(
    situation: Situation, browser: Browser, contract: Contract, page: type[ChatPage], user_name: str
) -> dict[str, Any]:
    context = browser.new_context(locale="ru-RU")
    try:
        tab = context.new_page()
        LoginPage(tab, contract).open().sign_in_as(contract.user(user_name))
        opened = page(tab, contract)
        opened.open()
        found = _decided(opened, tab)
        if not address.same_site(contract.site.url, contract.chat.url) and contract.chat.url.startswith(
            "https"
        ):
            assert _takes_cookies(tab, contract) is not situation.blocked, (
                "the browser blocks what it should not, or not"
            )
        if situation.cookies == _PARTITIONED:
            kept = context.cookies(contract.site.url)
            assert kept, "the site has set no cookie"
            assert all("partitionKey" in cookie for cookie in kept), "the cookies are not partitioned"
        return found
    finally:
        context.close()


def _takes_cookies(tab: Page, contract: Contract) -> bool:
    """Whether a frame of the chat's site can set a cookie here, as the switches promise."""
    address_of_probe = f"{contract.chat.url}/api/info"
    with tab.expect_event("framenavigated", lambda frame: frame.url == address_of_probe):
        tab.evaluate(
            "url => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))",
            address_of_probe,
        )
    frame = next(one for one in tab.frames if one.url == address_of_probe)
    kept: str = frame.evaluate(
        "() => { document.cookie = 'probe=1; SameSite=None; Secure'; return document.cookie }"
    )
    return "probe=1" in kept


def _decided(opened: ChatPage, tab: Page) -> dict[str, Any]:
    """Signed in, with a message box; or what the page says."""
    ends = [f'[data-state="{state}"]' for state in _KNOWN] + ["[data-proved]"]
    decided = opened.frame_element.and_(tab.locator(", ".join(ends)))
    expect(decided).to_be_attached(timeout=_WORDS_MILLISECONDS)
    if opened.frame_element.get_attribute("data-state") == "ready":
        try:
            expect(opened.chat.composer).to_be_visible(timeout=_WORDS_MILLISECONDS)
        except (AssertionError, Error):
            return {"signed_in": False, "page": [opened.status.inner_text()]}
        return {"signed_in": True}
    expect(opened.problem).to_be_visible()
    hints = opened.problem.get_by_role("listitem").all_inner_texts()
    return {
        "signed_in": False,
        "page": [opened.status.inner_text(), opened.problem.locator("p").first.inner_text(), *hints],
    }
