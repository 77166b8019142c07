"""Layer `site`: accounts, pages and endpoints of the Django side, asked anonymously."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import requests

from besedka import address
from besedka.checks import moved, site_endpoints
from besedka.checks.check import Check, check
from besedka.checks.examination import TIMEOUT_SECONDS, Examination, gateway, redirected
from besedka.checks.finding import Answer, Finding, Findings, Ok, Severity, Skipped, answer, finding
from besedka.checks.login_page import said, status_advice
from besedka.checks.reloading import led_to
from besedka.contract import Contract, User
from besedka.login_form import LoginForm
from besedka.look_alikes import alike, beside, with_reason
from besedka.rocketchat.adoption import same_mailbox
from besedka.site import Site
from besedka.site_database import named, verified
from besedka.swapped import Swap, of_site, swaps

_KEEP = (
    "Keep `next` with the whole request: a log-in of one's own must quote it, and a proxy must pass the "
    "query on."
)
_FROM_A_CACHE = (
    "It is the answer to another request: no caching of authorize_path in the proxy's configuration "
    "(proxy_cache off). Else: keep `next`, with the whole request."
)
_ROUTED = "Does the site route this address to its provider, and send strangers to its log-in?"
_BY_SCRIPT = (
    "Or does a script of the page ask for name and password? Then name its call: [site.adapter] "
    'login_call = { path = "…", name = "username", password = "password" }.'
)
# Django's, in each form that it protects.
_CSRF_FIELD = "csrfmiddlewaretoken"


@check(
    "site.accounts",
    codes="missing look_alike beside swapped username username_twice role no_email email email_unlike"
    " email_case email_twice name inactive",
    needs=["services.site_database", "services.site"],
)
def accounts(examination: Examination) -> Answer:
    """Are the canonical users there, with role, e-mail and name?"""
    held = {user.email.lower(): user.username for user in examination.site_users}
    found: list[Finding] = []
    watched: list[str] = []
    swapped = swaps(examination.contract.users, of_site(examination.site_users))
    for user in examination.contract.users:
        place = f"account {user.username} of the site"
        watched += [f"users.{user.username}.{field}" for field in ("username", "role", "email", "full_name")]
        account = named(user.username, examination.site_users)
        if account is None:
            found.append(_missing(examination, user, held.get(user.email.lower())))
            continue
        if swap := swapped.get(user.username):
            found.append(_swapped(examination, swap, place))
            continue
        rows = (
            ("username", account.username, user.username),
            ("role", account.role, examination.contract.site.adapter.site_role(user.role)),
            ("email", account.email, user.email),
            ("name", account.full_name, user.full_name),
            ("inactive", account.is_active, True),
        )
        for code, seen, expected in rows:
            if code == "email" and seen == "" and examination.contract.provider.email_field:
                found.append(_without_email(examination, user, place))
            elif seen is not None and seen != expected:
                if code == "email" and same_mailbox(str(seen), str(expected)):
                    continue
                only_case = code == "email" and str(seen).lower() == str(expected).lower()
                # Who signs in by an address can type no letters that nobody sees.
                kind = (
                    "_case" if only_case else "_unlike" if code == "email" and alike(seen, expected) else ""
                )
                found.append(
                    finding(
                        f"site.accounts.{code}{kind}",
                        with_reason(f"{user.username}: {seen!r}", seen, expected),
                        repr(expected),
                        place,
                        commands=examination.site_commands,
                        advice=examination.site_advice,
                    )
                )
    found += [*_shared_addresses(examination), *_beside(examination)]
    return answer(found, evidence=f"{len(examination.contract.users)} accounts", watched=watched)


def _without_email(examination: Examination, user: User, place: str) -> Finding:
    """`getEmail` throws where the field is empty (custom_oauth_server.js, 6.14)."""
    seen, code = f"{user.username} has no e-mail: Rocket.Chat refuses the log-in", "site.accounts.no_email"
    commands, advice = examination.site_commands, examination.site_advice
    return finding(code, seen, repr(user.email), place, commands=commands, advice=advice)


def _missing(examination: Examination, user: User, holder: str | None) -> Finding:
    """No account of that name: one is to be made, or another one renamed."""
    place, seen, code = f"account {user.username} of the site", f"no account {user.username}", "missing"
    commands, advice = examination.site_commands, examination.site_advice
    known = (one.username for one in examination.site_users)
    if double := next((name for name in known if alike(name, user.username)), None):
        seen = with_reason(f"{double} in place of {user.username}", double, user.username)
        fix = f"Write the username {user.username} of that account anew at the site."
        code, commands, advice = "look_alike", (), (fix,)
    elif holder:
        fix = f"{holder} has its e-mail: give that account the username {user.username} at the site."
        commands, advice = (), (fix,)
    return finding(f"site.accounts.{code}", seen, "one", place, commands=commands, advice=advice)


def _swapped(examination: Examination, swap: Swap, place: str) -> Finding:
    name, other, code = swap.user.username, swap.other.username, "site.accounts.swapped"
    if swap.whole:
        fix = f"Give {name} another username at the site for a while, then each account its own."
        return finding(code, swap.of_names, name, place, advice=(fix,))
    seen = f"{name} has the e-mail of {other}: Rocket.Chat takes each for the other, and refuses both"
    commands, advice = examination.site_commands, examination.site_advice
    return finding(code, seen, swap.user.email, place, commands=commands, advice=advice)


def _beside(examination: Examination) -> Iterator[Finding]:
    """Accounts that look like a canonical user's, or differ in capitals alone, beside the right one."""
    for user in examination.contract.users:
        own = named(user.username, examination.site_users)
        others = [one for one in examination.site_users if own and one.username != own.username]
        for other in others:
            place = f"account {other.username} of the site"
            if other.username.lower() == user.username.lower():
                name, second = user.username, other.username
                seen = f"{second} and {name}: to the chat, capitals make no other person"
                fix = "Keep one of the two, or give the other a username of its own."
                code = "site.accounts.username_twice"
            elif seen := beside(user.username, user.email, other.username, [other.email or ""]):
                fix = "Whose account is it? Switch it off, or give it a name and address that look unlike."
                code = "site.accounts.beside"
            else:
                continue
            yield finding(code, seen, "one account", place, advice=(fix,))


