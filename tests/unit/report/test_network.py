"""What is kept of the browsers' network: statuses and kinds, no bodies, no secrets, no messages."""

from __future__ import annotations

import json

import pytest

from besedka.scrub import Scrubber
from fixtures.network import said, without_secrets

SECRETS = ("session-cookie", "the-code", "the-token", "the-password", "the-state")
ARCHIVE = {
    "log": {
        "entries": [
            {
                "request": {
                    "url": "http://chat.test/_oauth/besedka?code=the-code&state=the-state",
                    "cookies": [{"name": "sessionid", "value": "session-cookie"}],
                    "headers": [
                        {"name": "Cookie", "value": "sessionid=session-cookie"},
                        {"name": "X-Auth-Token", "value": "the-token"},
                        {"name": "Referer", "value": "http://site.test/?code=the-code"},
                    ],
                    "queryString": [
                        {"name": "code", "value": "the-code"},
                        {"name": "layout", "value": "embedded"},
                    ],
                    "postData": {"text": "password=the-password"},
                },
                "response": {
                    "status": 302,
                    "cookies": [],
                    "headers": [{"name": "Location", "value": "/home?token=the-token"}],
                    "content": {"size": 3, "text": "the-password and session-cookie"},
                },
                "_webSocketMessages": [{"data": "the-token"}],
            }
        ]
    }
}


def test_an_archive_keeps_the_hops_and_loses_secrets_and_bodies() -> None:
    archive = without_secrets(json.loads(json.dumps(ARCHIVE)), Scrubber())

    text = json.dumps(archive)
    assert [secret for secret in SECRETS if secret in text] == []
    entry = archive["log"]["entries"][0]
    assert entry["response"]["status"] == 302
    assert entry["request"]["url"] == "http://chat.test/_oauth/besedka?code=***&state=***"
    assert entry["request"]["queryString"][1] == {"name": "layout", "value": "embedded"}
    assert "text" not in entry["response"]["content"]


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        ('{"msg":"connect","version":"1"}', ["connect"]),
        (
            '{"msg":"method","method":"sendMessage","id":"4","params":[{"msg":"hello"}]}',
            ["method sendMessage 4"],
        ),
        (
            '["{\\"msg\\":\\"sub\\",\\"id\\":\\"a\\",\\"name\\":\\"stream-notify-user\\"}"]',
            ["sub stream-notify-user a"],
        ),
        ('a["{\\"msg\\":\\"ready\\",\\"subs\\":[\\"a\\",\\"b\\"]}"]', ["ready a, b"]),
        (
            '{"msg":"result","id":"4","error":{"error":403,"reason":"no","details":"hello"}}',
            ["result 4 error 403 no"],
        ),
        (
            '{"msg":"changed","collection":"stream-room-messages","fields":{"args":[{"msg":"hello"}]}}',
            ["changed stream-room-messages"],
        ),
        ('{"msg":"ping"}', []),
        ("o", []),
        ("a[broken", []),
        ('["a", 3]', []),
        (b"\x00\x01", ["2 bytes"]),
    ],
)
def test_a_frame_is_told_by_its_kind_and_never_by_what_somebody_wrote(
    payload: str | bytes, lines: list[str]
) -> None:
    found = list(said(payload))

    assert found == lines
    assert "hello" not in " ".join(found)
