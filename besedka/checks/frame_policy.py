"""What a browser obeys and a plain request does not: the attributes of the frame, headers of both sides."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from besedka import address
from besedka.checks.check import Check, check
from besedka.checks.content_policy import FRAMES, Policy, decides, inline, policies, refuses, upgrades
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.checks.page_scripts import Once
from besedka.checks.page_styles import Surroundings, hiding
from besedka.checks.visitors import visitor
from besedka.contract import Contract

_CSP = "Content-Security-Policy"
_EMBEDDER = "Cross-Origin-Embedder-Policy"
# https://html.spec.whatwg.org/multipage/iframe-embed-object.html#attr-iframe-sandbox
NEEDED = ("allow-scripts", "allow-same-origin", "allow-forms")
_POPUP = "allow-popups"


_STYLES = ("style-src-elem", "style-src", "default-src")
_ADMIT = (
    "Add 'self' to style-src, wherever this header is set: without its styles the frame is a small window."
)
_SHEETS = (
    "Run collectstatic, or look at STATIC_URL and at the proxy; its Content-Type must be text/css (nginx: "
    "include mime.types). Without its styles the frame is a small window."
)
_NO_SIZE = re.compile(r"(^|;)(height|width):[01](px|%|em|rem|vh|vw)?(;|!|$)")


class _Frames(HTMLParser):
    """Attributes of each frame, and policies in `<meta>`."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, str]] = []
        self.policies: list[str] = []
        self.scripts: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if tag == "iframe":
            self.frames.append(fields)
        elif tag == "script" and fields.get("src"):
            self.scripts.append(fields)
        elif tag == "meta" and fields.get("http-equiv", "").lower() == _CSP.lower():
            self.policies.append(fields.get("content", ""))


@check(
    "sso.frame_policy",
    codes="sandbox policy isolated scripts connect srcdoc hidden unstyled upgraded",
    needs=["sso.user"],
)
def frame_policy(examination: Examination) -> Answer:
    """Do the chat pages let a browser run the chat in their frame?"""
    site = examination.contract.site
    found: list[Finding] = []
    once = Once(visitor(examination).site)
    for path in site.chat_pages:
        response = visitor(examination).site.get(path)
        found += _of_page(examination.contract, response) + _by_styles(examination, response, once)
    return answer(found, evidence="no sandbox, no policy, no isolation in the way")


def _of_page(contract: Contract, response: requests.Response) -> list[Finding]:
    page = _Frames()
    page.feed(response.text)
    place = f"{response.url.partition('?')[0]}, signed in"
    found = []
    needed = (*NEEDED, _POPUP) if contract.provider.login_style == "popup" else NEEDED
    for frame in page.frames:
        missing = [token for token in needed if token not in frame.get("sandbox", "").split()]
        if "sandbox" in frame and missing:
            advice = ("Take the attribute sandbox away, or add what is missing to it.",)
            seen = f'sandbox="{frame["sandbox"]}", without {", ".join(missing)}'
            found.append(
                finding("sso.frame_policy.sandbox", seen, "no sandbox", f"{place}, <iframe>", advice=advice)
            )
        if "credentialless" in frame:
            advice = ("Take the attribute credentialless away: it gives the chat an empty, passing storage.",)
            found.append(
                finding("sso.frame_policy.isolated", "a credentialless frame", "none", place, advice=advice)
            )
        if frame.get("src", "").startswith(contract.chat.url):
            found += _unseen(frame, f"{place}, <iframe>")
    # The chain of SSO leads the frame through both.
    origins, own = (contract.chat.url, contract.site.url), contract.site.url
    for policy in policies([response.headers.get(_CSP, ""), *page.policies]):
        refused = [(origin, by) for origin in origins if (by := refuses(policy, FRAMES, origin, own))]
        for origin, directive in refused[:1]:
            sources = list(dict.fromkeys(map(address.source, origins)))
            advice = (f"Add {' and '.join(sources)} to frame-src, wherever this header is set.",)
            found.append(
                finding(
                    "sso.frame_policy.policy",
                    f"{directive}: keeps {origin} out of the frame",
                    f"frame-src {' '.join(sources)}",
                    f"{place}, {_CSP}",
                    advice=advice,
                )
            )
        found += _kept_from_scripts(policy, page, own, place) + _upgraded(policy, origins, place)
        found += _kept_from_asking(policy, own, place) + _sandboxed(policy, needed, place)
    embedder = response.headers.get(_EMBEDDER, "unsafe-none").partition(";")[0].strip().lower()
    if embedder != "unsafe-none":
        advice = (f"Do not send {_EMBEDDER} with the chat pages: the chat does not allow for it.",)
        found.append(
            finding(
                "sso.frame_policy.isolated",
                f"{_EMBEDDER}: {embedder}",
                "no such header",
                place,
                advice=advice,
            )
        )
    return found


def _unseen(frame: dict[str, str], place: str) -> list[Finding]:
    """A frame whose address a browser does not look at, or that nobody sees."""
    if "srcdoc" in frame:
        advice = ("Take the attribute srcdoc away: a browser shows it in place of the chat's address.",)
        seen, code = "srcdoc beside src", "sso.frame_policy.srcdoc"
        return [finding(code, seen, "no srcdoc", place, advice=advice)]
    style = frame.get("style", "").replace(" ", "").lower()
    sizes = (frame.get(name, "").strip() for name in ("width", "height"))
    empty = bool(_NO_SIZE.search(style)) or bool({"0", "1"} & {*sizes})
    if "hidden" in frame or "display:none" in style or "visibility:hidden" in style or empty:
        advice = (
            "Is the frame shown later, by a script or a style? If not: take hidden, or the size, away.",
        )
        seen, code = "the frame is hidden, or without a size", "sso.frame_policy.hidden"
        return [finding(code, seen, "a frame to see", place, advice=advice, severity=Severity.RISK)]
    return []


