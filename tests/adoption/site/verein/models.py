"""Members who sign in by e-mail, and the record of the chat as an OAuth client."""

import uuid

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from oauth2_provider.models import AbstractApplication


class Hasher(PBKDF2PasswordHasher):
    """Django's own, quick enough for tests."""

    iterations = 1000


class Mitglied(AbstractBaseUser):
    """A member. The chat knows them by their short name."""

    nummer = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    kuerzel = models.CharField(max_length=60, unique=True)
    anzeigename = models.CharField(max_length=120)
    funktion = models.CharField(max_length=1, default="M")

    objects = BaseUserManager()
    USERNAME_FIELD = "email"

    class Meta:
        db_table = "gv25_Mitglieder"


class Anwendung(AbstractApplication):
    """An OAuth client."""

    class Meta:
        db_table = "gv25_anwendung"
