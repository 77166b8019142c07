"""Faults of Django's own settings: the site is started again with others, as after an upgrade."""

from __future__ import annotations

from faults import names
from faults.fault import Fault

# Of a password that is none of the contract's.
_ARGON2 = "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0c2FsdA$T0pwdUy1m5k1Dx8m2m1nI1kK2z4e3L9y"
_HASHERS = "django.contrib.auth.hashers"
_BACKENDS = "django.contrib.auth.backends"


def _told(name: str, cause: str, /, **settings: object) -> Fault:
    return Fault(name, cause, lambda one: one.site_told(**settings))


FAULTS = (
    Fault(
        "site_password_that_nobody_here_reckons",
        "sso.user.hasher",
        lambda one: one.column("accounts_user", ("username", names.PLAIN.username), "password", _ARGON2),
    ),
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
