"""Layer `sso`, roles and scripts: what the pages show to each role, and what their scripts tell the chat."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import requests

from besedka import address
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Findings, Severity, Skipped, answer, finding
from besedka.checks.page_scripts import Once, makes_frame, refused, scripts
from besedka.checks.script_syntax import unreadable
from besedka.checks.sso_pages import Page, read, rooms_of
from besedka.checks.visitors import holders, visitor
from besedka.contract import Contract, Role

_COMMAND = re.compile(r"""externalCommand["']?\s*:\s*["']([^"']+)["']""")
_POSTED = re.compile(r"""\btype["']?\s*:\s*["']([A-Z_]{4,}|join-channel)["']""")
# A frame of another port is of another origin: its document is null, and so is every effort.
_READS_FRAME = re.compile(r"contentDocument\s*[!?]?\.\s*(?:body|querySelector|getElement|documentElement)")
# In one statement: a timer that gives the frame an address, whatever is being typed in it.
_RELOADS_FRAME = re.compile(r"setInterval\s*\([^;]*?\.src\s*=[^=]")
# Where a message goes to, where that stands as an address of its own in the call.
_TARGET = re.compile(r"""postMessage\s*\([^;]*?,\s*["'](https?://[^"']+)["']\s*\)""")
# Django's, made anew for each answer.
_TOKEN_FIELD = "csrfmiddlewaretoken"  # noqa: S105 - the name of a field
_OAUTH, _TOKEN, _SWITCH = "call-custom-oauth-login", "login-with-token", "go"


@check("sso.buttons", codes="kept missing too_many idle paths", needs=["sso.integrated_page"])
def buttons(examination: Examination) -> Answer:
    """Does every role get the buttons of its rooms, and no other?"""
    contract = examination.contract
    if without := contract.site.features.missing("integrated_page"):
        return Skipped(without)
    found: list[Finding] = []
    for role, holder in holders(examination).items():
        holder.site.sign_in(holder.username, holder.password, email=holder.email)
        shown = holder.site.get(contract.site.integrated_page)
        if kept := _kept(examination, holder.username, shown):
            return Findings((kept,))
        page = read(shown)
        wanted = {channel.name for channel in contract.channels if channel.admits(role)}
        found += _differences(contract, role, set(rooms_of(page, contract)), wanted)
        found += _idle(contract, role, page)
        found += _paths(contract, role, page)
    return answer(found, evidence=f"{len(holders(examination))} roles")


def _kept(examination: Examination, username: str, shown: requests.Response) -> Finding | None:
    """The page of the visitor before, letter for letter, though a token of its own stands in each."""
    made, path = visitor(examination), examination.contract.site.integrated_page
    if username == made.username or _TOKEN_FIELD not in shown.text:
        return None
    if shown.text != made.site.get(path).text:
        return None
    place = f"GET {examination.contract.site.url}{path} as {username}"
    fix = "Something keeps one visitor's page for all: no caching of the chat's pages (proxy_cache off)."
    seen, code = f"{username} is shown the page of {made.username}", "sso.buttons.kept"
    return finding(code, seen, "a page of one's own", place, advice=(fix,))


def _differences(contract: Contract, role: Role, seen: set[str], wanted: set[str]) -> list[Finding]:
    place = f"{contract.site.url}{contract.site.integrated_page} as {role}"
    rows = (
        (
            "missing",
            wanted - seen,
            "the page does not know what the role may enter: one rule for all",
        ),
        ("too_many", seen - wanted, "a button without a membership shows a Join button: one rule for both"),
    )
    return [
        finding(
            f"sso.buttons.{kind}",
            f"{', '.join(sorted(rooms))} for {role}",
            str(sorted(wanted)),
            place,
            advice=(fix,),
        )
        for kind, rooms, fix in rows
        if rooms
    ]


def _idle(contract: Contract, role: Role, page: Page) -> list[Finding]:
    """Buttons that take no click."""
    idle = ", ".join(sorted(page.idle & set(page.switchers)))
    place = f"{contract.site.url}{contract.site.integrated_page} as {role}"
    fix = "a button that the role may press is not disabled"
    seen = f"no click for {idle}"
    return [finding("sso.buttons.idle", seen, "a button to press", place, advice=(fix,))] if idle else []


