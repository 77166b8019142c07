"""Layer `sso`, the first hop: a user signs in to the site, and a browser keeps the session."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from besedka.checks import bursts, patience
from besedka.checks.check import Check, check
from besedka.checks.examination import SERVER_SECONDS, Examination
from besedka.checks.finding import Answer, Finding, Findings, Severity, Skipped, answer, finding
from besedka.checks.login_page import cookie_findings, said
from besedka.checks.page_document import clears
from besedka.checks.remembered import FIX
from besedka.checks.visitor import Visitor
from besedka.checks.visitors import may_sign_in, visitor
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError, StackStartError
from besedka.login_form import LoginForm
from besedka.site import SignInRefusedError, Site
from besedka.site_database import verified

# Of two processes that take turns, or are drawn, the right one is missed once in sixty times.
_TRIES = 6
_LIMITED = 429
_CAPTCHA = re.compile(r"captcha|cf-turnstile", re.IGNORECASE)
_BY_STATUS = {
    400: "malformed",
    401: "filtered",
    403: "filtered",
    405: "stopped",
    411: "stopped",
    413: "stopped",
    423: "filtered",
    429: "limited",
    501: "stopped",
}
_ADVICE = {
    "stopped": (
        "Something refuses the form before the site sees it. 405 and 501: a proxy for reading alone "
        "(limit_except), so let POST pass. 411 and 413: its limit of bodies (client_max_body_size).",
    ),
    "malformed": (
        "The site refuses the form before it looks at name and password: DATA_UPLOAD_MAX_MEMORY_SIZE, "
        "DATA_UPLOAD_MAX_NUMBER_FIELDS or a firewall. Daphne's log says which.",
    ),
    "filtered": (
        "Something refuses everybody's log-in: a firewall, a list of addresses, or a lock after failures "
        "(django-axes: python manage.py axes_reset).",
    ),
    "limited": ("The site limits log-ins from one address: wait, or raise its limit for this machine.",),
    "failing": ("Read Daphne's log: the log-in view fails for this user; is the database whole?",),
}


@check(
    "sso.user",
    codes="unwritable flickers refused hasher backend malformed filtered stopped limited failing clears slow"
    " elsewhere foreign_cookie secure_cookie short_cookie path_cookie prefix_cookie large_cookie"
    " shared_cookie",
    needs=["services.site"],
    after=["services.chat", "site.login_form", "site.csrf"],
)
def user(examination: Examination) -> Answer:
    """Can a temporary or canonical user sign in to the site, and does a browser keep the session?"""
    if not may_sign_in(examination):
        return Skipped("nothing may be written here, so no temporary user signs in (--write)")
    try:
        made = visitor(examination)
    except StackStartError as error:
        return Findings((_unwritable(error),))
    query = _asked_back(examination)
    try:
        made.site.sign_in(made.username, made.password, email=made.email, query=query)
    except SignInRefusedError as error:
        if _asks_for_a_person(error) and verified(made.password, _stored(examination).get(made.username, "")):
            return Skipped("the log-in asks whether a person types it (captcha): no hop can be walked")
        why = _now_and_then(examination, made, error) or _by_its_hash(examination, made, error)
        return Findings((why or _refusal(error),))
    response = made.site.accepted
    found = _hashed_otherwise(examination, made) if made.temporary else []
    if found:
        return Findings(tuple(found))
    if response is not None:
        place = f"POST {response.url.partition('?')[0]}"
        found = cookie_findings("sso.user", examination, response) or clears("sso.user", response, place)
        found = found or (_elsewhere(examination, response, place) if query else [])
        found = found or patience.late("sso.user", _seconds(examination, made, response), place)
    return answer(found, evidence=made.username)


def _asked_back(examination: Examination) -> str:
    """The query that the test page sends a stranger to the log-in with; empty where it names no way back."""
    site = examination.contract.site
    with suppress(ServiceUnreachableError):
        response = examination.site.get(site.test_page)
        target = urlsplit(response.headers.get("Location", ""))
        back = [urlsplit(value).path for values in parse_qs(target.query).values() for value in values]
        asks = response.is_redirect and examination.site.is_login(target.path)
        return target.query if asks and site.below(site.test_page) in back else ""
    return ""


def _elsewhere(examination: Examination, response: requests.Response, place: str) -> list[Finding]:
    """The log-in leads somewhere else than back to the page that asked for it."""
    site = examination.contract.site
    wanted, led = site.below(site.test_page), urljoin(response.url, response.headers.get("Location", ""))
    if not response.is_redirect or urlsplit(led).path.rstrip("/") == wanted.rstrip("/"):
        return []
    fix = (
        "The log-in forgets `next`. Does a proxy lose the query of its address? If not: the form must keep "
        "it, in its action or in a hidden field, and the view must follow it (LoginView of Django does)."
    )
    code, seen = "sso.user.elsewhere", f"asked for {wanted}, the log-in leads to {led.partition('?')[0]}"
    return [finding(code, seen, f"302 to {wanted}", place, advice=(fix,), severity=Severity.RISK)]


def _seconds(examination: Examination, made: Visitor, response: requests.Response) -> float:
    """How long the log-in took, the shorter of two where it was late."""
    first = response.elapsed.total_seconds()
    if first <= patience.SLOW_SECONDS:
        return first
    again = Site.of(examination.contract, timeout=SERVER_SECONDS)
    again.sign_in(made.username, made.password, email=made.email)
    return min(first, again.accepted.elapsed.total_seconds()) if again.accepted is not None else first


def _asks_for_a_person(error: SignInRefusedError) -> bool:
    """Whether the form that is shown again has a question for people alone: these pass, and we do not."""
    shown = error.answer
    return shown is not None and shown.status_code == requests.codes.ok and bool(_CAPTCHA.search(shown.text))


def _now_and_then(examination: Examination, made: Visitor, error: SignInRefusedError) -> Finding | None:
    """The same log-in is taken at another time: by another process, which has the session of its form."""
    status = error.answer.status_code if error.answer is not None else _LIMITED
    # A form shown again counts as a failure, and a few of them may lock the name.
    times = 0 if status in {requests.codes.ok, _LIMITED} else _TRIES

    def taken() -> bool:
        again = Site.of(examination.contract, timeout=SERVER_SECONDS)
        try:
            again.sign_in(made.username, made.password, email=made.email)
        except SignInRefusedError:
            return False
        with suppress(ServiceUnreachableError):
            again.sign_out()
        return True

    number = bursts.once_taken(taken, times)
    if not number:
        return None
    seen = f"{number} log-ins are refused ({status}), and the next one is taken"
    return finding("sso.user.flickers", seen, "a session at each log-in", error.where, advice=FIX)


def _unwritable(error: StackStartError) -> Finding:
    """No temporary user could be made: the last line of the traceback says why."""
    lines = [line.strip() for line in error.found.splitlines() if line.strip()]
    fix = (
        "The site's database takes no new row: it is locked by another program, read-only, or its disk is "
        "full. See DATABASE_URL of the site, and who holds the database."
    )
    place, expected = "manage.py ensure_users", "a temporary user"
    return finding("sso.user.unwritable", lines[-1][:200], expected, place, advice=(fix,))


def _by_its_hash(examination: Examination, made: Visitor, error: SignInRefusedError) -> Finding | None:
    """Django answers "wrong password" to a right one whose algorithm it is not told of (auth/hashers.py)."""
    shown = error.answer
    if shown is None or shown.status_code != 200 or not LoginForm.of(shown).found:
        return None
    encoded = _stored(examination).get(made.username.lower(), "")
    if not verified(made.password, encoded):
        return _unproven(made, encoded, error)
    algorithm = encoded.partition("$")[0]
    seen = f"{made.username} is refused, and the stored password is the right one ({algorithm})"
    if made.temporary:
        # The site has hashed it itself a moment ago.
        fix = (
            "Does AUTHENTICATION_BACKENDS of the site name a backend that looks into this database "
            "(django.contrib.auth.backends.ModelBackend)? Does the form ask for more than a password?"
        )
        return finding("sso.user.backend", seen, "a session", error.where, advice=(fix,))
    return _unhashed(seen, algorithm, error.where)


def _unproven(made: Visitor, encoded: str, error: SignInRefusedError) -> Finding | None:
    """The password may be a wrong one, or of an algorithm that the site is not told of."""
    if made.temporary or not encoded or verified(made.password, encoded) is False:
        return None
    algorithm = encoded.partition("$")[0]
    seen = f"{made.username} is refused: that password is {algorithm}"
    return _unhashed(seen, algorithm, error.where, proven=False)


def _unhashed(seen: str, algorithm: str, where: str, *, proven: bool = True) -> Finding:
    """`proven`: the password is the right one; a hash that cannot be reckoned here leaves two reasons."""
    fix = (
        f"Name a hasher of {algorithm} in PASSWORD_HASHERS of the site; if one is there: does "
        "AUTHENTICATION_BACKENDS look into this database, and does the form ask for more?"
    )
    if not proven:
        fix = (
            f"The password in besedka.toml is wrong, or PASSWORD_HASHERS of the site lacks {algorithm}. "
            "That cannot be told from here: set the password anew, or name its hasher."
        )
    return finding("sso.user.hasher", seen, "a session", where, advice=(fix,))


def _stored(examination: Examination) -> dict[str, str]:
    """Username in small letters → the encoded password of an active account, as it is now."""
    with suppress(ServiceUnreachableError):
        if examination.target.site_database_url:
            users = examination.site_database.users()
            return {user.username.lower(): user.password for user in users if user.is_active is not False}
    return {}


def _hashed_otherwise(examination: Examination, made: Visitor) -> list[Finding]:
    """A new user signs in; one canonical user of each other hash algorithm tries it, too.

    A list of hashers that lacks the old ones lets only new users in.
    """
    stored = _stored(examination)
    known = {stored.get(made.username.lower(), "").partition("$")[0]}
    for user in examination.contract.users:
        encoded = stored.get(user.username.lower(), "")
        algorithm = encoded.partition("$")[0]
        if not encoded or algorithm in known or verified(user.secret, encoded) is False:
            continue
        known.add(algorithm)
        proven = verified(user.secret, encoded) is True
        site = Site.of(examination.contract, timeout=SERVER_SECONDS)
        try:
            site.sign_in(user.username, user.secret, email=user.email)
        except SignInRefusedError as error:
            if error.answer is not None and error.answer.status_code == 200:
                seen = f"new users sign in, and {user.username} is refused: that password is {algorithm}"
                return [_unhashed(seen, algorithm, error.where, proven=proven)]
        else:
            with suppress(ServiceUnreachableError):
                site.sign_out()
    return []


def _refusal(error: SignInRefusedError) -> Finding:
    """What kept the user out: the name and password, or something before they were looked at."""
    status = error.answer.status_code if error.answer is not None else 0
    code = "failing" if status >= 500 else _BY_STATUS.get(status, "refused")
    seen = (
        error.found if code == "refused" or error.answer is None else f"{error.found}: {said(error.answer)}"
    )
    advice = _ADVICE.get(code, (error.next_step,))
    return finding(f"sso.user.{code}", seen, "a session", error.where, advice=advice)


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (user,)
