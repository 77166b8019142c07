"""Authentication by username or e-mail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class UsernameOrEmailBackend(ModelBackend):
    """Takes what the visitor typed as a username, or as an e-mail where it contains `@`; ignores case.

    Who is switched off is known by the right password, and refused by the log-in form, which says why
    (`AuthenticationForm.confirm_login_allowed`). An open session ends at once (`get_user`).
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_extra: Any,
    ) -> User | None:
        if not username or password is None:
            return None
        user = None
        if settings.LOGIN_BY != "email":
            user = User.objects.filter(username__iexact=username).first()
        if user is None and "@" in username:
            user = User.objects.filter(email__iexact=username).first()
        if user is None:
            # The same work as for a known name, so that the time taken does not tell which names exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) else None
