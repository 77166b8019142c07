"""What a chat page may hold, told from its HTML alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from besedka.checks import sso_pages
from besedka.checks.examination import Examination
from besedka.checks.finding import Skipped
from besedka.checks.visitor import Visitor, Visitors
from tests.unit.checks.documents import codes

CHAT = "http://127.0.0.1:3000"
FRAME = f'<iframe id="rocketChatFrame" src="{CHAT}/channel/general?layout=embedded"></iframe>'
BUTTON = (
    '<button type="button" data-channel="general" data-path="/channel/general?layout=embedded">Общий</button>'
)
SCRIPT = '<script type="module" src="/static/page.js"></script>'
PAGE = f"<html><body>{BUTTON}{FRAME}{SCRIPT}</body></html>"
TOKEN = 'import "./chat.js"; chat.send({ externalCommand: "login-with-token" });'
GO = 'send({ externalCommand: "go" });'
OAUTH = 'send({ externalCommand: "call-custom-oauth-login", service: "besedka" });'

Showing = Callable[..., Examination]


class Site:
    """A site of these pages; everything else is not found."""

    def __init__(self, pages: dict[str, str], headers: dict[str, str]) -> None:
        self.pages, self.headers = pages, headers

    def get(self, address: str) -> Any:
        path = address.removeprefix("http://127.0.0.1:8001")
        kind = "text/javascript" if path.endswith(".js") else "text/html"
        status = 200 if path in self.pages else 404
        text = self.pages.get(path, "")
        return SimpleNamespace(
            status_code=status,
            text=text,
            url=f"http://127.0.0.1:8001{path}",
            headers={"Content-Type": kind} | (self.headers if path.endswith(".js") else {}),
            elapsed=timedelta(),
        )


@pytest.fixture
def showing(examine_with: Callable[..., Examination]) -> Showing:
    """An examination whose visitor is shown these pages; the headers are those of scripts."""

    def make(pages: dict[str, str], **headers: str) -> Examination:
        examination = examine_with()
        site: Any = Site(pages, {name.replace("_", "-"): value for name, value in headers.items()})
        made = Visitor(
            "temp_x", "temp_x@besedka.com", "X", "secret", site, examination.contract.common_role, frozenset()
        )
        examination.visitors = Visitors(made, {})
        return examination

    return make


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        (PAGE, []),
        (PAGE.replace(FRAME, ""), ["no_frame"]),
        (PAGE.replace(FRAME, FRAME + '<iframe hidden src="/o/authorize/"></iframe>'), ["extra_frame"]),
        (PAGE.replace("<body>", "<body><html><body>"), ["nested"]),
        (PAGE.replace("rocketChatFrame", "rocketchat-iframe"), ["frame_id"]),
        (PAGE.replace("general?layout=embedded", "general"), ["layout"]),
        (PAGE.replace(f"{CHAT}/channel/general", f"{CHAT}/channel/GENERAL"), ["room_id"]),
        (PAGE.replace(f"{CHAT}/channel/general", f"{CHAT}/channel/lobby"), ["frame"]),
        (PAGE.replace(f"{CHAT}/channel/general", "http://localhost:3000/channel/general"), ["frame"]),
        (PAGE.replace(f"{CHAT}/channel/general", f"{CHAT}/embed"), ["not_a_room"]),
        (PAGE.replace(f"{CHAT}/channel/general", f"{CHAT}/oauth/authorize"), ["not_a_room"]),
        (PAGE.replace(BUTTON, ""), ["buttons"]),
        (PAGE.replace("<button", "<a").replace("</button>", "</a>"), ["links"]),
        (PAGE.replace('data-path="/channel/general', 'data-path="/channel/lobby'), ["paths"]),
    ],
)
def test_what_is_wrong_with_a_page_has_a_name(showing: Showing, page: str, kinds: list[str]) -> None:
    examination = showing({"/chat/integrated/": page})
    wanted = [f"sso.integrated_page.{kind}" for kind in kinds]
    assert codes("sso.integrated_page", examination) == wanted


@pytest.mark.parametrize(
    ("script", "made"),
    [
        ('const frame = document.createElement("iframe");', True),
        ('return (0, r.jsx)("iframe",{src:e})', True),
        ("box.innerHTML = `<iframe src='${chat}'></iframe>`;", True),
        ('document.querySelector("iframe").src', False),
        ("for (const one of document.getElementsByTagName('iframe')) one.remove();", False),
    ],
)
def test_a_frame_that_a_script_makes_is_left_to_the_browser(
    showing: Showing, script: str, made: bool
) -> None:
    page = PAGE.replace(FRAME, "")
    examination = showing({"/chat/integrated/": page, "/chat/test/": page, "/static/page.js": script})

    asked = [sso_pages.test_page.ask(examination), sso_pages.integrated_page.ask(examination)]
    assert [isinstance(answered, Skipped) for answered in asked] == [made, made]


@pytest.mark.parametrize(
    ("scripts", "kinds"),
    [
        ({"/static/page.js": TOKEN, "/static/chat.js": GO}, []),
        ({"/static/page.js": TOKEN}, ["no_script"]),
        ({"/static/page.js": 'send({ externalCommand: "login-with-token" });'}, ["no_switch"]),
        ({}, ["no_script"]),
        ({"/static/page.js": "post({ type: 'AUTO_JOIN_CHANNEL' });"}, ["none"]),
        (
            {"/static/page.js": f"{OAUTH}{GO} frame.contentDocument.querySelector('.join').click();"},
            ["reads_frame"],
        ),
        (
            {"/static/page.js": f"{OAUTH}{GO} setInterval(() => {{ f.src = f.src; }}, 2000);"},
            ["reloads_frame"],
        ),
        (
            {"/static/page.js": f"{OAUTH}{GO} frame.contentWindow.postMessage(x, 'http://localhost:1');"},
            ["target"],
        ),
        ({"/static/page.js": f"{OAUTH}{GO} w.postMessage(x, '{CHAT}/');"}, []),
        # Another frame of the page is spoken to beside the chat.
        ({"/static/page.js": f"{OAUTH}{GO} w.postMessage(x, '{CHAT}'); v.postMessage(y, 'http://map');"}, []),
        ({"/static/page.js": f"{OAUTH}{GO} w.postMessage(x, origin); v.postMessage(y, 'http://map');"}, []),
        ({"/static/page.js": TOKEN, "/static/chat.js": f"{GO} v.postMessage(y, '*');"}, []),
        ({"/static/page.js": f"{OAUTH}{GO} setInterval(check, 2000); frame.src = address;"}, []),
        # Whether the frame still shows a page of our own may be asked.
        ({"/static/page.js": f"{OAUTH}{GO} const page = frame.contentDocument?.location;"}, []),
    ],
)
def test_what_is_wrong_with_the_scripts_has_a_name(
    showing: Showing, scripts: dict[str, str], kinds: list[str]
) -> None:
    right = {"/chat/test/": PAGE.replace("page.js", "test.js"), "/static/test.js": OAUTH}
    examination = showing(right | {"/chat/integrated/": PAGE} | scripts)
    assert codes("sso.commands", examination) == [f"sso.commands.{kind}" for kind in kinds]


@pytest.mark.parametrize(
    ("kind", "sniffed", "module", "runs"),
    [
        ("text/plain", "", False, True),
        ("application/octet-stream", "", False, True),
        ("text/ecmascript", "nosniff", False, True),
        ("text/plain", "nosniff", False, False),
        ("text/html; charset=utf-8", "", False, False),
        ("text/plain", "", True, False),
    ],
)
def test_a_script_of_another_type_runs_where_browsers_run_it(
    showing: Showing, kind: str, sniffed: str, module: bool, runs: bool
) -> None:
    page = PAGE if module else PAGE.replace('type="module" ', "")
    pages = {"/chat/test/": page, "/chat/integrated/": page, "/static/page.js": f"{OAUTH}{GO}"}
    examination = showing(pages, Content_Type=kind, X_Content_Type_Options=sniffed)

    found = codes("sso.commands", examination)

    assert ("sso.commands.no_script" in found) is not runs


@pytest.mark.parametrize(
    ("attribute", "kinds"),
    [
        ("", []),
        ("hidden", ["hidden"]),
        ('style="display: none"', ["hidden"]),
        ('width="0"', ["hidden"]),
        ('srcdoc="<p>Chat</p>"', ["srcdoc"]),
    ],
)
def test_a_frame_that_nobody_sees_has_a_name(showing: Showing, attribute: str, kinds: list[str]) -> None:
    page = PAGE.replace("<iframe ", f"<iframe {attribute} ")
    examination = showing({"/chat/test/": page, "/chat/integrated/": PAGE})
    assert codes("sso.frame_policy", examination) == [f"sso.frame_policy.{kind}" for kind in kinds]


@pytest.mark.parametrize(
    ("site", "chat", "word", "kinds"),
    [
        ("http://besedka.test", "http://chat.besedka.test", "upgrade-insecure-requests", ["upgraded"]),
        ("https://besedka.test", "http://chat.besedka.test", "upgrade-insecure-requests", ["upgraded"]),
        (
            "http://127.0.0.1:8001",
            "http://192.168.1.5:3000",
            "img-src *; Upgrade-Insecure-Requests",
            ["upgraded"],
        ),
        ("https://besedka.test", "https://chat.besedka.test", "upgrade-insecure-requests", []),
        ("http://127.0.0.1:8001", "http://chat.localhost:3000", "upgrade-insecure-requests", []),
        ("http://besedka.test", "http://chat.besedka.test", "img-src *", []),
    ],
)
def test_a_page_that_asks_https_of_a_plain_chat_has_a_name(
    showing: Showing, site: str, chat: str, word: str, kinds: list[str]
) -> None:
    page = f'<meta http-equiv="Content-Security-Policy" content="{word}">'
    examination = showing({"/chat/test/": page, "/chat/integrated/": ""})
    examination.contract = examination.contract.at(site_url=site, chat_url=chat)
    assert codes("sso.frame_policy", examination) == [f"sso.frame_policy.{kind}" for kind in kinds]


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("connect-src 'none'", ["connect"]),
        ("connect-src 'self'", []),
        ("sandbox allow-scripts allow-forms", ["sandbox"]),
        ("sandbox allow-scripts allow-forms allow-same-origin", []),
    ],
)
def test_a_page_that_its_own_policy_stops_has_a_name(showing: Showing, word: str, kinds: list[str]) -> None:
    page = f'<meta http-equiv="Content-Security-Policy" content="{word}">'
    examination = showing({"/chat/test/": page, "/chat/integrated/": ""})
    assert codes("sso.frame_policy", examination) == [f"sso.frame_policy.{kind}" for kind in kinds]
