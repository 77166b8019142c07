"""No secret survives in evidence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from besedka.scrub import Scrubber

SCRUBBER = Scrubber(["owner123secure", "s/lash"])


@pytest.mark.parametrize(
    "text",
    [
        "password is owner123secure.",
        "username=owner&password=anything&next=/",
        "POST s%2Flash",
        '{"authToken":"tok-en"}',
        '{"message":"{\\"token\\":\\"tok-en\\"}"}',
        '{"name":"X-Auth-Token","value":"tok-en"}',
        "Cookie: besedka_session=tok-en; other=1",
        "/_oauth/besedka?code=tok-en&state=abc",
        "next=%2Fo%3Fa%26code=tok-en",
        "?resumeToken=tok-en",
    ],
)
def test_a_text_loses_its_secrets(text: str) -> None:
    scrubbed = SCRUBBER.text(text)

    for secret in ("owner123secure", "anything", "s%2Flash", "tok-en"):
        assert secret not in scrubbed
    assert "***" in scrubbed


def test_an_address_keeps_what_is_no_secret() -> None:
    url = SCRUBBER.url("http://127.0.0.1:1/_oauth/besedka?code=abc&layout=embedded")

    assert url == "http://127.0.0.1:1/_oauth/besedka?code=***&layout=embedded"


def test_an_archive_is_rewritten_and_its_images_are_not(tmp_path: Path) -> None:
    archive = tmp_path / "trace.zip"
    with zipfile.ZipFile(archive, "w") as trace:
        trace.writestr("trace.network", '{"resume":"tok-en"} owner123secure')
        trace.writestr("page.jpeg", b"owner123secure")

    SCRUBBER.zip_file(archive)

    with zipfile.ZipFile(archive) as trace:
        assert trace.read("trace.network") == b'{"resume":"***"} ***'
        assert trace.read("page.jpeg") == b"owner123secure"
    assert list(tmp_path.iterdir()) == [archive]
