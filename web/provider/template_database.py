"""A ready-made empty SQLite database, so that a fresh stack need not run every migration again."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from django.apps import apps
from django.db import connection


def migration_fingerprint() -> int:
    """Fold the text of all migration files into a positive 31-bit number (what `user_version` can hold)."""
    digest = hashlib.sha256()
    for config in apps.get_app_configs():
        for file in sorted(Path(config.path, "migrations").glob("*.py")):
            digest.update(f"{config.label}/{file.name}\n".encode())
            digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:4], "big") & 0x7FFF_FFFF


def fresh_sqlite_path() -> Path | None:
    """Path of the site's SQLite file if it has still to be made, else None (also for other databases)."""
    if connection.vendor != "sqlite":
        return None
    name = str(connection.settings_dict["NAME"])
    path = Path(name)
    if name == ":memory:" or (path.exists() and path.stat().st_size):
        return None
    return path


def copy_template(template: Path, target: Path) -> bool:
    """Copy the template to `target` if it was made from today's migrations; tell whether it was."""
    try:
        with closing(sqlite3.connect(f"{template.absolute().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error:
        return False
    if found != migration_fingerprint():
        return False
    shutil.copyfile(template, target)
    return True


def save_template(template: Path) -> None:
    """Save the site's migrated and still empty database; atomic, so that two stacks may do it at once."""
    template.parent.mkdir(parents=True, exist_ok=True)
    draft = template.with_name(f"{template.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(draft)])
    with closing(sqlite3.connect(draft)) as database:
        database.execute(f"PRAGMA user_version = {migration_fingerprint()}")
        database.commit()
    draft.replace(template)
