"""One host before site and chat: which side a request goes to, and what that side is told."""

from __future__ import annotations

import pytest

from besedka.stacks.services.one_host import OneHost

BOTH = OneHost("/rocket", chat_port=3000, site_port=8001, scheme="https")


@pytest.mark.parametrize(
    ("target", "port"),
    [
        ("/", 8001),
        ("/chat/test/", 8001),
        ("/rockets", 8001),
        ("/?next=/rocket/", 8001),
        ("/rocket", 3000),
        ("/rocket?layout=embedded", 3000),
        ("/rocket/websocket", 3000),
    ],
)
def test_the_path_decides_who_is_asked(target: str, port: int) -> None:
    assert BOTH.port_of(target) == port


@pytest.mark.parametrize(("host", "port"), [("chat.besedka.test", 3000), ("besedka.test", 8001)])
def test_where_both_have_a_name_the_host_decides(host: str, port: int) -> None:
    both = OneHost("", chat_port=3000, site_port=8001, scheme="http", chat_host="chat.besedka.test")

    assert both.port_of("/rocket", host.upper()) == port


def test_a_request_is_the_only_one_of_its_connection() -> None:
    head = b"GET / HTTP/1.1\r\nHost: besedka.test\r\nconnection: keep-alive\r\n\r\n"

    lines = BOTH.head(head, "127.0.0.1").split(b"\r\n")

    assert lines[-2:] == [b"", b""]
    assert [line for line in lines if line.lower().startswith(b"connection")] == [b"Connection: close"]
    assert {b"Host: besedka.test", b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-Proto: https"} < set(lines)


def test_a_websocket_keeps_its_connection() -> None:
    head = b"GET /rocket/websocket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

    handed = BOTH.head(head, "127.0.0.1")

    assert b"Connection: Upgrade\r\n" in handed
    assert b"close" not in handed
