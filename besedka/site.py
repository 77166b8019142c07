"""The Django side as a browser and as Rocket.Chat's server see it: log-in, OAuth endpoints, pages.

Nothing here follows a redirect unless asked: where an answer points is the very thing to look at.
"""

from __future__ import annotations

from typing import Any, Literal, Self
from urllib.parse import urljoin, urlsplit

import requests

from besedka import address, http, second_ask, spoken, ways
from besedka.adapter import Adapter, AdapterRowError, LoginCall
from besedka.address import origin
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.login_form import HTMX, LoginForm, leads_on

TIMEOUT_SECONDS = 10.0
SentVia = Literal["header", "payload", "default"]


class SignInRefusedError(ServiceUnreachableError):
    """The site's log-in page did not accept the name and password, or is not a log-in page.

    `answer` is what it said, where it was asked.
    """

    exit_status = 30
    answer: requests.Response | None = None


_TOO_MANY = 429
_LIMITED = (
    "The site limits log-ins: raise the limit on a development site (django-allauth: ACCOUNT_RATE_LIMITS)."
)
# Sites whose log-in has taken an address and refused the name before it: nobody is to count many failures.
_BY_ADDRESS: set[str] = set()


class Site:
    """One visitor of the site: keeps cookies, so that a second visitor is a second `Site`.

    Raises ServiceUnreachableError when nobody answers or the certificate is refused.
    """

    def __init__(  # noqa: PLR0913 - one path each
        self,
        url: str,
        *,
        login_path: str = "/accounts/login/",
        authorize_path: str = "/o/authorize/",
        token_path: str = "/o/token/",  # noqa: S107 - a path
        identity_path: str = "/api/v1/auth/rocket/",
        adapter: Adapter | None = None,
        verifier: str = "",
        timeout: float = TIMEOUT_SECONDS,
        patient: bool = False,
    ) -> None:
        self.url = url.rstrip("/")
        self._login = login_path
        self._adapter = adapter or Adapter()
        self._authorize = authorize_path
        self._token = token_path
        self._identity = identity_path
        self._verifier = verifier
        self._timeout = timeout
        self._patient = patient
        self._http = http.session()
        # The answer to the last log-in form.
        self.accepted: requests.Response | None = None
        # What the log-out was answered, and whether it ended the session.
        self.left: requests.Response | None = None
        self.is_out = False

    @classmethod
    def of(cls, contract: Contract, *, timeout: float = TIMEOUT_SECONDS, patient: bool = False) -> Self:
        """A visitor of the contract's site, with the contract's paths."""
        provider = contract.provider
        return cls(
            contract.site.url,
            login_path=contract.site.login_path,
            authorize_path=provider.authorize_path,
            token_path=provider.token_path,
            identity_path=provider.identity_path,
            adapter=contract.site.adapter,
            verifier=ways.verifier(contract.chat.sso),
            timeout=timeout,
            patient=patient,
        )

    @property
    def language(self) -> str:
        """The language of the log-in, where its path begins with one; the site is asked whether it does."""
        return spoken.of_page(self.url, self._login, timeout=self._timeout)

    def is_login(self, target: str) -> bool:
        """Whether that address or path is the log-in, be it in another language."""
        there, own = urlsplit(target).path, address.path(self.url)
        if there == own + self._login:
            return True
        told = there.removeprefix(own)
        ours = spoken.without(self._login, self.language)
        if ours not in {told, spoken.without(told, address.language(told))}:
            return False
        answer = self.get(told)
        return ours == spoken.without(told, spoken.of_answer(told, answer)) and LoginForm.of(answer).found

    def get(self, path: str, *, follow: bool = False, **query: str) -> requests.Response:
        """`GET` a page of the site as this visitor."""
        return self.request("GET", path, params=query, follow=follow)

    def loaded(self, path: str) -> requests.Response:
        """A piece of a page, as htmx asks for it."""
        return self.request("GET", path, headers=HTMX)

    def request(self, verb: str, path: str, *, follow: bool = False, **options: Any) -> requests.Response:
        """Any request of this visitor; `path` may be absolute. `options` are those of `requests`."""
        where = path if urlsplit(path).scheme else self.url + path
        # What has no language in its path, such as authorize, leads to the log-in in the visitor's.
        if self.language:
            self._http.headers.setdefault("Accept-Language", self.language)
        try:
            return second_ask.request(
                self._http,
                verb,
                where,
                timeout=self._timeout,
                again=self._patient and verb == "GET",
                allow_redirects=follow,
                **options,
            )
        except requests.exceptions.SSLError as error:
            raise ServiceUnreachableError(
                f"the certificate of the site was refused: {type(error).__name__}",
                expected="a certificate this machine trusts, for this host name, not expired",
                where=where.partition("?")[0],
                next_step="use http:// on a development machine, or renew the certificate",
            ) from error
        except requests.RequestException as error:
            raise ServiceUnreachableError(
                f"the site did not answer: {http.silence(error)}",
                expected="an HTTP answer",
                where=f"{verb} {where.partition('?')[0]}",
                next_step="The view did not answer in time: read Daphne's log for what it waits for."
                if isinstance(error, requests.ReadTimeout)
                else "is Daphne running on this port? See its log.",
            ) from error

    def sign_in(self, username: str, password: str, *, email: str = "", query: str = "") -> None:
        """Log in through the form, CSRF token included; raises SignInRefusedError if it is refused.

        A form that asks for an address gets `email`; one that refuses the name is tried with it. The password
        may be asked for on a page of its own. With the `query` that a page sends visitors to the log-in with,
        the answer leads back to that page.
        """
        path = f"{self._login}?{query}" if query else self._login
        if self._adapter.login_call:
            self._sign_in_by_call(self._adapter.login_call, username, password, email)
            return
        form, place = self._login_form(path), self.url + path
        named = [name for name in (username, email) if name]
        if email and form.asks_for_email:
            named = [email]
        elif self.url in _BY_ADDRESS:
            named.reverse()
        statuses = []
        for who in named:
            form = form if who == named[0] else self._login_form(path)
            self._csrf_token()
            page, typed = place, {form.name_field: who, form.password_field: password}
            if not form.password_field:
                page, form = self._second_page(form, who, place)
                typed = {form.password_field: password}
            answer = self.accepted = self._send(form, page, typed)
            if leads_on(answer):
                self.is_out = False
                self._expect_session()
                if who != username:
                    _BY_ADDRESS.add(self.url)
                return
            statuses.append(f"{who!r}: POST answered {answer.status_code}")
            if answer.status_code == _TOO_MANY:
                break
        error = SignInRefusedError(
            f"the site refused to sign in {', '.join(statuses)}",
            expected="302 to the next page",
            where=self.url + self._login,
            next_step=_refused(answer, "is the account there, active, and is the password the contract's?"),
        )
        error.answer = answer
        raise error

    def _sign_in_by_call(self, call: LoginCall, username: str, password: str, email: str) -> None:
        """Log in as the page's script does; its answer is a success or an error by its status."""
        self.get(self._login)
        named = email if email and "mail" in call.name.lower() else username
        answer = self.accepted = self._call(call, {call.name: named, call.password: password})
        if not answer.ok:
            error = SignInRefusedError(
                f"the site refused to sign in {named!r}: POST answered {answer.status_code}",
                expected="a success",
                where=f"{self.url}{call.path} ([site.adapter] login_call)",
                next_step=_refused(
                    answer, "is the account there, active, and is the password the contract's?"
                ),
            )
            error.answer = answer
            raise error
        self.is_out = False
        self._expect_session()

    def _call(self, call: LoginCall, told: dict[str, str]) -> requests.Response:
        """JSON with the token of the CSRF cookie in the header that Django reads (CSRF_HEADER_NAME)."""
        headers = {"Referer": self.url + self._login, "Origin": origin(self.url)}
        if token := self._csrf_token():
            headers["X-CSRFToken"] = token
        return self.request("POST", call.path, json=told, headers=headers)

    def send_empty_form(self) -> requests.Response:
        """The answer to the log-in form as a browser sends it, with nothing filled in."""
        if call := self._adapter.login_call:
            self.get(self._login)
            return self._call(call, {call.name: "", call.password: ""})
        form = self._login_form(self._login)
        empty = dict.fromkeys(filter(None, (form.name_field, form.password_field)), "")
        return self._send(form, self.url + self._login, empty)

    def _second_page(self, form: LoginForm, who: str, place: str) -> tuple[str, LoginForm]:
        """Where a log-in that asked for the name alone asks for the password; the address and the form."""
        answer = self._send(form, place, {form.name_field: who}, follow=True)
        second = LoginForm.of(answer)
        if second.password_field:
            return answer.url, second
        raise SignInRefusedError(
            f"the site asked {who!r} for no password: {answer.status_code} at {answer.url.partition('?')[0]}",
            expected="a page with a password",
            where=place.partition("?")[0],
            next_step=_refused(answer, "is the account there, and active?"),
        )

    def _send(
        self, form: LoginForm, page: str, typed: dict[str, str], *, follow: bool = False
    ) -> requests.Response:
        """The form of that page as a browser sends it: with its address and origin, which Django compares."""
        target = urljoin(page, form.action or page)
        headers = {"Referer": page, "Origin": origin(self.url)} | form.headers
        return self.request("POST", target, data=form.hidden | typed, headers=headers, follow=follow)

    def _expect_session(self) -> None:
        """AdapterRowError where a log-in that was accepted brought no cookie of the adapter's name."""
        wanted, held = self._adapter.session_cookie, self.session_cookies()
        if wanted and wanted not in held:
            found = f"the log-in set {', '.join(sorted(held)) or 'no cookie'}"
            raise AdapterRowError("adapter.session_cookie", wanted, found)

    def _csrf_token(self) -> str:
        """The token of the CSRF cookie, by the adapter's name or by any that says so; empty without one."""
        wanted, held = self._adapter.csrf_cookie, self.session_cookies()
        if wanted and wanted not in held:
            found = f"the log-in page set {', '.join(sorted(held)) or 'no cookie'}"
            raise AdapterRowError("adapter.csrf_cookie", wanted, found)
        return held[wanted] if wanted else next((v for n, v in held.items() if "csrf" in n.lower()), "")

    def sign_out(self) -> bool:
        """End this visitor's session; whether the site took the session's cookie back.

        Django's view wants POST with the token of a CSRF cookie; before Django 5 it takes GET, too.
        """
        before, path = self.session_cookies(), self._adapter.logout_path
        headers, form = {"Referer": self.url + path}, {"csrfmiddlewaretoken": self._csrf_token()}
        answer = self.left = self.request("POST", path, data=form, headers=headers)
        if answer.status_code in {403, 404, 405}:
            # A page that asks once more, as django-allauth has, or a view that takes GET alone.
            asking = LoginForm.of(self.get(path)).hidden
            if asking:
                self.request("POST", path, data=asking, headers=headers)
        self.is_out = any(name not in self.session_cookies() for name in before)
        return self.is_out

    def _login_form(self, path: str) -> LoginForm:
        page = self.get(path)
        form = LoginForm.of(page, self.loaded)
        if not form.name_field:
            raise SignInRefusedError(
                f"GET {self._login} answered {page.status_code} without a log-in form",
                expected="a form with a name and a password, or with a name first",
                where=self.url + self._login,
                next_step="open the page in a browser",
            )
        return form

    def session_cookies(self) -> dict[str, str]:
        """Cookies this visitor holds, by name: the session, and what else the site has set."""
        return {cookie.name: cookie.value or "" for cookie in self._http.cookies}

    def authorize(  # noqa: PLR0913, PLR0917 - the parameters of the protocol
        self,
        client_id: str,
        redirect_uri: str,
        scope: str,
        state: str,
        response_type: str = "code",
        follow: bool = False,
    ) -> requests.Response:
        """The authorization request as Rocket.Chat's client builds it; with PKCE in the server-side flow."""
        return self.get(
            self._authorize,
            follow=follow,
            client_id=client_id,
            redirect_uri=redirect_uri,
            response_type=response_type,
            state=state,
            scope=scope,
            **ways.challenge(self._verifier),
        )

    def token(
        self,
        code: str,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        sent_via: SentVia = "header",
    ) -> requests.Response:
        """The code exchange as Rocket.Chat's server does it, without this visitor's cookies."""
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        body |= {"code_verifier": self._verifier} if self._verifier else {}
        if sent_via == "payload":
            body |= {"client_id": client_id, "client_secret": client_secret}
        basic = (client_id.encode(), client_secret.encode()) if sent_via == "header" else None
        return Site(self.url, timeout=self._timeout).request("POST", self._token, data=body, auth=basic)

    def identity(self, token: str | None, sent_via: SentVia = "header") -> requests.Response:
        """The identity endpoint with a bearer token (None: without one), without this visitor's cookies."""
        headers = {"Accept": "application/json"}
        query = {}
        if token is not None and sent_via == "payload":
            query["access_token"] = token
        elif token is not None:
            headers["Authorization"] = f"Bearer {token}"
        anonymous = Site(self.url, timeout=self._timeout)
        return anonymous.request("GET", self._identity, params=query, headers=headers)


def _refused(answer: requests.Response, usual: str) -> str:
    """What a person does about a log-in that came to nothing."""
    return _LIMITED if answer.status_code == _TOO_MANY else usual
