"""A user model unlike the usual one: signs in by e-mail, other names of fields, no is_staff."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class Guest(AbstractBaseUser):
    mail = models.EmailField(unique=True)
    nick = models.CharField(max_length=50, unique=True)
    shown_as = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=50, blank=True)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "mail"
    EMAIL_FIELD = "mail"
