"""All addresses of the site: its own, or those that SITE_PATHS names for a page."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import accounts.urls
import besedka_chat.identity_urls
import besedka_chat.oauth_urls
import besedka_chat.urls
from django.conf import settings
from django.templatetags.static import static
from django.urls import URLResolver, include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from config import views

lazy_static = lazy(static, str)
moved: dict[str, str] = settings.BESEDKA.paths


def below(prefix: str, pages: ModuleType, moved: Mapping[str, str] = moved) -> URLResolver:
    """The module's pages below the prefix, but for those that have an address of their own."""
    patterns = [
        path(moved.get(page.name, f"/{prefix}{page.pattern}").lstrip("/"), page.callback, name=page.name)
        # An address that somebody named for a page wins over a page that has it from us.
        for page in sorted(pages.urlpatterns, key=lambda page: page.name not in moved)
    ]
    name = getattr(pages, "app_name", None)
    return path("", include((patterns, name) if name else patterns))


urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url=lazy_static("img/favicon.svg"))),
    below("accounts/", accounts.urls),
    below("o/", besedka_chat.oauth_urls),
    path(moved.get("status", "/api/v1/status/").lstrip("/"), views.status, name="status"),
    below("api/v1/auth/", besedka_chat.identity_urls),
    below("chat/", besedka_chat.urls),
    path("", views.home, name="home"),
]

handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