def _shared_addresses(examination: Examination) -> list[Finding]:
    """Accounts of the site with a canonical user's e-mail: SSO hands that user's account in the chat to them.

    Rocket.Chat adopts by the address, whatever the merge flags say (accounts_meld; measured on 6.13.0).
    """
    found, own = [], {user.username.lower(): user.email.lower() for user in examination.site_users}
    for user in examination.contract.users:
        others = sorted(
            other.username
            for other in examination.site_users
            if (other.email or "").lower() == user.email.lower()
            and other.username.lower() != user.username.lower()
            and other.is_active is not False
        )
        if others and own.get(user.username.lower()) == user.email.lower():
            seen = f"{others[0]} and {user.username} have one e-mail: the chat takes them for one person"
            fix = "Give each account of the site an e-mail of its own: Rocket.Chat tells people apart by it."
            place, code = f"account {others[0]} of the site", "site.accounts.email_twice"
            found.append(finding(code, seen, "one account", place, advice=(fix,), severity=Severity.RISK))
    return found


@check("site.passwords", codes="differs", needs=["site.accounts"])
def passwords(examination: Examination) -> Answer:
    """Do the canonical users have the contract's passwords?"""
    found: list[Finding] = []
    asked: list[str] = []
    for user in examination.contract.users:
        # Whose account is not there is told by site.accounts.
        account = named(user.username, examination.site_users)
        stored = account.password if account else None
        verdict = None if stored is None else verified(user.secret, stored)
        if verdict is not None:
            asked.append(f"users.{user.username}.password")
        if verdict is False:
            place = f"account {user.username} of the site"
            seen = f"{user.username} has another password"
            found.append(
                finding(
                    "site.passwords.differs",
                    seen,
                    "the contract's",
                    place,
                    commands=examination.site_commands,
                    advice=examination.site_advice,
                )
            )
    if not asked:
        return Skipped("the passwords are hashed in a way that is not reckoned here")
    return answer(found, evidence=f"{len(asked)} passwords", watched=asked)


