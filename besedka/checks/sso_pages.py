"""Layer `sso`, the pages: what the site shows a signed-in user before any script runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from besedka import address as addresses
from besedka.adapter import Selectors
from besedka.checks import patience
from besedka.checks.check import Check, check
from besedka.checks.content_policy import policies, refuses
from besedka.checks.examination import Examination, gateway
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.checks.page_document import unusual
from besedka.checks.page_scripts import makes_frame, scripts
from besedka.checks.reloading import reloads
from besedka.checks.visitors import visitor
from besedka.contract import Contract, Role
from besedka.site import Site

_SWITCHER = "button"
# What a script in the page itself is called: its place follows.
_INLINE = "script "
_JAVASCRIPT = re.compile(r"(text|application)/(x-)?(javascript|ecmascript)|text/(jscript|livescript)")
_NO_FRAME = "does the page's template hold the frame? `doctor --explain` prints one"
_BY_SCRIPT = "the page has no frame until its script makes one: the tests look at it in a browser"
_PRESSED = ("button", "a")
_SESSION = "data-session-url"
_ROOM_PATH = re.compile(r"/(channel|group|direct)/([^/]+)/?")
_FRAME_KINDS = (
    "status type attachment clears kept reloads slow nested no_frame extra_frame frame_id not_a_room room_id"
    " layout frame"
)

# (kind, what is seen, how to fix it) -> the finding.
Wrong = Callable[[str, str, str], list[Finding]]


class Page(HTMLParser):
    """What a page of the site holds for the chat.

    `documents` counts its `<html>`, `base` is where its addresses begin, `digests` are address → integrity of
    its scripts. `frames` are the attributes of each frame. `scripts` are the addresses of scripts, `inline`
    their texts where they stand in the page. `modules` are those of both that are modules, `unrun` the types
    of scripts that no browser runs. `switchers` are name of the channel → (tag, path of the room, text),
    `idle` those that take no click. `labels` are the texts of its buttons and links.
    """

    def __init__(self) -> None:
        super().__init__()
        self.documents = 0
        self.base = ""
        self.digests: dict[str, str] = {}
        self.modules: set[str] = set()
        self.unrun: list[str] = []
        self.frames: list[dict[str, str]] = []
        self.scripts: list[str] = []
        self.inline: list[str] = []
        self.switchers: dict[str, tuple[str, str, str]] = {}
        self.idle: set[str] = set()
        self.labels: list[str] = []
        self._labelled = False
        self._channel: str | None = None
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag is for the chat."""
        fields = {name: value or "" for name, value in attrs}
        self.documents += tag == "html"
        if tag == "iframe":
            self.frames.append(fields)
        elif tag == "base" and not self.base:
            self.base = fields.get("href", "")
        elif tag == "script":
            self._note_script(fields)
        self._in_script = tag == "script" and not fields.get("src") and self._runs(fields)
        if tag in _PRESSED:
            self._labelled = True
            self.labels.append("")
        if fields.get("data-channel"):
            self._channel = fields["data-channel"]
            if "disabled" in fields:
                self.idle.add(self._channel)
            self.switchers[self._channel] = (tag, fields.get("data-path", ""), "")

    def _note_script(self, fields: dict[str, str]) -> None:
        if not self._runs(fields):
            self.unrun.append(fields["type"])
            return
        name = fields.get("src", "") or f"{_INLINE}{len(self.inline) + 1}"
        if fields.get("src"):
            self.scripts.append(name)
            self.digests[name] = fields.get("integrity", "")
        else:
            self.inline.append("")
        if fields.get("type", "").strip().lower() == "module":
            self.modules.add(name)

    @staticmethod
    def _runs(fields: dict[str, str]) -> bool:
        """https://html.spec.whatwg.org/multipage/scripting.html#attr-script-type"""
        kind = fields.get("type", "").strip().lower()
        return kind in {"", "module"} or bool(_JAVASCRIPT.fullmatch(kind))

    def handle_data(self, data: str) -> None:
        """Note what stands in a script or on a switcher."""
        if self._in_script:
            self.inline[-1] += data
            return
        if self._labelled:
            self.labels[-1] = _shown(f"{self.labels[-1]}{data}")
        if self._channel is not None:
            tag, path, text = self.switchers[self._channel]
            self.switchers[self._channel] = (tag, path, text + data)

    def handle_endtag(self, tag: str) -> None:
        """The script, switcher, button or link ends."""
        if self._channel is not None and tag in {self.switchers[self._channel][0], *_PRESSED}:
            kind, path, text = self.switchers[self._channel]
            self.switchers[self._channel], self._channel = (kind, path, _shown(text)), None
        self._labelled = self._labelled and tag not in _PRESSED
        self._in_script = False


