"""Addresses under /api/v1/auth/."""

from __future__ import annotations

from django.urls import path

from provider.identity import identity

urlpatterns = [path("rocket/", identity, name="identity")]