def _paths(contract: Contract, role: Role, page: Page) -> list[Finding]:
    """Buttons of a role that lead where its room is not: /channel/ is public, /group/ private."""
    place = f"{contract.site.url}{contract.site.integrated_page} as {role}"
    known = {channel.name: channel.path for channel in contract.channels}
    fix = "Say in CHAT_CHANNELS of the site whether the room is private: its address follows from that."
    return [
        finding("sso.buttons.paths", f"{name} leads to {path}", known[name], place, advice=(fix,))
        for name, (_, path, _) in page.switchers.items()
        if name in known and path.partition("?")[0] != known[name].partition("?")[0]
    ]


@check(
    "sso.commands",
    codes="no_script digest syntax unrun none unread target no_switch reads_frame reloads_frame",
    needs=["sso.user"],
)
def commands(examination: Examination) -> Answer:
    """Do the pages' scripts speak to the frame by Rocket.Chat's commands, and leave it alone otherwise?"""
    site, made = examination.contract.site, visitor(examination)
    found = []
    asked, once = 0, Once(made.site)
    ways = {site.integrated_page: (_OAUTH, _TOKEN), site.test_page: (_OAUTH,)}
    for path in site.chat_pages:
        response = made.site.get(path)
        page = read(response)
        texts, missing = scripts(once, site.url + path, page.scripts, page.inline, page.modules)
        if response.status_code != 200 or not (page.frames or missing or makes_frame(texts)):
            continue  # The page's own check says so.
        asked += 1
        if missing:
            fix = (
                "Run collectstatic, or look at STATIC_URL. If the address answers 200, the server calls it "
                "no script: mend its Content-Type (nginx: include mime.types)."
            )
            seen = ", ".join(missing)
            found.append(finding("sso.commands.no_script", seen, "200 with a script", path, advice=(fix,)))
        elif others := refused(texts, site.url + path, page.digests):
            found.append(_refused(others, path))
        elif unread := _unreadable(texts, site.url + path, page):
            found.append(_syntax(texts, unread, path))
        elif page.unrun and not any(_COMMAND.search(text) for text in texts.values()):
            found.append(_unrun(page.unrun[0], path))
        elif away := _only_elsewhere(texts, site.url + path, page):
            found.append(_unread(away, path))
        else:
            switches = path != site.test_page
            found += (
                _wrong(texts, ways[path], path, switches=switches)
                or _elsewhere(examination.contract, texts, page, path)
            )[:1]
    if not asked:
        return Skipped("no page shows a frame that a script could speak to")
    return answer(found, evidence=f"{_OAUTH}, {_TOKEN}, {_SWITCH}")


def _only_elsewhere(texts: dict[str, str], address_of_page: str, page: Page) -> str:
    """The first script from another host, where none of the site's own sends a command; else empty."""
    if any(_COMMAND.search(text) for text in texts.values()):
        return ""
    own = address.origin(address_of_page)
    sources = [urljoin(address_of_page, source) for source in page.scripts]
    return next((source for source in sources if address.origin(source) != own), "")


def _refused(others: list[str], path: str) -> Finding:
    fix = (
        "Make integrity anew from the files that are served, or take it out of the template. A proxy that "
        "rewrites scripts makes others of them, too."
    )
    seen = f"{', '.join(others)}: not the script whose digest the page names"
    expected = "scripts that fit their integrity"
    return finding("sso.commands.digest", seen, expected, path, advice=(fix,))


def _unreadable(texts: dict[str, str], address_of_page: str, page: Page) -> dict[str, str]:
    """Address → why, of scripts that no browser can read; what another script imports is a module."""
    named = [*page.scripts, *(f"script {number}" for number in range(1, len(page.inline) + 1))]
    places = {one: f"{address_of_page} {one}" for one in named if one.startswith("script ")}
    classic = {places.get(one) or urljoin(address_of_page, one) for one in named if one not in page.modules}
    return unreadable(texts, frozenset(texts) - classic)


