"""The site's log-in as a browser meets it: where it is, its cookies, its headers, and its CSRF protection."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

import requests

from besedka import address
from besedka.checks import bursts, patience
from besedka.checks.check import Check, check
from besedka.checks.content_policy import policies, refuses
from besedka.checks.cookies import cookies_of, refused
from besedka.checks.examination import NO_BODY, TIMEOUT_SECONDS, Examination, gateway, redirected
from besedka.checks.finding import Answer, Finding, Ok, Severity, answer, finding
from besedka.checks.page_document import clears
from besedka.checks.reloading import reloads
from besedka.checks.remembered import FIX
from besedka.contract import Contract
from besedka.login_form import LoginForm
from besedka.site import Site

_CSP, _ANCESTORS, _ACTION = "Content-Security-Policy", "frame-ancestors", "form-action"
_TAG = re.compile(r"<(style|script|title)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_QUOTED = 160
# Of two processes the right one is missed once in sixty times.
_TRIES = 6
_OF_A_FORM = "csrf"
# Rocket.Chat's web client writes the first two at each log-in (measured on 6.13.0), its server the third.
_OF_THE_CHAT = {"rc_uid", "rc_token", "connect.sid"}
_COOKIES = {
    "shared": "Give the site's cookies names of their own: SESSION_COOKIE_NAME and CSRF_COOKIE_NAME. "
    "A cookie is for a host, whatever the port.",
    "foreign": "Take SESSION_COOKIE_DOMAIN and CSRF_COOKIE_DOMAIN out of the site's settings.",
    "secure": "SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE must be False on http, and True with "
    "SameSite=None.",
    "short": "SESSION_COOKIE_AGE of the site must be hours or days; is the machine's clock right?",
    "path": 'SESSION_COOKIE_PATH and CSRF_COOKIE_PATH of the site must be "/", and a proxy must not change '
    "them (proxy_cookie_path).",
    "prefix": "Names with __Host- or __Secure- are for https and *_COOKIE_SECURE = True alone: give the "
    "cookie another name (SESSION_COOKIE_NAME, CSRF_COOKIE_NAME).",
    "large": "Sessions kept in the cookie (signed_cookies) have grown too large: keep them in the database "
    "(SESSION_ENGINE).",
}


def said(response: requests.Response) -> str:
    """The beginning of what the page says to a reader."""
    return " ".join(_TAG.sub(" ", response.text).split())[:_QUOTED]


def status_advice(response: requests.Response) -> tuple[str, ...]:
    """What a person does about a page that should lead on, by its status."""
    if moved := redirected(response.status_code, response.headers.get("Location", ""), response.url):
        return moved
    if response.status_code in {401, 403, 406, 418, 429}:
        fix = (
            "Something refuses that request before the view. It may be a firewall that takes an address in "
            "the query for an attack (ModSecurity). It may be a password of the proxy, or a limit."
        )
        return (fix,)
    if by_proxy := gateway(response.status_code, response.text):
        return by_proxy
    if response.status_code >= 500:
        fix = (
            "Read Daphne's log: the view fails. Is its database migrated (manage.py migrate --check), can "
            "it be written, is its disk full?"
        )
        return (fix,)
    return ()


def cookie_findings(name: str, examination: Examination, response: requests.Response) -> list[Finding]:
    """Cookies of the answer that a browser would not send back where they are needed, one a kind."""
    contract = examination.contract
    site = contract.site
    paths = [site.below(path) for path in (site.test_page, contract.provider.authorize_path)]
    place = f"{response.request.method} {response.url.partition('?')[0]}"
    found: dict[str, Finding] = {}
    for cookie in cookies_of(response):
        # The token of a form is wanted where the form is.
        wanted = [site.below(site.login_path)] if _OF_A_FORM in cookie.name.lower() else paths
        kind, why = refused(cookie, site.url, wanted)
        if cookie.name in _OF_THE_CHAT and address.host(site.url) == address.host(contract.chat.url):
            kind, why = "shared", "is overwritten by the chat, which has one of that name on the same host"
        if kind and kind not in found:
            seen, expected = f"the cookie {cookie.name} {why}", f"a cookie for {address.host(site.url)}"
            advice = (_COOKIES[kind],)
            found[kind] = finding(f"{name}.{kind}_cookie", seen, expected, place, advice=advice)
    return list(found.values())


@check("site.login_url", codes="elsewhere", needs=["services.site"])
def login_url(examination: Examination) -> Answer:
    """Does the site send visitors to the log-in of the contract?"""
    contract = examination.contract
    site, wanted = contract.site, contract.site.below(contract.site.login_path)
    found: list[Finding] = []
    for path in (site.test_page, contract.provider.authorize_path):
        query = {"client_id": contract.provider.client_id} if path != site.test_page else {}
        response = examination.site.request("GET", path, params=query)
        if not response.is_redirect:
            continue
        target = urljoin(response.url, response.headers.get("Location", ""))
        if _is_elsewhere(contract, path, target, wanted) and not _in_another_language(examination, target):
            found.append(_elsewhere(examination, f"GET {site.url}{path}, anonymous", target))
    return answer(found[:1], evidence=wanted, watched=("site.login_path",))


def _is_elsewhere(contract: Contract, asked: str, target: str, wanted: str) -> bool:
    """Whether that is a log-in, by the way back that it is told, and not the contract's."""
    parts = urlsplit(target)
    asked_for = contract.site.below(asked)
    if parts.path == asked_for or asked_for.rstrip("/") not in unquote(parts.query):
        return False
    return parts.path != wanted or address.origin(target) != address.origin(contract.site.url)


