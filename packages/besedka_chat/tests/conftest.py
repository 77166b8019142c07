"""Django with the bare project's settings, on a database in memory; each test in a transaction of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ["DJANGO_SETTINGS_MODULE"] = "bare_settings"
import django

django.setup()
from django.db import connection  # noqa: E402
from django.test import Client, TransactionTestCase, utils  # noqa: E402
from guests.models import Guest  # noqa: E402


@pytest.fixture(scope="session")
def _database() -> Iterator[None]:
    utils.setup_test_environment()
    connection.creation.create_test_db(verbosity=0, serialize=False)
    yield
    connection.creation.destroy_test_db("", verbosity=0)
    utils.teardown_test_environment()


@pytest.fixture
def db(_database: None) -> Iterator[None]:
    """Real commits, emptied afterwards: a test's own transaction would hide what ATOMIC_REQUESTS does."""
    yield
    TransactionTestCase("run")._fixture_teardown()


@pytest.fixture
def olga(db: None) -> Guest:
    return Guest.objects.create(mail="olga@example.org", nick="olga", shown_as="Olga O.", kind="wirt")


@pytest.fixture
def visitor(olga: Guest) -> Client:
    """Olga's browser, signed in, that is held to CSRF."""
    client = Client(enforce_csrf_checks=True, SERVER_NAME="site.test")
    client.force_login(olga)
    return client
