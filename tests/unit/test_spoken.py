"""The language of a page: what the site says of it, not the two letters at the head of its path."""

from __future__ import annotations

import pytest
import requests

from besedka import contract as contracts
from besedka import spoken
from besedka.site import Site
from tests.unit.checks.test_services import server

FORM = '<form method="post"><input name="who"><input type="password" name="word"></form>'


@pytest.mark.parametrize(
    ("path", "header", "page", "language"),
    [
        ("/de/login/", "de", "", "de"),
        ("/de/login/", "de-AT, en", "", "de"),
        ("/pt-br/login/", "", "<!doctype html><html class=a lang='pt-BR'>", "pt-br"),
        ("/my/login/", "ru", "", ""),
        ("/id/login/", "en-us", "<html lang=id>", ""),
        ("/is/login/", "", '<html lang="ru">', ""),
        ("/de/login/", "", "<html><body>", "de"),
        ("/login/", "de", "<html lang=de>", ""),
    ],
)
def test_the_sites_own_answer_decides(path: str, header: str, page: str, language: str) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = 200, page.encode()
    answer.headers.update({"Content-Language": header} if header else {})

    assert spoken.of_answer(path, answer) == language


@pytest.mark.parametrize(
    ("login", "target", "same"),
    [
        ("/de/login/", "/de/login/?next=/x", True),
        ("/de/login/", "/en/login/", True),
        ("/de/login/", "/login/", True),
        ("/login/", "/en/login/", True),
        ("/my/login/", "/login/", False),
        ("/login/", "/en/other/", False),
        ("/de/login/", "/en/empty/", False),
    ],
)
def test_a_log_in_is_one_in_every_language(login: str, target: str, same: bool) -> None:
    plain = contracts.load(overlays=())
    pages = {"/de/login/": "de", "/en/login/": "en", "/login/": "ru", "/my/login/": "ru"}
    shown = {path: (200, "text/html", f"<html lang={one}>{FORM}") for path, one in pages.items()}
    with server(shown | {"/en/empty/": (200, "text/html", "<html lang=en>")}) as url:
        moved = plain.at(site_url=url, chat_url=plain.chat.url)
        site = moved.site.model_copy(update={"login_path": login})

        assert Site.of(moved.model_copy(update={"site": site})).is_login(target) is same
