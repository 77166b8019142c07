"""The log-in form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """Fields `username` (name or e-mail, or an e-mail alone) and `password`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"label_suffix": "", "prefix": settings.LOGIN_FORM_PREFIX}))
        if settings.LOGIN_BY == "email":
            name = self.fields["username"]
            name.label, name.widget = "E-mail", forms.EmailInput(attrs={"autocomplete": "email"})

    username = forms.CharField(
        label="Логин или e-mail",
        max_length=254,
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "username", "autocapitalize": "none"}
        ),
    )
    password = forms.CharField(
        label="Пароль",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {
        "invalid_login": "Неверный логин или пароль. Проверьте раскладку и регистр букв; если пароль забыт, "
        "попросите администратора сайта задать новый.",
        "inactive": "Эта учётная запись отключена. Попросите администратора сайта включить её.",
    }
