"""No secret survives in evidence."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besedka.scrub import MASK, Scrubber

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
        "Cookie: of_any_name=tok-en; other=1",
        "set-cookie: sessionid=tok-en; Path=/",
        "next=%2Fo%3Fa%26state=tok-en",
        "next=%2Fo%2Fauthorize%2F%3Fscope%3Dread%26state%3Dtok-en%26more%3D1",
        "next=%252Fo%252F%253Fa%253D1%2526state%253Dtok-en%2526more%253D1",
        "/login?a=1&amp;state=tok-en&amp;b",
        r"/login?a=1\u0026state=tok-en\u0026b",
        "Authorization: Bearer tok-en-of-somebody",
        "postgres://root:tok-en/with@strange#marks@db.test/site",
        "http://root:tok-en@db.test/",
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


@pytest.mark.parametrize(
    "stored",
    [
        f"$2b$10${'aB./x' * 10}abc",
        "pbkdf2_sha256$1000000$salt$aGFzaA==",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA",
    ],
)
def test_a_stored_password_is_no_reading(stored: str) -> None:
    assert SCRUBBER.text(f'{{"user":{{"services":{{"password":"{stored}"}}}}}}, {stored}.').count("***") == 2
    assert stored not in SCRUBBER.text(f"answer {stored}")


@settings(max_examples=40, deadline=None)
@given(
    # What is printable in Python: no control characters, and of the separators the blank alone.
    st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=8, max_size=24).map(
        lambda text: f"a{text}z"
    ),
    st.text(max_size=5),
)
def test_a_known_secret_is_found_in_every_encoding(secret: str, before: str) -> None:
    scrubber = Scrubber([secret])
    quoted = quote(secret, safe="")
    encodings = {
        "as it is": secret,
        "percent": quoted,
        "percent, small letters": re.sub("%..", lambda code: code[0].lower(), quoted),
        "percent twice": quote(quoted, safe=""),
        "form": quote_plus(secret),
        "JSON": json.dumps(secret)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(secret)[1:-1])[1:-1],
        "JSON as UTF-8": json.dumps(secret, ensure_ascii=False)[1:-1],
        "HTML": html.escape(secret),
        "SHA-256": hashlib.sha256(secret.encode()).hexdigest(),
    }
    for name, form in encodings.items():
        assert scrubber.text(f"<{form}>") == "<***>", name
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        basic = encode(f"{before}:{secret}".encode()).decode()
        assert MASK in scrubber.text(basic)


def test_each_cookie_that_an_archive_names_is_a_secret_whatever_its_name(tmp_path: Path) -> None:
    archive = tmp_path / "trace.zip"
    row = {"request": {"cookies": [{"name": "sessionid", "value": "abc]12345"}]}, "response": {}}
    with zipfile.ZipFile(archive, "w") as trace:
        trace.writestr("0.network", json.dumps({"type": "resource-snapshot", "snapshot": row}))
        trace.writestr("resources/page.html", "the session is abc]12345, the language ru")

    SCRUBBER.zip_file(archive)

    with zipfile.ZipFile(archive) as trace:
        assert b"12345" not in trace.read("0.network")
        assert trace.read("resources/page.html") == b"the session is ***, the language ru"


def test_an_address_keeps_what_is_no_secret() -> None:
    url = SCRUBBER.url("http://127.0.0.1:1/_oauth/besedka?code=abc&layout=embedded")

    assert url == "http://127.0.0.1:1/_oauth/besedka?code=***&layout=embedded"


def test_an_archive_is_rewritten_and_its_images_are_not(tmp_path: Path) -> None:
    archive = tmp_path / "trace.zip"
    with zipfile.ZipFile(archive, "w") as trace:
        trace.writestr("trace.trace", '{"resume":"tok-en"} owner123secure')
        trace.writestr("page.jpeg", b"owner123secure")

    SCRUBBER.zip_file(archive)

    with zipfile.ZipFile(archive) as trace:
        assert trace.read("trace.trace") == b'{"resume":"***"} ***'
        assert trace.read("page.jpeg") == b"owner123secure"
    assert list(tmp_path.iterdir()) == [archive]