@check("site.home", codes="status", needs=["services.site"])
def home(examination: Examination) -> Answer:
    """Does the home page answer anybody, whatever becomes of the chat?"""
    response = examination.site.get("/")
    found = []
    # A home page may be for members only, elsewhere, or not there at all.
    if response.status_code >= 500:
        place = f"GET {examination.contract.site.url}/, anonymous"
        fix = "read Daphne's log; no page of the site may need Rocket.Chat's database"
        found = [
            finding(
                "site.home.status",
                f"{response.status_code}: {said(response)}",
                "a page",
                place,
                advice=(fix,),
            )
        ]
    return answer(found, evidence=str(response.status_code))


@check(
    "site.login_form",
    codes="missing slash refused failing no_referrer no_cookie",
    needs=["services.site"],
)
def login_form(examination: Examination) -> Answer:
    """Does the log-in page show a form whose cookie the browser will send back?"""
    path = examination.contract.site.login_path
    response = examination.site.get(path)
    place = f"GET {examination.contract.site.url}{path}"
    call = examination.contract.site.adapter.login_call
    if response.status_code != 200 or not (call or LoginForm.of(response, examination.site.loaded).found):
        return Findings((_no_form(response, place),))
    if found := _unsendable(examination, response, place):
        return Findings((found,))
    return Ok("form and cookie", watched=("site.login_path",))


def _no_form(response: requests.Response, place: str) -> Finding:
    """The log-in page is refused, fails, leads elsewhere, or is another page."""
    status, location = response.status_code, response.headers.get("Location", "")
    code, advice = "missing", redirected(status, location, response.url)
    if location and moved.without_slash(location, response.url):
        code = "slash"
    if status in {401, 403, 423, 429}:
        code = "refused"
        advice = (
            "Something refuses the log-in page: a firewall, a list of addresses, a limit or lock of log-ins.",
            "Look at the proxy's configuration, and at the site's middleware (django-axes, rate limits).",
        )
    elif status >= 500:
        code, advice = "failing", ("Read Daphne's log: the log-in page fails.",)
    fix = "Is [site] login_path of besedka.toml the log-in page, and does this site listen on this port?"
    advice = advice or (fix, *([_BY_SCRIPT] if "<script" in response.text.lower() else []))
    seen = f"{status}, no form with a password: {said(response)}".rstrip(": ")
    expected = "200 with the form"
    return finding(f"site.login_form.{code}", seen, expected, place, advice=advice)


def _unsendable(examination: Examination, response: requests.Response, place: str) -> Finding | None:
    """What keeps a browser from sending the form so that Django takes it: a header more, or one less."""
    policy = response.headers.get("Referrer-Policy", "").lower()
    if policy.split(",")[-1].strip() == "no-referrer":
        # https://fetch.spec.whatwg.org/#append-a-request-origin-header: the form is sent with `Origin: null`,
        # which Django's CSRF middleware refuses.
        seen = "Referrer-Policy: no-referrer"
        fix = (
            'Set SECURE_REFERRER_POLICY = "same-origin" at the site; in the proxy\'s configuration: no '
            "Referrer-Policy for the site."
        )
        return finding("site.login_form.no_referrer", seen, "same-origin", place, advice=(fix,))
    if _CSRF_FIELD in response.text and "Set-Cookie" not in response.headers:
        # Who has the cookie already gets no second one.
        anew = Site.of(examination.contract, timeout=TIMEOUT_SECONDS).get(
            examination.contract.site.login_path
        )
        if "Set-Cookie" not in anew.headers:
            seen, expected = "a form with a CSRF token, and no cookie", "the cookie that belongs to the token"
            fix = (
                "In the proxy's configuration: let Set-Cookie of the site through. Without the cookie each "
                "log-in is answered with 403."
            )
            return finding("site.login_form.no_cookie", seen, expected, place, advice=(fix,))
    return None


def _values(query: str) -> list[str]:
    """What a log-in is told, whatever the site calls it: `next` to Django."""
    return [value for values in parse_qs(query).values() for value in values]


