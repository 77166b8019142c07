"""The identity address: `path("api/v1/auth/", include("besedka_chat.identity_urls"))`."""

from __future__ import annotations

from django.urls import path

from besedka_chat.identity import identity

urlpatterns = [path("rocket/", identity, name="besedka-identity")]
