"""All addresses of the site."""

from __future__ import annotations

from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from config import views

lazy_static = lazy(static, str)

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", RedirectView.as_view(url=lazy_static("img/favicon.svg"))),
    path("accounts/", include("accounts.urls")),
    path("o/", include("besedka_chat.oauth_urls")),
    path("api/v1/status/", views.status, name="status"),
    path("api/v1/auth/", include("besedka_chat.identity_urls")),
    path("chat/", include("besedka_chat.urls")),
]

handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
