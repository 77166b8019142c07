"""`manage.py check`: what of this site's settings would keep people out of the chat, before anybody tries.

Each message says what was found; its hint is the row to write. Errors mean that no sign-in can work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Warn
from django.http.request import validate_host
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from oauth2_provider.settings import oauth2_settings

from besedka_chat import sites
from besedka_chat.conf import ChatSettings, read

_FRAMES = "django.middleware.clickjacking.XFrameOptionsMiddleware"
# jwcrypto takes no shorter key (jwcrypto/jwa.py, _RawHMAC; RFC 7518, 3.2).
_HS256_BYTES = 32
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
Check = Callable[..., list[CheckMessage]]


def check_settings(**_options: Any) -> list[CheckMessage]:
    """`BESEDKA_CHAT` itself."""
    _, problems = read(getattr(settings, "BESEDKA_CHAT", None))
    hint = "write the row in BESEDKA_CHAT of the settings; the README of besedka-chat has a table of all"
    return [Error(problem, hint=hint, id="besedka_chat.E001") for problem in problems]


def _of_settings(question: Callable[[ChatSettings], Iterator[CheckMessage]]) -> Check:
    """A check that needs right settings, and is silent while they are wrong."""

    def check(**_options: Any) -> list[CheckMessage]:
        chat, problems = read(getattr(settings, "BESEDKA_CHAT", None))
        return [] if problems else list(question(chat))

    check.__doc__ = question.__doc__
    return check


@_of_settings
def check_pkce(chat: ChatSettings) -> Iterator[CheckMessage]:
    """PKCE is not asked of the chat, which cannot do it."""
    wanted = oauth2_settings.PKCE_REQUIRED
    if wanted(chat.client_id) if callable(wanted) else wanted:
        yield Error(
            f"OAUTH2_PROVIDER['PKCE_REQUIRED'] is {wanted!r}: the chat has to send a code_challenge, and "
            " Custom OAuth of Rocket.Chat sends none (invalid_request, Code challenge required)",
            hint="from besedka_chat.pkce import pkce_required; "
            'OAUTH2_PROVIDER = {"PKCE_REQUIRED": pkce_required, ...}: every client but the chat',
            id="besedka_chat.E002",
        )


@_of_settings
def check_provider(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The provider knows the scopes that the chat asks for, and may redirect to it."""
    unknown = sorted(set(chat.scopes) - set(oauth2_settings.SCOPES))
    if unknown:
        yield Error(
            f"OAUTH2_PROVIDER['SCOPES'] lacks {unknown} of BESEDKA_CHAT['SCOPES'] (invalid_scope)",
            hint=f"add {unknown} to OAUTH2_PROVIDER['SCOPES'], or name others in BESEDKA_CHAT['SCOPES']",
            id="besedka_chat.E003",
        )
    scheme = urlsplit(chat.redirect_uri).scheme
    if scheme not in oauth2_settings.ALLOWED_REDIRECT_URI_SCHEMES:
        yield Error(
            f"OAUTH2_PROVIDER['ALLOWED_REDIRECT_URI_SCHEMES'] lacks {scheme!r}: the chat is at "
            f"{chat.redirect_uri}",
            hint=f"add {scheme!r} to OAUTH2_PROVIDER['ALLOWED_REDIRECT_URI_SCHEMES']",
            id="besedka_chat.E004",
        )


