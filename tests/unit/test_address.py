"""One spelling for each address, and what a policy's source admits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besedka import address

HOSTS = st.sampled_from(["127.0.0.1", "localhost", "chat.besedka.test", "[::1]", "BESEDKA.Test"])
PATHS = st.sampled_from(["", "/", "/chat", "/chat/"])


@settings(deadline=None)
@given(st.sampled_from(["http", "https", "HTTP", "Https"]), HOSTS, st.integers(1, 65535), PATHS)
def test_an_address_has_one_spelling(scheme: str, host: str, port: int, path: str) -> None:
    written = f"{scheme}://{host}:{port}{path}"

    normal = address.normal(written)

    assert address.normal(normal) == normal
    assert address.same(written.lower(), written)
    assert not normal.endswith("/")
    assert address.port(normal) == port
    assert address.origin(written) + address.path(written) == normal
    assert address.host(written) == host.lower().strip("[]")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://Chat.Besedka.test:443/", "HTTPS://chat.besedka.test"),
        ("https://host/chat/", "https://HOST:443/chat"),
    ],
)
def test_two_spellings_are_one_address(one: str, other: str) -> None:
    assert address.same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://127.0.0.1:443", "http://127.0.0.1"),
        ("https://host:80", "http://host:80"),
        ("https://host/chat", "https://host/Chat"),
        ("http://localhost", "http://127.0.0.1"),
    ],
)
def test_two_addresses_are_not_one(one: str, other: str) -> None:
    assert not address.same(one, other)


CHAT = "http://chat.besedka.test:3000"


@pytest.mark.parametrize(
    ("source", "page", "admitted"),
    [
        ("*", "http://127.0.0.1:8001", True),
        ("'none'", "http://127.0.0.1:8001", False),
        ("'self'", CHAT + "/any", True),
        ("'self'", "http://127.0.0.1:8001", False),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001", True),
        ("http://127.0.0.1:*", "http://127.0.0.1:8001", True),
        ("http://127.0.0.1:80", "http://127.0.0.1", True),
        ("http://127.0.0.1", "http://127.0.0.1:8001", False),
        ("HTTP://Besedka.TEST", "http://besedka.test", True),
        ("http://besedka.test", "https://besedka.test", True),
        ("https://besedka.test", "http://besedka.test", False),
        ("http://*.besedka.test:*", "http://www.besedka.test:8001", True),
        ("http://*.besedka.test", "http://besedka.test", False),
        ("besedka.test:8001", "http://besedka.test:8001", True),
        ("http:", "http://besedka.test:8001", True),
        ("https:", "http://besedka.test:8001", False),
        # The grammar of a source has no brackets.
        ("http://[::1]:8001", "http://[::1]:8001", False),
        ("http:", "http://[::1]:8001", True),
    ],
)
def test_a_policys_source_admits_what_a_browser_admits(source: str, page: str, admitted: bool) -> None:
    assert address.admits(source, page, CHAT) is admitted


def test_the_sites_origin_moves_within_a_list() -> None:
    old, new = "http://127.0.0.1:8001", "http://127.0.0.1:1"

    assert address.moved_origins(old, old, new) == new
    assert address.moved_origins(f"{old},https://other.test", old, new) == f"{new},https://other.test"
    assert address.moved_origins("*", old, new) == "*"
    assert address.moved_origins("https://other.test", old, new) == new


@pytest.mark.parametrize("name", ["localhost", "127.0.0.2", "::1", "chat.localhost", "LOCALHOST."])
def test_a_loopback_name_is_known(name: str) -> None:
    assert address.is_loopback(name)


@pytest.mark.parametrize("name", ["10.0.0.1", "localhost.besedka.test", "besedka.test", ""])
def test_another_name_is_no_loopback(name: str) -> None:
    assert not address.is_loopback(name)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://example.org", "https://chat.example.org:3000", True),
        ("http://127.0.0.1:8001", "http://127.0.0.1:3000", True),
        ("https://example.org", "https://chat.example.net", False),
        ("http://10.0.0.1", "http://10.1.0.1", False),
    ],
)
def test_a_site_is_a_domain_to_a_browser(one: str, other: str, same: bool) -> None:
    assert address.same_site(one, other) is same


@pytest.mark.parametrize("url", ["http://[::1]:8001/chat", "http://127.0.0.1:8001", "https://besedka.test"])
def test_the_source_that_is_advised_admits_the_address(url: str) -> None:
    assert address.admits(address.source(url), url, CHAT)


def test_a_service_listens_where_its_address_leads() -> None:
    assert address.bound("http://localhost:8001") == address.bound("http://besedka.test") == "127.0.0.1"
    assert address.bound("http://[::1]:8001") == address.local_host("http://[0:0::1]:80").strip("[]")


@pytest.mark.parametrize(
    ("path", "spoken"),
    [
        ("/ru/accounts/login/", "ru"),
        ("/pt-br/login", "pt-br"),
        ("/zh-hans/konto/", "zh-hans"),
        ("/accounts/login/", ""),
        ("/sso/login/", ""),
        ("/app/login/", ""),
        ("/login/", ""),
        ("/ru/", ""),
        ("/", ""),
    ],
)
def test_the_language_of_a_page_stands_first_in_its_path(path: str, spoken: str) -> None:
    assert address.language(path) == spoken


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("http://127.0.0.1:8001", True),
        ("HTTP://Беседка.рф/чат/", True),
        ("http://[::1]:8001", True),
        ("http://my_chat.test.", True),
        ("http://127.1:8001//", True),
        ("http://0.0.0.0:8001", False),
        ("http://[::]:8001", False),
        ("http://[fe80::1%25eth0]:8001", False),
        (f"http://{'a' * 64}.test", False),
        ("http://a..test", False),
        ("http://-a.test", False),
        ("http://a.test/b/../c", False),
        ("http://a.test/./b", False),
        ("http://a.test/b//c", False),
        ("http://a.test:0", False),
    ],
)
def test_a_sites_address_is_one_that_browsers_leave_as_it_is(url: str, one: bool) -> None:
    assert address.is_one(url) is one


@pytest.mark.parametrize("written", ["127.1", "2130706433", "0x7f.1", "127.0.0.1"])
def test_an_address_of_ipv4_is_read_as_browsers_read_it(written: str) -> None:
    assert address.normal(f"http://{written}:8001") == "http://127.0.0.1:8001"


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("straße.de", "xn--strae-oqa.de"),
        ("Straße。DE", "xn--strae-oqa.de"),
        ("чат.рф", "xn--80a0bn.xn--p1ai"),
    ],
)
def test_a_name_is_written_as_browsers_write_it(written: str, known: str) -> None:
    assert address.host_name(written) == known


@pytest.mark.parametrize(
    ("path", "page", "linked"),
    [
        ("/out/", "/", ("/out/",)),
        ("/de/out/", "/de/chat/", ("/de/out/",)),
        ("/de/out/", "/en/chat/", ("/de/out/", "/en/out/")),
        ("/de/out/", "/chat/", ("/de/out/", "/out/")),
        ("/out/", "/en/chat/", ("/out/", "/en/out/")),
    ],
)
def test_a_page_links_to_others_in_its_own_language(path: str, page: str, linked: tuple[str, ...]) -> None:
    assert address.as_linked(path, page) == linked