def _by_styles(examination: Examination, response: requests.Response, once: Once) -> list[Finding]:
    """A rule of the page's own styles that hides the chat's frame, or what it stands in."""
    site, page = examination.contract.site.url, Surroundings()
    page.feed(response.text)
    place = f"{response.url.partition('?')[0]}, signed in"
    elements = [one for source, one in page.frames if source.startswith(examination.contract.chat.url)]
    if not elements:
        return []
    # One policy that refuses them is enough.
    kept = policies([response.headers.get(_CSP, "")])
    texts = {place: "\n".join(page.inline)} if all(inline(policy, "style") for policy in kept) else {}
    own = [urljoin(response.url, one) for one in page.sheets]
    own = [one for one in dict.fromkeys(own) if address.origin(one) == address.origin(site)]
    if own and (by := next(filter(None, (refuses(one, _STYLES, site, site) for one in kept)), "")):
        return [_unstyled(f"{by}: keeps the page from its own styles", f"{place}, {_CSP}", _ADMIT)]
    for sheet in own:
        answered = once.get(sheet)
        kind = answered.headers.get("Content-Type", "no content type")
        if answered.status_code != requests.codes.ok or "text/css" not in kind.lower():
            return [_unstyled(f"no style at {sheet}: {answered.status_code} {kind}", place, _SHEETS)]
        texts[sheet] = answered.text
    for where, rule in hiding(texts, elements[0]):
        advice = ("Is the frame shown later, by a script or another style? If not: take that rule away.",)
        seen, code = f"a style hides the frame: {rule[:160]}", "sso.frame_policy.hidden"
        return [finding(code, seen, "a frame to see", where, advice=advice, severity=Severity.RISK)]
    return []


def _unstyled(seen: str, place: str, fix: str) -> Finding:
    """The page without its form: a frame of 300 by 150 pixels, as HTML has it."""
    code, severity = "sso.frame_policy.unstyled", Severity.RISK
    return finding(code, seen, "200 with text/css", place, advice=(fix,), severity=severity)


def _kept_from_scripts(policy: Policy, page: _Frames, own: str, place: str) -> list[Finding]:
    names = ("script-src-elem", "script-src", "default-src")
    by, said = refuses(policy, names, own, own), policy.get(decides(policy, names), [])
    # Where this word stands, no address is looked at (CSP level 3, 6.7.1.1).
    strict = "'strict-dynamic'" in said
    if strict and not by:
        by = f"{decides(policy, names)} {' '.join(said)}"
    # A digest lets in what carries it; whether it fits is not looked at here.
    if not by or any(word.startswith("'sha") for word in said):
        return []
    # A nonce lets in what the page marks by it.
    bare = [one["src"] for one in page.scripts if f"'nonce-{one.get('nonce', '')}'" not in said]
    if not bare and page.scripts:
        return []
    advice = (f"Add 'self' or {own} to script-src, wherever this header is set.",)
    if strict or any(word.startswith("'nonce-") for word in said):
        advice = ("The nonce of script-src must stand on each <script> of the page, made anew each time.",)
    seen, code = f"{by}: keeps the page from its own scripts", "sso.frame_policy.scripts"
    return [finding(code, seen, "a policy that admits the site", f"{place}, {_CSP}", advice=advice)]


def _kept_from_asking(policy: Policy, own: str, place: str) -> list[Finding]:
    """Before it speaks to the chat, the page asks its own site who is signed in."""
    by = refuses(policy, ("connect-src", "default-src"), own, own)
    if not by:
        return []
    advice = (f"Add 'self' or {own} to connect-src, wherever this header is set.",)
    seen, code = f"{by}: keeps the page from asking its own site", "sso.frame_policy.connect"
    return [finding(code, seen, "a policy that admits the site", f"{place}, {_CSP}", advice=advice)]


def _sandboxed(policy: Policy, needed: tuple[str, ...], place: str) -> list[Finding]:
    """The page itself is in a sandbox, and its frame with it: without the site's cookies and storage."""
    missing = [word for word in needed if word not in policy.get("sandbox", ())]
    if "sandbox" not in policy or not missing:
        return []
    advice = (f"Take sandbox out of this header, or add {' '.join(missing)} to it.",)
    seen, code = f"{_CSP}: sandbox, without {', '.join(missing)}", "sso.frame_policy.sandbox"
    return [finding(code, seen, "no sandbox", f"{place}, {_CSP}", advice=advice)]


def _upgraded(policy: Policy, origins: tuple[str, str], place: str) -> list[Finding]:
    """The page has its frame asked for by https, where only http answers: a frame is upgraded on any host."""
    word = upgrades(policy, origins)
    if not word:
        return []
    origin = next(url for url in origins if upgrades(policy, (url,)))
    advice = (f"Take {word} out of this header, or serve site and chat by https.",)
    seen, code = f"{word}: a browser asks https of {origin}", "sso.frame_policy.upgraded"
    return [finding(code, seen, "no such word beside http", f"{place}, {_CSP}", advice=advice)]


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (frame_policy,)
