"""Faults of Django's own settings: the site is started again with others, as after an upgrade."""

from __future__ import annotations

from faults.fault import Fault

_HASHERS = "django.contrib.auth.hashers"
_BACKENDS = "django.contrib.auth.backends"


def _told(name: str, cause: str, /, **settings: object) -> Fault:
    return Fault(name, cause, lambda one: one.site_told(**settings))


FAULTS = (
    _told(
        "site_forgets_how_it_hashed",
        "sso.user.hasher",
        PASSWORD_HASHERS=[f"{_HASHERS}.ScryptPasswordHasher"],
    ),
    _told(
        "site_asks_a_proxy_who_it_is",
        "sso.user.backend",
        AUTHENTICATION_BACKENDS=[f"{_BACKENDS}.RemoteUserBackend"],
    ),
)