def _shown(text: str) -> str:
    """The text as a browser shows it: breaks and blanks of the source are one blank (CSS Text 3, 4.1.1)."""
    return re.sub(r"[ \t\n\r\f]+", " ", text).strip(" ")


def read(response: requests.Response) -> Page:
    """The page of an answer."""
    page = Page()
    page.feed(response.text)
    base = urljoin(response.url, page.base)
    kept = policies([response.headers.get("Content-Security-Policy", "")])
    if page.base and not any(refuses(policy, ("base-uri",), base, response.url) for policy in kept):
        page.digests = {urljoin(base, source): digest for source, digest in page.digests.items()}
        page.modules = {one if one.startswith(_INLINE) else urljoin(base, one) for one in page.modules}
        page.scripts = [urljoin(base, source) for source in page.scripts]
    return page


def _page_findings(name: str, examination: Examination, response: requests.Response) -> list[Finding]:
    """What is wrong with the page: its frame, or that it does not stay."""
    place = f"{response.url.partition('?')[0]}, signed in"
    broken = unusual(name, response, place) if response.status_code == 200 else []
    if broken and broken[0].severity is Severity.BROKEN:
        return broken
    late = patience.late(name, response.elapsed.total_seconds(), place)
    return _frame_findings(name, examination, response) or reloads(name, response, place) or broken + late


def _quickly(examination: Examination, path: str) -> requests.Response:
    """The page as somebody signed in gets it, the quicker of two where it is late."""
    site = visitor(examination).site
    return patience.answered(lambda: site.get(path))


def _frame_findings(name: str, examination: Examination, response: requests.Response) -> list[Finding]:
    """What is wrong with the page's frame; the first thing alone, because the rest follows from it."""
    contract = examination.contract
    room = f"{contract.chat.url}{contract.default_channel.path}"
    expected = f"one frame on {room}?layout=embedded"

    def wrong(kind: str, seen: str, fix: str) -> list[Finding]:
        place = f"{response.url.partition('?')[0]}, signed in"
        return [finding(f"{name}.{kind}", seen, expected, place, advice=(fix,))]

    if response.status_code != 200:
        return wrong("status", *_status(contract, response))
    page = read(response)
    # HTML lets a page leave its `<html>` out; two are a page within a page.
    if page.documents > 1:
        fix = "a template that extends base.html may hold no document of its own"
        return wrong("nested", f"{page.documents} documents in one page", fix)
    if not page.frames:
        return wrong("no_frame", "no frame", _NO_FRAME)
    frames = [frame for frame in page.frames if _is_of_the_chat(contract, frame)] or page.frames[:1]
    frame_id = contract.site.selectors.frame_id or frames[0].get("id")
    if len(frames) > 1:
        others = ", ".join(frame.get("src", "") for frame in frames if frame.get("id") != frame_id)
        fix = "take it out: Rocket.Chat starts the OAuth flow itself and refuses a state it did not make"
        return wrong("extra_frame", f"{len(frames)} frames, also {others}", fix)
    if frames[0].get("id") != frame_id:
        fix = f"call it {frame_id}, or say what it is called: [site.selectors] frame in besedka.toml"
        return wrong("frame_id", f"a frame called {frames[0].get('id')!r}", fix)
    return _address_findings(examination, frames[0].get("src", ""), wrong)