def _leads_to_login(examination: Examination, check_name: str, path: str) -> Answer:
    response = examination.site.get(path)
    contract = examination.contract
    place = f"GET {contract.site.url}{path}, anonymous"
    if response.status_code == 200 and LoginForm.of(response).password_field:
        return Ok("the log-in form in place of the page", watched=(check_name,))
    login, page = contract.site.below(contract.site.login_path), contract.site.below(path)
    expected = f"302 to {login}?next={page}"
    location, by_page = _led(contract, check_name, response, place)
    if not location:
        fix = (
            next(iter(gateway(response.status_code, response.text)), "read Daphne's log")
            if response.status_code >= 500
            else "Is this address among the site's urls, and [site] of besedka.toml right? Read Daphne's log."
        )
        return Findings(
            (finding(f"{check_name}.status", str(response.status_code), expected, place, advice=(fix,)),)
        )
    target = urlsplit(location)
    back = [urlsplit(value).path for value in _values(target.query)]
    if page not in back or not examination.site.is_login(target.path):
        seen = f"302 to {target.path}?{target.query}"
        return Findings(
            (
                finding(
                    f"{check_name}.target",
                    seen,
                    expected,
                    place,
                    advice=("The log-in must come back: keep `next` with the page's path.",),
                ),
            )
        )
    return answer(by_page, evidence=f"302 to {target.path}", watched=(check_name,))


def _led(
    contract: Contract, check_name: str, response: requests.Response, place: str
) -> tuple[str, list[Finding]]:
    """Where the answer leads a stranger, and the finding `<check_name>.page` where a page of its own does."""
    login = address.origin(contract.site.url) + contract.site.below(contract.site.login_path)
    if response.is_redirect or response.status_code != 200 or not (led := led_to(response, login)):
        return response.headers.get("Location", ""), []
    fix = "Let the view answer 302 with Location, as login_required does."
    seen, code = f"200 with a page that leads to the log-in by {led[1]}", f"{check_name}.page"
    found = finding(code, seen, "302 with Location", place, advice=(fix,))
    return led[0], [found]


@check("site.test_page", codes="status target page", needs=["services.site"], after=["site.login_url"])
def test_page(examination: Examination) -> Answer:
    """Does the test page ask an anonymous visitor to log in?"""
    return _leads_to_login(examination, "site.test_page", examination.contract.site.test_page)


@check("site.integrated_page", codes="status target page", needs=["services.site"], after=["site.login_url"])
def integrated_page(examination: Examination) -> Answer:
    """Does the integrated page ask an anonymous visitor to log in?"""
    if without := examination.contract.site.features.missing("integrated_page"):
        return Skipped(without)
    return _leads_to_login(examination, "site.integrated_page", examination.contract.site.integrated_page)


@check("site.authorize", codes="status next_lost page", needs=["services.site"], after=["site.login_url"])
def authorize(examination: Examination) -> Answer:
    """Does authorize send an anonymous visitor to the log-in and keep the whole request?"""
    contract = examination.contract
    provider = contract.provider
    response = examination.site.authorize(
        provider.client_id, f"{contract.chat.url}/_oauth/{provider.name}", provider.scope, "doctor"
    )
    place = f"GET {contract.site.url}{provider.authorize_path}, anonymous"
    location, found = _led(contract, "site.authorize", response, place)
    target = urlsplit(location)
    kept = next((value for value in _values(target.query) if "client_id=" in value), "")
    if not location or not examination.site.is_login(target.path):
        seen, expected = f"{response.status_code} {target.path}".strip(), f"302 to {contract.site.login_path}"
        advice = status_advice(response) or (_ROUTED,)
        found = [finding("site.authorize.status", seen, expected, place, advice=advice)]
    elif "client_id=" not in kept or "state=" not in kept:
        seen, expected, fix = f"?{target.query}", "next with the whole request", _KEEP
        if "client_id=" in kept and "state=" not in target.query:
            fix = _FROM_A_CACHE
        found = [finding("site.authorize.next_lost", seen, expected, place, advice=(fix,))]
    return answer(found, evidence="302 to the log-in, request kept")


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (
        accounts,
        passwords,
        home,
        login_form,
        test_page,
        integrated_page,
        *site_endpoints.CHECKS,
        authorize,
    )
