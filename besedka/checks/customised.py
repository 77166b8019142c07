"""What an administrator had Rocket.Chat send to every browser: scripts and styles of one's own.

`Custom_Script_*` runs in the client at each log-in and log-out, `theme-custom-css` stands in each page
(apps/meteor/server/settings/layout.ts, 7.7.1). Nobody can say what a script does without running it.
"""

from __future__ import annotations

import re

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, answer, finding
from besedka.checks.page_styles import HIDES, RULE
from besedka.contract import Contract

_SCRIPTS = ("Custom_Script_Logged_In", "Custom_Script_Logged_Out", "Custom_Script_On_Logout")
_STYLES = "theme-custom-css"
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
# What takes the client's page, its session or its tree from it.
_MEDDLES = re.compile(
    r"location\b|\blogout\b|innerHTML|outerHTML|document\.(write|open|close)|\.remove\(|replaceWith"
    r"|(local|session)Storage\.(clear|removeItem)|window\.(close|open|stop)"
    r"|throw\b|while\s*\(\s*(true|1)\s*\)|alert\(|confirm\(|prompt\(|Meteor\.|document\.cookie"
)
_PARTS = re.compile(
    r"(^|[\s,>+~])(\*|html|body|main|form|textarea|button|iframe)(?![\w-])|#rocket-chat|#react-root|rc-message-box"
    r"|main-content|message-box|composer|rc-room|\.rcx-|messages-(box|container)|js-input-message|\[role"
)


@check("iframe.customised", codes="script style", needs=["services.admin"])
def customised(examination: Examination) -> Answer:
    """Does Rocket.Chat send no script or style of somebody's own that may break the client?"""
    found = [*_of_scripts(examination), *_of_styles(examination)]
    return answer(found, evidence="none, or the contract's")


def _own(examination: Examination, setting_id: str) -> str:
    """The setting's text without comments; empty where it is the contract's own wish."""
    value = str(examination.effective.get(setting_id) or "")
    if examination.contract.settings.get(setting_id) == value:
        return ""
    return _COMMENT.sub("", value).strip()


def _of_scripts(examination: Examination) -> list[Finding]:
    found = []
    for setting_id in _SCRIPTS:
        text = _own(examination, setting_id)
        if not text:
            continue
        meddles, broken = _MEDDLES.search(text), _unbalanced(text)
        doubt = f", which says {meddles[0]!r}" if meddles else ", which is no whole script" if broken else ""
        seen = f"{setting_id} runs in each browser{doubt}: {text.splitlines()[0][:80]}"
        advice = (f"Empty {setting_id} and try again: doctor reads a script and does not run it.",)
        severity = Severity.RISK if doubt else Severity.NOTE
        where, expected = examination.where(setting_id), "no script, or one that contract and tests know"
        code = "iframe.customised.script"
        found.append(finding(code, seen, expected, where, advice=advice, severity=severity))
    return found


def _unbalanced(text: str) -> bool:
    """Whether its brackets do not close; those in strings are few enough to be left in."""
    bare = re.sub(r"(\"(\\.|[^\"\\\n])*\"|'(\\.|[^'\\\n])*'|`(\\.|[^`\\])*`)", "", text)
    return any(bare.count(left) != bare.count(right) for left, right in ("()", "[]", "{}"))


def _of_styles(examination: Examination) -> list[Finding]:
    text = _own(examination, _STYLES)
    if not text:
        return []
    hiding = [
        f"{' '.join(selector.split())} {{{' '.join(body.split())}}}"
        for selector, body in RULE.findall(text)
        if _PARTS.search(selector.strip()) and HIDES.search(f"{body};")
    ]
    seen = f"{_STYLES} hides {hiding[0][:120]}" if hiding else f"{_STYLES} has {len(text)} characters"
    advice = (f"Empty {_STYLES} and try again: a style may take the room or its message box away.",)
    severity = Severity.RISK if hiding else Severity.NOTE
    where, code = examination.where(_STYLES), "iframe.customised.style"
    expected = "no style, or one that contract and tests know"
    return [finding(code, seen, expected, where, advice=advice, severity=severity)]


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (customised,)