def _in_another_language(examination: Examination, target: str) -> bool:
    """Whether that is the contract's log-in all the same."""
    own = address.origin(examination.contract.site.url)
    return address.origin(target) == own and examination.site.is_login(target)


def _elsewhere(examination: Examination, place: str, target: str) -> Finding:
    site, there = examination.contract.site, target.partition("?")[0]
    own = address.origin(target) == address.origin(site.url)
    fix = (
        f'Set LOGIN_URL = "{site.below(site.login_path)}" at the site, and look for login_url= in its views.'
    )
    handed_on = (
        "If that is the site's own name behind a proxy: let the proxy send Host on (proxy_set_header Host "
        "$host), or put Location right (proxy_redirect)."
    )
    advice: tuple[str, ...] = (fix,) if own else (handed_on, fix)
    before, _, rest = urlsplit(target).path.rpartition(site.below(site.login_path))
    seen = f"visitors are sent to {there}"
    if own:
        response = Site.of(examination.contract, timeout=TIMEOUT_SECONDS).get(target)
        if LoginForm.of(response).found:
            path = urlsplit(target).path
            seen += ", which shows a log-in"
            advice = (f'Or, if that is the log-in: login_path = "{path}" under [site] in besedka.toml.', fix)
        else:
            seen += f", which answers {response.status_code} without a form"
        if before and not rest:
            prefixed = (
                f"The site puts {before} before each address: take FORCE_SCRIPT_NAME or the proxy's "
                f"SCRIPT_NAME away, or write {before} into [site] url of besedka.toml."
            )
            advice = (prefixed, *advice)
    expected = f"{site.url}{site.login_path}, login_path of besedka.toml"
    return finding("site.login_url.elsewhere", seen, expected, place, advice=advice)


@check(
    "site.login_page",
    codes="foreign_cookie secure_cookie short_cookie path_cookie prefix_cookie large_cookie shared_cookie"
    " unframed form_action reloads clears slow",
    needs=["site.login_form"],
    after=["services.addresses"],
)
def login_page(examination: Examination) -> Answer:
    """Is the log-in page's cookie for this host, and does the page show and work in the chat's frame?"""
    path = examination.contract.site.login_path
    # Who has the cookie already gets no second one.
    response = patience.answered(lambda: Site.of(examination.contract, timeout=TIMEOUT_SECONDS).get(path))
    place = f"GET {examination.contract.site.url}{path}"
    found = cookie_findings("site.login_page", examination, response)
    found += clears("site.login_page", response, place)
    found += _form_kept(examination, response, place)
    found += reloads("site.login_page", response, place)
    if by := unframed(examination, response):
        fix = "Set X_FRAME_OPTIONS to SAMEORIGIN at the site, or frame-ancestors to 'self'."
        seen = f"{by}: the log-in page does not show in the chat's frame"
        code, expected = "site.login_page.unframed", "a page that the site itself may frame"
        found.append(finding(code, seen, expected, place, advice=(fix,), severity=Severity.RISK))
    found += patience.late("site.login_page", response.elapsed.total_seconds(), place)
    return answer(found, evidence="a cookie for this host, a page that may be framed")


def _form_kept(examination: Examination, response: requests.Response, place: str) -> list[Finding]:
    """What `form-action` keeps the form from: the site, or the chat that the log-in ends at.

    Chromium applies it to the redirects that follow, too (https://www.w3.org/TR/CSP3/#directive-form-action).
    """
    contract = examination.contract
    for policy in policies([response.headers.get(_CSP, "")]):
        for url, severity in ((contract.site.url, Severity.BROKEN), (contract.chat.url, Severity.RISK)):
            if by := refuses(policy, (_ACTION,), url, contract.site.url):
                fix = f"Let form-action name 'self' and {address.source(contract.chat.url)}."
                seen = f"{by}: a browser does not follow the log-in to {url}"
                code, expected = "site.login_page.form_action", "site and chat in form-action"
                where = f"{place}, {_CSP}"
                return [finding(code, seen, expected, where, advice=(fix,), severity=severity)]
    return []