def _syntax(texts: dict[str, str], unread: dict[str, str], path: str) -> Finding:
    """A script in the page itself may fail alone; of one that speaks to the chat it is the end."""
    worst = min(unread, key=lambda one: (not _COMMAND.search(texts[one]), one))
    concerned = any(_COMMAND.search(text) for text in texts.values())
    alone = concerned and not _COMMAND.search(texts[worst]) and " script " in worst
    fix = (
        "Mend that line. If the file on the disk is right, it is served cut or changed: look at the proxy, "
        "and run collectstatic again."
    )
    severity = Severity.RISK if alone else Severity.BROKEN
    seen, expected = f"{worst} {unread[worst]}", "scripts that a browser can read"
    return finding("sso.commands.syntax", seen, expected, path, advice=(fix,), severity=severity)


def _unrun(kind: str, path: str) -> Finding:
    fix = (
        'Write type="module", or no type, in the template. If it stands so there: a proxy that "optimises" '
        "scripts changes it (Rocket Loader)."
    )
    seen = f'scripts of type "{kind}", which no browser runs'
    code, expected = "sso.commands.unrun", "scripts that speak to the chat"
    return finding(code, seen, expected, path, advice=(fix,))


def _unread(source: str, path: str) -> Finding:
    """Another host's scripts may hold the commands, and may be out of a browser's reach."""
    seen = f"no script of the site speaks to the chat; others come from {address.origin(source)}"
    fix = (
        "Open that address in a browser: does it answer, by the page's scheme? STATIC_URL of the site "
        "decides. Scripts of the site's own host can be read here."
    )
    code, expected = "sso.commands.unread", "scripts from the site itself"
    return finding(code, seen, expected, path, advice=(fix,), severity=Severity.RISK)


def _elsewhere(contract: Contract, texts: dict[str, str], page: Page, path: str) -> list[Finding]:
    """Commands that go to another origin than the chat's: the browser drops them without a word."""
    chat = address.origin(contract.chat.url)
    named = {frame["data-chat-url"] for frame in page.frames if frame.get("data-chat-url")}
    for text in texts.values():
        targets = _TARGET.findall(text)
        # A page may have other frames to speak to, and name the chat's origin in a variable.
        if _COMMAND.search(text) and len(targets) == text.count("postMessage"):
            named |= set() if chat in map(address.origin, targets) else set(targets)
    wrong = sorted(target for target in named if address.origin(target) != chat)
    fix = "send them to the chat's own origin: the browser drops a message for another one"
    return [
        finding("sso.commands.target", f"commands for {target}", chat, path, advice=(fix,))
        for target in wrong
    ]


def _wrong(texts: dict[str, str], wanted: tuple[str, ...], path: str, *, switches: bool) -> list[Finding]:
    """What is wrong with a page's scripts, the worst first. `switches`: the page has buttons for rooms."""
    sent = {name for text in texts.values() for name in _COMMAND.findall(text)}
    found = []
    if not sent & set(wanted):
        others = sorted({name for text in texts.values() for name in _POSTED.findall(text)} | sent)
        seen = f"commands {', '.join(others) or 'none'}"
        fix = "Rocket.Chat hears {externalCommand: …} alone, and of that its own names"
        found.append(finding("sso.commands.none", seen, " or ".join(wanted), path, advice=(fix,)))
    if switches and _SWITCH not in sent:
        fix = "send it for each click: a new address loads all of Rocket.Chat, and fast clicks overtake it"
        seen = f"commands {', '.join(sorted(sent))}"
        found.append(finding("sso.commands.no_switch", seen, _SWITCH, path, advice=(fix,)))
    for source, text in sorted(texts.items()):
        if _READS_FRAME.search(text):
            fix = "send a command: the chat is of another origin, its document is closed to the page"
            found.append(
                finding("sso.commands.reads_frame", source, "no look into the frame", path, advice=(fix,))
            )
        if _RELOADS_FRAME.search(text):
            fix = "load the frame once: what people type is lost with each load"
            seen = f"{source} sets the frame's address on a timer"
            found.append(
                finding("sso.commands.reloads_frame", seen, "no load without a cause", path, advice=(fix,))
            )
    return found


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of roles and scripts; they stand on a page that shows its frame."""
    return (buttons, commands)
