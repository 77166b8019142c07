"""Password hashing: Django's PBKDF2, whose cost a test stack may lower."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher


class SitePBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """PBKDF2-SHA256 with Django's own iteration count, unless PASSWORD_ITERATIONS says another.

    Stored passwords name their count, so hashes made with different counts are all verified.
    """

    iterations = settings.PASSWORD_ITERATIONS or PBKDF2PasswordHasher.iterations
