"""The pages in a project below a path; each template a site's own to replace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client, override_settings
from guests.models import Guest

BLOCKS = """{% block page %}{% endblock %}|{% block head %}{% endblock %}|
<b>Verein</b>{% block main %}{% endblock %}"""


@pytest.mark.parametrize("page", ["test", "integrated"])
def test_a_page_asks_only_for_files_that_are_there(visitor: Client, page: str) -> None:
    html = visitor.get(f"/reden/{page}/").content.decode()
    files = re.findall(r'(?:src|href)="/verein/files/([^"]+)"', html)
    assert len(files) == 3
    assert [name for name in files if finders.find(name) is None] == []
    assert 'src="http://chat.site.test/channel/stammtisch?layout=embedded"' in html
    for name in ("auth", "check", "proof", "session"):
        assert f'data-{name}-url="/verein/reden/api/{name}/"' in html


def test_every_module_that_a_script_imports_is_beside_it() -> None:
    folder = Path(finders.find("besedka_chat/js/chat-frame.js")).parent
    imported = {
        name for file in folder.glob("*.js") for name in re.findall(r'from "\./([^"]+)"', file.read_text())
    }
    assert imported
    assert [name for name in imported if not (folder / name).is_file()] == []


def test_who_is_not_signed_in_is_led_to_the_sites_own_log_in(db: None) -> None:
    answer = Client(SERVER_NAME="site.test").get("/reden/test/")
    assert answer["Location"].startswith("/verein/anmelden/?next=")


def test_buttons_are_those_of_the_role(visitor: Client) -> None:
    assert b'data-channel="keller"' in visitor.get("/reden/integrated/").content
    assert b"/group/keller?layout=embedded" in visitor.get("/reden/integrated/?channel=keller").content
    Guest.objects.update(kind="")
    assert b'data-channel="keller"' not in visitor.get("/reden/integrated/").content
    assert visitor.get("/reden/integrated/?channel=keller").status_code == 404


CELLAR = {"name": "keller", "label": "Keller", "private": True, "default": True, "roles": ["wirt"]}
GARDEN = {"name": "garten", "label": "Garten", "roles": ["gast"]}


@pytest.mark.parametrize("page", ["test", "integrated"])
def test_who_may_enter_no_room_is_told_whom_to_ask(visitor: Client, page: str) -> None:
    Guest.objects.update(kind="fremd")
    with override_settings(BESEDKA_CHAT=settings.BESEDKA_CHAT | {"CHANNELS": [CELLAR, GARDEN]}):
        answer = visitor.get(f"/reden/{page}/")
    assert answer.status_code == 200
    assert "«fremd»" in answer.content.decode()
    assert "Попросите\nадминистратора сайта" in answer.content.decode()
    assert "<iframe" not in answer.content.decode()


def test_who_may_not_enter_the_default_room_gets_the_first_that_is_open(visitor: Client) -> None:
    Guest.objects.update(kind="gast")
    with override_settings(BESEDKA_CHAT=settings.BESEDKA_CHAT | {"CHANNELS": [CELLAR, GARDEN]}):
        assert b"/channel/garten?layout=embedded" in visitor.get("/reden/integrated/").content


def test_signing_out_signs_the_chat_out_too(visitor: Client) -> None:
    assert visitor.get("/reden/signed-out/").status_code == 302
    visitor.logout()
    html = visitor.get("/reden/signed-out/").content.decode()
    assert "signed-out.js" in html
    assert 'href="/verein/anmelden/"' in html


@pytest.mark.parametrize("page", ["test", "integrated"])
def test_a_site_puts_its_own_base_in_the_place_of_ours(visitor: Client, tmp_path: Path, page: str) -> None:
    own = tmp_path / "besedka_chat/base.html"
    own.parent.mkdir()
    own.write_text(BLOCKS, encoding="utf-8")
    engine = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [tmp_path],
        "APP_DIRS": True,
    }
    with override_settings(TEMPLATES=[engine]):
        html = visitor.get(f"/reden/{page}/").content.decode()
    assert "<b>Verein</b>" in html
    assert 'id="rocketChatFrame"' in html
    assert "inbox.js" in html


@override_settings(CSRF_COOKIE_NAME="verein_csrf", CSRF_HEADER_NAME="HTTP_X_VEREIN", CSRF_USE_SESSIONS=False)
def test_names_of_cookie_and_header_are_djangos(visitor: Client) -> None:
    html = visitor.get("/reden/integrated/").content.decode()
    assert 'data-csrf-cookie="verein_csrf"' in html
    assert 'data-csrf-header="X-VEREIN"' in html


@override_settings(CSRF_USE_SESSIONS=True)
def test_a_token_that_is_in_no_cookie_is_in_the_page(visitor: Client) -> None:
    html = visitor.get("/reden/integrated/").content.decode()
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    # 503: accepted, but the application is not there.
    assert visitor.post("/reden/api/auth/", HTTP_X_CSRFTOKEN=token).status_code == 503
