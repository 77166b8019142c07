"""What a browser obeys and a plain client does not: cookies, `Refresh`, https beside http, scripts of one's own."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from besedka.checks import patience
from besedka.checks.cookies import SetCookie, cookies_of, refused
from besedka.checks.examination import Examination
from besedka.checks.login_page import cookie_findings
from besedka.checks.reloading import led_to, reloads
from besedka.errors import ServiceUnreachableError
from tests.unit.checks.documents import codes, severities

HTTP, LOOPBACK = "http://besedka.test", "http://127.0.0.1:8001"
SOON = "Thu, 01 Jan 1970 00:00:00 GMT"


def cookie(row: str) -> SetCookie:
    """The one cookie of that Set-Cookie, in the answer to the log-in page."""
    headers = SimpleNamespace(getlist=lambda _: [row])
    answered: Any = SimpleNamespace(
        raw=SimpleNamespace(headers=headers), url=f"{HTTP}/accounts/login/?next=/"
    )
    return cookies_of(answered)[0]


@pytest.mark.parametrize(
    ("row", "at", "kind"),
    [
        ("session=1; Path=/", HTTP, ""),
        ("session=1; Path=/; Domain=besedka.test", HTTP, ""),
        ("session=1; Path=/; Domain=.BESEDKA.test", "https://chat.besedka.test", ""),
        ("session=1; Path=/; Domain=edka.test", HTTP, "foreign"),
        ("session=1; Path=/; Domain=example.org", LOOPBACK, "foreign"),
        ("session=1; Path=/; Secure", HTTP, "secure"),
        # Browsers keep such cookies on loopback.
        ("session=1; Path=/; Secure", LOOPBACK, ""),
        ("session=1; Path=/; SameSite=None", LOOPBACK, "secure"),
        ("session=1; Path=/; SameSite=None; Secure", "https://besedka.test", ""),
        ("session=1; Path=/; Max-Age=1", HTTP, "short"),
        (f"session=1; Path=/; expires={SOON}", HTTP, "short"),
        ("session=1; Path=/; expires=no date", HTTP, ""),
        # A cookie that is being taken away.
        ("session=; Path=/; Max-Age=0", HTTP, ""),
        ("session=1; Path=/accounts/", HTTP, "path"),
        ("session=1; Path=/chat", HTTP, ""),
        ("session=1; Path=chat", HTTP, "path"),
        ("session=1", HTTP, "path"),
        ("balancer=1", HTTP, ""),
        ("__Host-balancer=1; Path=/", HTTP, ""),
        ("__Secure-session=1; Path=/", HTTP, "prefix"),
        ("__Host-session=1; Path=/", LOOPBACK, "prefix"),
        ("__Host-session=1; Path=/; Secure", "https://besedka.test", ""),
        ("__Host-session=1; Path=/; Secure; Domain=besedka.test", "https://besedka.test", "prefix"),
        (f"session={'1' * 4090}; Path=/", HTTP, "large"),
        (f"session={'1' * 4089}; Path=/", HTTP, ""),
    ],
)
def test_a_cookie_that_does_not_come_back_has_a_kind(row: str, at: str, kind: str) -> None:
    assert refused(cookie(row), at, ["/chat/test/"])[0] == kind


@pytest.mark.parametrize(
    ("headers", "text", "found"),
    [
        ({}, "<html></html>", []),
        ({"Refresh": "5; url=/"}, "", ["x.reloads"]),
        ({}, '<meta HTTP-EQUIV="Refresh" content="30">', ["x.reloads"]),
        ({}, '<meta http-equiv="X-UA-Compatible" content="IE=edge">', []),
    ],
)
def test_a_page_that_leaves_by_itself_is_named(headers: dict[str, str], text: str, found: list[str]) -> None:
    page: Any = SimpleNamespace(headers=headers, text=text)
    assert [one.code for one in reloads("x", page, "GET /")] == found


_CALLBACK = "http://chat.test/_oauth/besedka"
_WHOLE = f"{_CALLBACK}?code=1&state=2"


@pytest.mark.parametrize(
    ("headers", "text", "led"),
    [
        ({"Refresh": f"0; url={_WHOLE}"}, "", (_WHOLE, "Refresh")),
        (
            {},
            f"<meta http-equiv=refresh content=\"0;URL='{_WHOLE.replace('&', '&amp;')}'\">",
            (_WHOLE, "Refresh"),
        ),
        ({}, f"<script>location.href = '{_WHOLE}'</script>", (_WHOLE, "script")),
        ({}, f'<script>go("{_WHOLE.replace("&", chr(92) + "u0026")}")</script>', (_WHOLE, "script")),
        ({}, f'<script>go("{_WHOLE.replace("/", chr(92) + "/")}")</script>', (_WHOLE, "script")),
        ({}, f"<body onload=\"location.replace('{_WHOLE}')\">", (_WHOLE, "script")),
        ({}, f'<a href="{_WHOLE}">Go on</a><script>count("home")</script>', None),
        ({}, '<script>location = "/home"</script>', None),
    ],
)
def test_where_a_page_leads_by_itself(
    headers: dict[str, str], text: str, led: tuple[str, str] | None
) -> None:
    page: Any = SimpleNamespace(headers=headers, text=text, url="http://site.test/o/authorize/")
    assert led_to(page, _CALLBACK) == led


@pytest.mark.parametrize(
    ("setting_id", "value", "found"),
    [
        ("Custom_Script_Logged_In", "//Add your script", []),
        ("Custom_Script_Logged_In", "/* nothing\n yet */", []),
        ("Custom_Script_Logged_In", "console.log('hello')", ["note"]),
        ("Custom_Script_Logged_In", "window.parent.postMessage({eventName: 'in'}, '*')", ["note"]),
        ("Custom_Script_Logged_In", "window.location = '/home'", ["risk"]),
        ("Custom_Script_Logged_In", "top.location.href = 'http://127.0.0.1:8001/'", ["risk"]),
        ("Custom_Script_Logged_Out", "function ( {", ["risk"]),
        ("Custom_Script_On_Logout", "// a word\ndocument.body.innerHTML = ''", ["risk"]),
        ("theme-custom-css", "", []),
        ("theme-custom-css", ".login { color: red }", ["note"]),
        ("theme-custom-css", "body { display: none }", ["risk"]),
        ("theme-custom-css", ".rc-message-box,\n .x { visibility:hidden !important }", ["risk"]),
        ("theme-custom-css", ".advert { display: none }", ["note"]),
        ("theme-custom-css", "main { opacity: 0 }", ["risk"]),
        ("theme-custom-css", "main { opacity: 0.9 }", ["note"]),
    ],
)
def test_scripts_and_styles_of_ones_own_are_weighed(
    setting_id: str, value: str, found: list[str], holding: Callable[..., Examination]
) -> None:
    examination = holding(effective={setting_id: value})
    assert severities("iframe.customised", examination) == found


def test_a_script_that_the_contract_wants_is_none_of_somebodys_own(
    holding: Callable[..., Examination],
) -> None:
    examination = holding(effective={"Custom_Script_Logged_In": "location = '/x'"})
    wanted = {"Custom_Script_Logged_In": "location = '/x'"}
    examination.contract = examination.contract.model_copy(update={"settings": wanted})
    assert severities("iframe.customised", examination) == []


@pytest.mark.parametrize(
    ("site", "chat", "found"),
    [
        ("https://besedka.test", "http://chat.besedka.test", ["services.https.mixed"]),
        ("http://besedka.test", "https://chat.besedka.test", ["services.https.mixed"]),
        ("https://127.0.0.1:8001", "http://127.0.0.1:3000", ["services.https.mixed"]),
        ("https://besedka.test", "https://chat.besedka.test", []),
    ],
)
def test_https_beside_http_is_named(
    site: str, chat: str, found: list[str], holding: Callable[..., Examination]
) -> None:
    examination = holding(effective={})
    examination.contract = examination.contract.at(site_url=site, chat_url=chat)
    assert codes("services.https", examination) == found


def test_who_is_late_once_is_asked_again() -> None:
    waits = iter([9.0, 0.1])
    assert patience.quicker(lambda: next(waits), lambda seconds: seconds) == 0.1
    assert patience.late("x", 0.1, "GET /") == []


def test_who_is_always_late_is_a_risk_and_who_never_answers_is_broken() -> None:
    assert [one.severity.value for one in patience.late("x", 9.0, "GET /")] == ["risk"]
    inside = ServiceUnreachableError("GET / from inside container chat got no answer: no answer in 20 s")
    hanging = patience.too_slow("x", inside, "GET /")
    assert hanging is not None
    assert (hanging.code, hanging.severity.value) == ("x.hangs", "broken")
    assert patience.too_slow("x", ServiceUnreachableError("refused"), "GET /") is None


@pytest.mark.parametrize(("name", "codes"), [("rc_token", ["x.shared_cookie"]), ("besedka_session", [])])
def test_a_cookie_that_the_chat_overwrites_is_named(
    examine_with: Callable[..., Examination], name: str, codes: list[str]
) -> None:
    response = requests.Response()
    response.request = requests.Request("GET", "http://127.0.0.1:8001/").prepare()
    response.url = "http://127.0.0.1:8001/"
    response.raw = SimpleNamespace(headers=SimpleNamespace(getlist=lambda _: [f"{name}=v; Path=/"]))
    assert [found.code for found in cookie_findings("x", examine_with(), response)] == codes
