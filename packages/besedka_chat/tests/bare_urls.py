from __future__ import annotations

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("anmelden/", lambda request: HttpResponse("Anmelden")),
    path("reden/", include("besedka_chat.urls")),
    path("wer/", include("besedka_chat.identity_urls")),
    path("oauth/", include("besedka_chat.oauth_urls")),
]