@_of_settings
def check_openid(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The scope `openid` brings an ID token along, which names its issuer and is signed."""
    if not oauth2_settings.OIDC_ENABLED or "openid" not in chat.scopes:
        return
    if not oauth2_settings.OIDC_RSA_PRIVATE_KEY and len(chat.client_secret.encode()) < _HS256_BYTES:
        yield Error(
            "without OAUTH2_PROVIDER['OIDC_RSA_PRIVATE_KEY'] the client's secret signs the ID token, "
            f"and it has fewer than {_HS256_BYTES} bytes: the token endpoint answers 500 to the scope openid",
            hint="OIDC_RSA_PRIVATE_KEY, or a longer secret at the site and in the chat",
            id="besedka_chat.E016",
        )
    if oauth2_settings.OIDC_ISS_ENDPOINT:
        return
    try:
        reverse("oauth2_provider:oidc-connect-discovery-info")
    except NoReverseMatch:
        yield Error(
            "OIDC_ENABLED is True, and neither OAUTH2_PROVIDER['OIDC_ISS_ENDPOINT'] nor an address of "
            "oauth2_provider.urls names the issuer: the token endpoint answers 500 to the scope openid",
            hint=f"OAUTH2_PROVIDER = {{'OIDC_ISS_ENDPOINT': '{chat.site_url}/o', ...}}, "
            'or path("o/", include("oauth2_provider.urls"))',
            id="besedka_chat.E015",
        )


@_of_settings
def check_cookies(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The session cookie reaches the site from inside the chat's frame."""
    site = urlsplit(chat.site_url)
    same_site = settings.SESSION_COOKIE_SAMESITE
    if not sites.same_site(chat.site_url, chat.chat_url) and same_site != "None":
        yield Error(
            f"SESSION_COOKIE_SAMESITE is {same_site!r}, and {chat.chat_url} is another site than "
            f"{chat.site_url} to a browser: inside the frame nobody is signed in",
            hint="serve both under one host name or one domain, by one scheme (localhost and 127.0.0.1 are "
            "two); or set SESSION_COOKIE_SAMESITE = 'None' and SESSION_COOKIE_SECURE = True on https",
            id="besedka_chat.E005",
        )
    elif same_site == "Strict":
        yield Warn(
            "SESSION_COOKIE_SAMESITE is 'Strict': who comes by a link of another site is not signed in, "
            "and the chat asks for a log-in",
            hint="SESSION_COOKIE_SAMESITE = 'Lax'",
            id="besedka_chat.W005",
        )
    if same_site == "None" and not settings.SESSION_COOKIE_SECURE:
        yield Error(
            "SESSION_COOKIE_SAMESITE is 'None' without SESSION_COOKIE_SECURE: browsers drop such a cookie",
            hint="SESSION_COOKIE_SECURE = True on https, else SESSION_COOKIE_SAMESITE = 'Lax'",
            id="besedka_chat.E006",
        )
    if site.scheme == "http":
        for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
            if getattr(settings, name):
                yield Error(
                    f"{name} is True, and the site is at {chat.site_url}: the cookie is not sent over http",
                    hint=f"{name} = False, or https in BESEDKA_CHAT['SITE_URL']",
                    id="besedka_chat.E007",
                )


@_of_settings
def check_hosts(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The site answers by the name that the chat is told."""
    host = urlsplit(chat.site_url).hostname or ""
    # As Django itself does while DEBUG is set and no host is named (django/http/request.py, get_host).
    allowed = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    host = f"[{host}]" if ":" in host else host
    if not validate_host(host, allowed):
        yield Error(
            f"ALLOWED_HOSTS is {settings.ALLOWED_HOSTS!r}, without {host!r} of BESEDKA_CHAT['SITE_URL']: the "
            "chat's requests for token and identity are answered with 400",
            hint=f"ALLOWED_HOSTS = [{host!r}, ...], and the name by which the chat's server knows the site",
            id="besedka_chat.E008",
        )


@_of_settings
def check_csrf(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The pages' POST is accepted."""
    site = urlsplit(chat.site_url)
    origin = f"{site.scheme}://{site.netloc}"
    named = origin in settings.CSRF_TRUSTED_ORIGINS or any(
        one.startswith(f"{site.scheme}://*.") and (site.hostname or "").endswith(one.partition("*")[2])
        for one in settings.CSRF_TRUSTED_ORIGINS
    )
    if site.scheme == "https" and not named and not settings.SECURE_PROXY_SSL_HEADER:
        yield Warn(
            f"CSRF_TRUSTED_ORIGINS lacks {origin!r}, and SECURE_PROXY_SSL_HEADER is not set: behind a proxy "
            "that ends TLS each POST is refused (403, Origin checking failed)",
            hint=f"CSRF_TRUSTED_ORIGINS = [{origin!r}]",
            id="besedka_chat.W009",
        )
    if _CSRF not in settings.MIDDLEWARE:
        yield Warn(
            "MIDDLEWARE lacks CsrfViewMiddleware: the site's own forms, the log-in among them, are open to "
            "other sites",
            hint=f"add {_CSRF!r} to MIDDLEWARE",
            id="besedka_chat.W010",
        )


@_of_settings
def check_framing(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The site's log-in and error pages may show inside the chat's frame, which stands in a page of it."""
    if _FRAMES in settings.MIDDLEWARE and settings.X_FRAME_OPTIONS.upper() != "SAMEORIGIN":
        yield Warn(
            f"X_FRAME_OPTIONS is {settings.X_FRAME_OPTIONS!r}: in the chat's frame the site's log-in and "
            "error pages stay white, and nobody sees what is wrong",
            hint="X_FRAME_OPTIONS = 'SAMEORIGIN'",
            id="besedka_chat.W011",
        )


@_of_settings
def check_urls(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The addresses that the chat and its pages ask are there."""
    includes = {
        "besedka_chat:test": 'path("chat/", include("besedka_chat.urls"))',
        "besedka-identity": 'path("api/v1/auth/", include("besedka_chat.identity_urls"))',
        "oauth2_provider:authorize": 'path("o/", include("besedka_chat.oauth_urls"))',
    }
    for name, line in includes.items():
        try:
            reverse(name)
        except NoReverseMatch:
            yield Warn(
                f"no address is called {name!r} in {settings.ROOT_URLCONF}",
                hint=f"add {line} to its urlpatterns",
                id="besedka_chat.W012",
            )


@_of_settings
def check_login(chat: ChatSettings) -> Iterator[CheckMessage]:
    """The page that the chat's pages and authorize send strangers to is there."""
    try:
        page = urlsplit(resolve_url(settings.LOGIN_URL))
        inner = f"/{page.path.removeprefix(get_script_prefix())}" if not page.netloc else ""
        known = not inner or any(map(_is_address, (inner, f"/{settings.LANGUAGE_CODE}{inner}")))
    except NoReverseMatch:
        known, inner = False, "/accounts/login/"
    if not known:
        yield Warn(
            f"LOGIN_URL is {settings.LOGIN_URL!r}, which is no address of {settings.ROOT_URLCONF}: "
            "a visitor who is not signed in meets 404",
            hint=f"add path({inner.lstrip('/')!r}, LoginView.as_view(template_name='admin/login.html')) "
            "to its urlpatterns, or name your log-in page in LOGIN_URL",
            id="besedka_chat.W014",
        )


def _is_address(path: str) -> bool:
    try:
        return bool(resolve(path))
    except Resolver404:
        return False


@_of_settings
def check_people(chat: ChatSettings) -> Iterator[CheckMessage]:
    """Names in the chat are names that Rocket.Chat takes, one a person."""
    model = get_user_model()
    if chat.username_field == model.get_email_field_name():
        yield Warn(
            f"the chat's user names are the e-mail addresses of {model.__name__}: Rocket.Chat takes letters, "
            "figures, '-', '_' and '.' alone (UTF8_User_Names_Validation)",
            hint="BESEDKA_CHAT['USERNAME_FIELD']: a field or property with one such name a person",
            id="besedka_chat.W013",
        )


CHECKS: Iterable[Check] = (
    check_settings,
    check_pkce,
    check_provider,
    check_openid,
    check_cookies,
    check_hosts,
    check_csrf,
    check_framing,
    check_urls,
    check_login,
    check_people,
)