def unframed(examination: Examination, response: requests.Response) -> str:
    """What keeps a page of the site from showing inside the chat's frame; empty if nothing does.

    The log-in page shows there when a visitor's session at the site has ended.
    """
    site = examination.contract.site.url
    option = response.headers.get("X-Frame-Options", "").strip().lower()
    framing = [policy for policy in policies([response.headers.get(_CSP, "")]) if _ANCESTORS in policy]
    by = next((text for policy in framing if (text := refuses(policy, (_ANCESTORS,), site, site))), "")
    return by or ("" if framing or option != "deny" else "X-Frame-Options: DENY")


@check(
    "site.csrf",
    codes="open refused flickers cookie_lost body_lost",
    needs=["site.login_form"],
    after=["site.login_page"],
)
def csrf(examination: Examination) -> Answer:
    """Is a log-in without a CSRF token refused, and one with its token taken?"""
    contract = examination.contract
    target = (
        f"{contract.site.below(contract.provider.authorize_path)}?client_id={contract.provider.client_id}"
    )
    call = contract.site.adapter.login_call
    path = call.path if call else contract.site.login_path
    response = examination.site.request("POST", path, params={"next": target}, data={})
    place = f"POST {contract.site.url}{path}"
    # A site may have words of its own for the refusal (CSRF_FAILURE_VIEW); a form shown again is none.
    if not 400 <= response.status_code < 500:
        fix = "no middleware may switch CSRF off for /o/ or for a `next` that an attacker chooses"
        return answer(
            [finding("site.csrf.open", f"answered {response.status_code}", "403", place, advice=(fix,))]
        )
    # An empty form with its token: nobody's failure is counted.
    taken = Site.of(contract, timeout=TIMEOUT_SECONDS).send_empty_form()
    if taken.status_code not in {401, 403}:
        return Ok(f"{response.status_code} without a token, {taken.status_code} with it")
    if number := bursts.once_taken(lambda: _is_taken(contract), _TRIES):
        seen = f"{number} forms with their token are refused ({taken.status_code}), and the next one is taken"
        return answer([finding("site.csrf.flickers", seen, "the same to each", place, advice=FIX)])
    seen, expected = f"{taken.status_code} to a form with its token: {said(taken)}", "the form once more"
    if _cookies_lost(contract):
        fix = (
            "In the proxy's configuration: hand the header Cookie on to the site. It sees none, so nobody "
            "signs in, and nobody stays signed in."
        )
        seen = "each look at the log-in page brings a new CSRF cookie: the one before did not arrive"
        return answer([finding("site.csrf.cookie_lost", seen, expected, place, advice=(fix,))])
    if _body_lost(contract):
        seen = "the form arrives without what stands in it, and so does the request for a token"
        return answer([finding("site.csrf.body_lost", seen, expected, place, advice=(NO_BODY,))])
    return answer(
        [finding("site.csrf.refused", seen, expected, place, advice=_refusals(contract, taken))],
    )


def _is_taken(contract: Contract) -> bool:
    again = Site.of(contract, timeout=TIMEOUT_SECONDS).send_empty_form()
    return again.status_code not in {401, 403, 429}


def _body_lost(contract: Contract) -> bool:
    """Whether the token endpoint does not see the kind of grant that it was told (RFC 6749, 5.2)."""
    site = Site.of(contract, timeout=TIMEOUT_SECONDS)
    told = {"grant_type": "authorization_code", "code": "doctor"}
    answered = site.request("POST", contract.provider.token_path, data=told)
    return answered.status_code == 400 and "unsupported_grant_type" in answered.text


def _cookies_lost(contract: Contract) -> bool:
    """Whether the site never sees the cookie that it has set: Django sets it once, and keeps to it."""
    site = Site.of(contract, timeout=TIMEOUT_SECONDS)
    first, second = (_values(site.get(contract.site.login_path)) for _ in range(2))
    shared = first.keys() & second.keys()
    return bool(shared) and all(first[name] != second[name] for name in shared)


def _values(response: requests.Response) -> dict[str, str]:
    return {cookie.name: cookie.value for cookie in cookies_of(response)}


def _refusals(contract: Contract, response: requests.Response) -> tuple[str, ...]:
    origin = address.origin(contract.site.url)
    return (
        f'CSRF_TRUSTED_ORIGINS of the site must hold "{origin}" where a proxy ends https.',
        "Let the proxy send Host and X-Forwarded-Proto on; set SECURE_PROXY_SSL_HEADER at the site.",
        "If that is right: a firewall, a limit of log-ins (django-axes: python manage.py axes_reset), or an "
        "address that is not allowed refuses it.",
    )


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (login_url, login_page, csrf)