def _status(contract: Contract, response: requests.Response) -> tuple[str, str]:
    """What came in the page's place, and what a person does about it."""
    target = response.headers.get("Location", "")
    fix = next(iter(gateway(response.status_code, response.text)), "read Daphne's log")
    if Site.of(contract).is_login(target):
        fix = (
            "The page does not know who is signed in: something keeps the answer for others (proxy_cache), "
            "or loses the cookie on its way. If neither does: read Daphne's log."
        )
    return f"{response.status_code} {target}".strip(), fix


def _makes_its_frame(examination: Examination, response: requests.Response) -> bool:
    """Whether a script makes the frame that the page's HTML has not; one document alone can say so."""
    page = read(response)
    if response.status_code != 200 or page.frames or page.documents > 1:
        return False
    site = visitor(examination).site
    return makes_frame(scripts(site, response.url, page.scripts, page.inline, page.modules)[0])


def _is_of_the_chat(contract: Contract, frame: dict[str, str]) -> bool:
    """Whether the frame is the chat's, or meddles with its sign-in; a site may show others."""
    source, named = frame.get("src", ""), contract.site.selectors.frame_id
    concerned = (contract.chat.url, contract.provider.authorize_path)
    return frame.get("id") == (named or "") or any(one in source for one in concerned)


def rooms_of(page: Page, contract: Contract) -> dict[str, str]:
    """Room → label of its button: by `data-channel`, or by the label where the switcher is not ours."""
    if page.switchers or contract.site.selectors.switcher == Selectors().switcher:
        return {name: text for name, (_, _, text) in page.switchers.items()}
    return {channel.name: channel.label for channel in contract.channels if channel.label in page.labels}


def _address_findings(examination: Examination, source: str, wrong: Wrong) -> list[Finding]:
    contract = examination.contract
    address = urlsplit(source)
    room = _ROOM_PATH.fullmatch(address.path.removeprefix(addresses.path(contract.chat.url)))
    if room is None:
        fix = "rooms are /channel/<name> and /group/<name>; any other path gets 200 and the same shell too"
        return wrong("not_a_room", source, fix)
    if room[2] != room[2].lower() and room[2].lower() in {channel.name for channel in contract.channels}:
        fix = f"a path takes the room's name, not its id: {contract.default_channel.path}"
        return wrong("room_id", source, fix)
    if parse_qs(address.query).get("layout") != ["embedded"]:
        return wrong("layout", source, "without layout=embedded the menus and the sidebar show")
    if source.partition("?")[0] != f"{contract.chat.url}{contract.default_channel.path}":
        fix = "CHAT_URL and CHAT_CHANNELS of the site must be the contract's"
        return wrong("frame", source, fix)
    return []


@check("sso.test_page", codes=_FRAME_KINDS, needs=["sso.user"], after=["site.test_page", "sso.remembered"])
def test_page(examination: Examination) -> Answer:
    """Does the test page show the default room in a frame?"""
    response = examination.first_visit
    if response is None or response.status_code < 500:
        response = _quickly(examination, examination.contract.site.test_page)
    if _makes_its_frame(examination, response):
        return Skipped(_BY_SCRIPT)
    found = _page_findings("sso.test_page", examination, response)
    return answer(found, evidence="one frame, embedded")


@check("sso.integrated_page", codes=f"{_FRAME_KINDS} buttons links paths", needs=["sso.user"])
def integrated_page(examination: Examination) -> Answer:
    """Does the integrated page show the frame, and buttons for this user's rooms alone?"""
    contract, role = examination.contract, visitor(examination).role
    if without := contract.site.features.missing("integrated_page"):
        return Skipped(without)
    response = _quickly(examination, contract.site.integrated_page)
    if _makes_its_frame(examination, response):
        return Skipped(_BY_SCRIPT)
    found = _page_findings("sso.integrated_page", examination, response)
    if not found:
        found = _switcher_findings(contract, role, read(response))
    wanted = [channel for channel in contract.channels if channel.admits(role)]
    watched = [f"channels.{channel.name}.label" for channel in wanted]
    return answer(found, evidence=", ".join(channel.label for channel in wanted), watched=watched)


