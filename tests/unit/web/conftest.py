"""Django inside the pytest process: told by environment as the real site is, on an in-memory database."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[3] / "web"
CHANNELS = [
    {"name": "lobby", "label": "Общий", "private": False, "default": True, "roles": None},
    {"name": "attic", "label": "VIP", "private": True, "default": False, "roles": ["owner"]},
]
ENVIRONMENT = {
    "DJANGO_SECRET_KEY": "only for these tests",
    "SITE_URL": "http://127.0.0.1:8301",
    "CHAT_URL": "http://127.0.0.1:3301",
    "OAUTH_CLIENT_ID": "unit-client",
    "OAUTH_CLIENT_SECRET": "unit-secret",
    "CHAT_CHANNELS": json.dumps(CHANNELS),
    "CHAT_GROUPS": json.dumps({"owner": "admin,vip", "user": "user"}),
    "DATABASE_URL": "sqlite://:memory:",
    "PASSWORD_ITERATIONS": "1",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}

# The test modules import from web/, so both must stand before pytest collects them. What belongs to the
# site's environment alone is taken back at once: other tests start processes with os.environ.
sys.path.insert(0, str(WEB))
_before = {name: os.environ.get(name) for name in ENVIRONMENT}
os.environ.update(ENVIRONMENT)
import django  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import utils  # noqa: E402

# The logs of this process are pytest's affair.
settings.LOGGING_CONFIG = None
django.setup()
for _name, _value in _before.items():
    if _value is None:
        del os.environ[_name]
    else:
        os.environ[_name] = _value


@pytest.fixture(scope="session")
def _database() -> Iterator[None]:
    # A browser that an earlier test has left open has its event loop in this very thread.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        utils.setup_test_environment()
        connection.creation.create_test_db(verbosity=0, serialize=False)
        yield
        connection.creation.destroy_test_db("", verbosity=0)
        utils.teardown_test_environment()


@pytest.fixture
def db(_database: None) -> Iterator[None]:
    """A migrated database; what the test writes is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def environment() -> dict[str, str]:
    """A complete environment, to be spoilt by the test."""
    return dict(ENVIRONMENT)
