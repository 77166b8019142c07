"""The same addresses, those for people below their language: `/ru/chat/test/`. ROOT_URLCONF of a variant."""

from __future__ import annotations

import accounts.urls
import besedka_chat.identity_urls
import besedka_chat.oauth_urls
import besedka_chat.urls
from django.conf.urls.i18n import i18n_patterns
from django.urls import path
from django.views.generic import RedirectView

from config import urls, views

# What the contract calls a page's address has the language in it, which `i18n_patterns` adds itself.
_OF_PEOPLE = {name: f"/{place.lstrip('/').partition('/')[2]}" for name, place in urls.moved.items()}

urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url=urls.lazy_static("img/favicon.svg"))),
    urls.below("o/", besedka_chat.oauth_urls),
    path(urls.moved.get("status", "/api/v1/status/").lstrip("/"), views.status, name="status"),
    urls.below("api/v1/auth/", besedka_chat.identity_urls),
    *i18n_patterns(
        urls.below("accounts/", accounts.urls, _OF_PEOPLE),
        urls.below("chat/", besedka_chat.urls, _OF_PEOPLE),
        path("", views.home, name="home"),
    ),
]

handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