def _switcher_findings(contract: Contract, role: Role, page: Page) -> list[Finding]:
    place = f"{contract.site.url}{contract.site.integrated_page} as {role}"
    wanted = {channel.name: channel.label for channel in contract.channels if channel.admits(role)}
    seen = rooms_of(page, contract)
    if seen != wanted:
        fix = "CHAT_CHANNELS of the site must be [[channels]] of besedka.toml"
        return [finding("sso.integrated_page.buttons", str(seen), str(wanted), place, advice=(fix,))]
    found = []
    for name, (tag, path, _) in page.switchers.items():
        if tag != _SWITCHER:
            fix = "a link loads the whole page, and Rocket.Chat with it; use <button type=button>"
            text = f"{name} is switched by <{tag}>"
            found.append(finding("sso.integrated_page.links", text, f"<{_SWITCHER}>", place, advice=(fix,)))
        # `path` of a channel is what follows the chat's address, layout included.
        elif path.partition("?")[0] != contract.channel(name).path.partition("?")[0]:
            fix = "a button leads to the room's name, as Rocket.Chat has it: CHAT_CHANNELS of the site"
            text = f"{name} leads to {path}"
            found.append(
                finding("sso.integrated_page.paths", text, contract.channel(name).path, place, advice=(fix,))
            )
    return found


@check("sso.site_session", codes="status html other_user", needs=["sso.test_page"])
def site_session(examination: Examination) -> Answer:
    """Does the site tell its pages, in JSON, who is signed in?"""
    made, site = visitor(examination), examination.contract.site
    frames = [
        frame for path in (site.test_page, site.integrated_page) for frame in read(made.site.get(path)).frames
    ]
    asked = sorted({frame[_SESSION] for frame in frames if frame.get(_SESSION)})
    found: list[Finding] = []
    for path in asked:
        response = made.site.get(urljoin(f"{site.url}/", path))
        place, kind = f"GET {path}, signed in", response.headers.get("Content-Type", "no content type")
        if response.status_code != 200:
            fix = "Read Daphne's log; is another view in front of it?"
            found.append(
                finding("sso.site_session.status", str(response.status_code), "200", place, advice=(fix,))
            )
        elif not kind.startswith("application/json"):
            fix = "The view must answer JSON to everybody: to the page's script HTML is nobody."
            found.append(finding("sso.site_session.html", kind, "JSON", place, advice=(fix,)))
        elif response.json().get("username") != made.username:
            seen = f"username is {response.json().get('username')!r}"
            fix = "The view must answer for this visitor: does a proxy keep the answer of another?"
            found.append(finding("sso.site_session.other_user", seen, made.username, place, advice=(fix,)))
        elif _kept_for_strangers(examination, path):
            seen = f"a stranger is called {made.username}, too"
            fix = (
                "Something keeps the answer for all: no caching of this address in the proxy's configuration."
            )
            place, expected = f"GET {path}, signed out", "nobody is signed in"
            found.append(finding("sso.site_session.other_user", seen, expected, place, advice=(fix,)))
    return answer(found, evidence=", ".join(asked) or "the pages ask nothing")


def _kept_for_strangers(examination: Examination, path: str) -> bool:
    """Whether somebody without a session gets what this visitor got a moment ago."""
    told = examination.site.get(urljoin(f"{examination.contract.site.url}/", path))
    try:
        named = told.json().get("username")
    except (ValueError, AttributeError):
        return False
    return told.ok and named == visitor(examination).username


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of the pages; they need the temporary user's session."""
    return (test_page, integrated_page, site_session)
