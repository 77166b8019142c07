"""The site's chat is the package of this repository, and no other copy of it."""

from __future__ import annotations

from pathlib import Path

import besedka_chat
from django.apps import apps

from besedka.contract import PROJECT_ROOT


def test_the_site_runs_the_package_of_this_repository() -> None:
    assert Path(besedka_chat.__file__).is_relative_to(PROJECT_ROOT / "packages")
    assert apps.get_app_config("besedka_chat").models_module is None, "a site that adopts it migrates nothing"
