"""The user of the site."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models.functions import Lower

COMMON_ROLE = "user"
# A role is any word; these are shown by another one.
_ROLE_NAMES = {
    "owner": "Владелец",
    "moderator": "Модератор",
    "store_owner": "Владелец магазина",
    "store_admin": "Администратор магазина",
    COMMON_ROLE: "Пользователь",
}


class User(AbstractBaseUser, PermissionsMixin):
    """Signs in by username or e-mail.

    Both are unique whatever the case: Rocket.Chat finds an account to merge with by either, ignoring case
    (apps/meteor/app/custom-oauth/server/custom_oauth_server.js), so `Owner` and `owner` would share one.
    """

    username = models.CharField(
        "логин",
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
    )
    email = models.EmailField("e-mail", blank=True, default="")
    full_name = models.CharField("полное имя", max_length=200, blank=True, default="")
    role = models.CharField("роль", max_length=100, default=COMMON_ROLE)
    is_staff = models.BooleanField("сотрудник", default=False)
    is_active = models.BooleanField("активен", default=True)
    date_joined = models.DateTimeField("зарегистрирован", auto_now_add=True)

    objects = UserManager["User"]()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = "пользователь"
        verbose_name_plural = "пользователи"
        constraints = [
            models.UniqueConstraint(Lower("username"), name="accounts_user_username_ci"),
            models.UniqueConstraint(
                Lower("email"), name="accounts_user_email_ci", condition=~models.Q(email="")
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        """Name to show: the full name, or the username where there is none."""
        return self.full_name or self.username

    @property
    def role_name(self) -> str:
        """The role as people read it; it decides chat groups and channels."""
        return _ROLE_NAMES.get(self.role, self.role)
