"""Addresses under /o/, for a site without a provider of its own.

What the chat needs and no more: no registration, no token lists, no OpenID.
"""

from __future__ import annotations

from django.urls import path
from oauth2_provider import views

app_name = "oauth2_provider"

urlpatterns = [
    path("authorize/", views.AuthorizationView.as_view(), name="authorize"),
    path("token/", views.TokenView.as_view(), name="token"),
    path("revoke_token/", views.RevokeTokenView.as_view(), name="revoke-token"),
]
