"""The page contract as a checklist for one site: what it offers, what it lacks, what it may leave out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from besedka.checks.finding import Finding, Status
from besedka.checks.report import Report
from besedka.contract import Contract
from besedka.errors import BesedkaError
from besedka.rocketchat import provider
from besedka.site import Site
from besedka.target import Target
from besedka.translation import spoken, word

_FRAME = '<iframe id="{frame}" src="{room}?layout=embedded"></iframe>'
# In front of the frame, so that the chat's first word is not missed. Rocket.Chat: iframeCommands.ts.
_SCRIPT = """<script>
  let asked = false;
  addEventListener("message", ({{ origin, data }}) => {{
    if (origin !== "{chat}" || data.eventName !== "Custom_Script_Logged_Out" || asked) return;
    asked = true;
    const frame = document.querySelector('{frame}');
    const back = {{ service: "{service}", redirectUrl: frame.src }};
    frame.contentWindow.postMessage({{ externalCommand: "call-custom-oauth-login", ...back }}, "{chat}");
  }});
</script>"""
# Any page with a password will do; Django's own has one in its administration.
_LOGIN = """from django.contrib.auth.views import LoginView, LogoutView
path("{login}", LoginView.as_view(template_name="admin/login.html")),
path("{logout}", LogoutView.as_view()),"""
_IDENTITY = """class Identity(ScopedResourceMixin, OAuthLibMixin, View):  # oauth2_provider.views.mixins
    required_scopes = ["{scope}"]
    def get(self, request):
        valid, asked = self.verify_request(request)
        if not valid:
            return JsonResponse({{"error": "invalid_token"}}, status=401)
        user = asked.user
        fields = {fields}
        return JsonResponse({{"id": str(user.pk)}} | fields)"""
_APPLICATION = (
    "client_id {client}, redirect URI {callback}, confidential, authorization-code, skip authorization"
)


class Mark(StrEnum):
    """How a point stands. Nothing is claimed of what was not asked."""

    OK = "ok"
    LACKS = "lacks"
    OPTIONAL = "may leave out"
    UNASKED = "not asked"


@dataclass(frozen=True)
class Point:
    """One point of the contract: what the site has to offer, how it stands, and what to do."""

    mark: Mark
    offer: str
    where: str
    seen: str = ""
    do: str = ""
    snippet: str = ""


@dataclass(frozen=True)
class _Wanted:
    """A point, the checks that prove it, the feature that lets a site do without it, and a snippet."""

    offer: str
    where: str
    checks: tuple[str, ...]
    feature: str = ""
    snippet: str = ""


def points(report: Report, target: Target) -> tuple[Point, ...]:
    """The checklist of the site that was examined, in the order in which a visitor meets its points."""
    contract = report.contract
    rows = [_judged(wanted, report) for wanted in _wanted(contract)]
    return (*rows, _session(contract), _status(report), _manage(target))


def _wanted(contract: Contract) -> Iterator[_Wanted]:
    site, own, chat = contract.site, contract.provider, contract.chat.url
    room, frame = f"{chat}{contract.default_channel.path}", site.selectors.frame
    told = {"chat": chat, "service": own.name, "frame": frame, "room": room}
    page = _FRAME.format(frame=site.selectors.frame_id or "…", room=room)
    script = _SCRIPT.format(**told)
    answered = (own.username_field, own.email_field, own.name_field, own.avatar_field)
    identity = _IDENTITY.format(scope=own.scope, fields=_nested(answered))
    # What makes its own tokens is not mended by a view of django-oauth-toolkit.
    identity = identity if site.features.oauth_tables else ""
    client = _APPLICATION.format(client=own.client_id, callback=provider.redirect_uri(contract))
    login = _LOGIN.format(login=site.login_path.lstrip("/"), logout=site.adapter.logout_path.lstrip("/"))
    yield _Wanted(
        "a log-in page: a form with a password", site.login_path, ("site.login_form",), snippet=login
    )
    yield _Wanted("log-ins are guarded by CSRF", site.login_path, ("site.csrf",))
    yield _Wanted("a canonical user signs in", site.login_path, ("sso.user",))
    yield _Wanted(
        "the chat page asks strangers to log in, and leads back", site.test_page, ("site.test_page",)
    )
    yield _Wanted("the chat page shows the default room", site.test_page, ("sso.test_page",), snippet=page)
    yield _Wanted("nothing keeps the chat out of the frame", site.test_page, ("sso.frame_policy",))
    yield _Wanted("the pages tell the chat to sign in", site.test_page, ("sso.commands",), snippet=script)
    yield _Wanted(
        "authorize gives a code without a click",
        own.authorize_path,
        ("site.authorize", "sso.authorize"),
        snippet=client,
    )
    yield _Wanted("no code is sent elsewhere", own.authorize_path, ("sso.foreign_redirect",))
    yield _Wanted("a code buys a token, without PKCE", own.token_path, ("sso.client", "sso.token"))
    yield _Wanted(
        "identity answers to the token", own.identity_path, ("sso.identity", "sso.fields"), snippet=identity
    )
    yield _Wanted(
        "a page with a button for each room",
        site.integrated_page,
        ("sso.integrated_page", "sso.buttons"),
        "integrated_page",
    )
    yield _Wanted("log-in tokens for the chat", site.chat_auth_path, ("site.chat_auth",), "chat_token")


def _nested(names: Iterable[str]) -> str:
    """A dictionary of these fields as Python writes it; a dot is a level deeper."""
    tree: dict[str, Any] = {}
    for name in filter(None, names):
        *above, last = name.split(".")
        level = tree
        for one in above:
            level = level.setdefault(one, {})
        level[last] = ...
    return json.dumps(tree, default=lambda _: "…", ensure_ascii=False).replace('"…"', "…")


def _judged(wanted: _Wanted, report: Report) -> Point:
    if wanted.feature and report.contract.site.features.missing(wanted.feature):
        return Point(
            Mark.OPTIONAL, wanted.offer, wanted.where, do=f"[site.features] {wanted.feature} = false"
        )
    results = [result for result in report.results if result.check in wanted.checks]
    found = [one for result in results for one in result.findings]
    if found:
        return _lacking(wanted, found[0])
    unasked = [result for result in results if result.status is not Status.OK]
    if unasked or not results:
        reason = unasked[0].reason if unasked else "the check was not chosen"
        return Point(Mark.UNASKED, wanted.offer, wanted.where, seen=reason)
    return Point(Mark.OK, wanted.offer, wanted.where)


def _lacking(wanted: _Wanted, found: Finding) -> Point:
    or_else = f"; or [site.features] {wanted.feature} = false" if wanted.feature else ""
    do = f"{found.next_step}{or_else}"
    # What a hop asks besides is no matter of the snippet.
    snippet = "" if found.code.endswith(".pkce") else wanted.snippet
    return Point(Mark.LACKS, wanted.offer, wanted.where, found.seen, do, snippet)


def _session(contract: Contract) -> Point:
    offer, path = "who is signed in, for the page to notice the end", contract.site.adapter.session_path
    off = "[site.features] session_endpoint = false"
    if contract.site.features.missing("session_endpoint"):
        return Point(Mark.OPTIONAL, offer, str(path or "–"), do=off)
    if not path:
        do = f'[site.adapter] session_path = "/…/", or {off}'
        return Point(Mark.LACKS, offer, "[site.adapter] session_path", "no such row", do)
    try:
        answer = Site.of(contract).get(path)
    except BesedkaError as error:
        return Point(Mark.UNASKED, offer, path, error.found)
    if answer.status_code == 401:
        return Point(Mark.OK, offer, path)
    do = f"correct [site.adapter] session_path, or {off}"
    return Point(Mark.LACKS, offer, path, f"{answer.status_code} to a stranger, not 401", do)


def _status(report: Report) -> Point:
    path = report.contract.site.adapter.status_path
    if not path and "home page" in report.result("services.site").evidence:
        return Point(Mark.OPTIONAL, "a status page", "–", do="the home page is asked in its place")
    place = report.contract.site.adapter.status_place
    return _judged(_Wanted("a status page", place, ("services.site",)), report)


def _manage(target: Target) -> Point:
    offer = "temporary users can be made and removed"
    if target.can_manage:
        return Point(Mark.OK, offer, "[site.adapter] manage")
    do = "tests that need one are skipped; docs/manage.md has the command"
    return Point(Mark.OPTIONAL, offer, "[site.adapter] manage", do=do)


def text(rows: tuple[Point, ...]) -> str:
    """The checklist for people, in their language."""
    lines = []
    width = max(len(word(mark)) for mark in Mark) + 2
    for row in rows:
        lines.append(f"{word(row.mark):<{width}}{spoken(row.offer)} ({row.where})")
        if row.mark is not Mark.OK:
            lines += [f"{'':{width}}{word('found')}: {spoken(row.seen)}"] if row.seen else []
            lines += [f"{'':{width}}{spoken(row.do)}"] if row.do else []
            lines += [f"{'':{width + 2}}{line}" for line in row.snippet.splitlines()]
    counts = ", ".join(f"{sum(row.mark is mark for row in rows)} {word(mark)}" for mark in Mark)
    return "\n".join([*lines, "", counts])


def as_json(rows: tuple[Point, ...]) -> str:
    """The checklist for programs."""
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1)
