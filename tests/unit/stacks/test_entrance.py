"""Where browsers reach an embedded stack: the contract's spelling, at ports that are free."""

from __future__ import annotations

import pytest

from besedka import contract
from besedka.contract import Contract
from besedka.stacks.services.entrance import PORTS, Entrance
from besedka.stacks.services.options import Programs

TOLD = contract.load(overlays=())
NUMBERS = {name: 20_000 + number for number, name in enumerate(PORTS)}


def moved(site_url: str, chat_url: str, *, tls: bool = False) -> tuple[str, str]:
    """The addresses that the contract ends at."""
    told: Contract = TOLD.at(site_url=site_url, chat_url=chat_url)
    found = Entrance(told, NUMBERS, Programs(tls=tls)).contract()
    return found.site.url, found.chat.url


def test_each_has_a_port_of_its_own_and_keeps_its_path() -> None:
    site, chat = moved("http://127.0.0.1:8001", "http://localhost:3000/team/chat")

    assert site == f"http://127.0.0.1:{NUMBERS['site']}"
    assert chat.endswith(f":{NUMBERS['chat']}/team/chat")


@pytest.mark.parametrize(("tls", "port"), [(False, "one host"), (True, "site by https")])
def test_one_origin_stays_one(tls: bool, port: str) -> None:
    scheme = "https" if tls else "http"

    site, chat = moved("http://127.0.0.1:8001", "http://127.0.0.1:8001/rocket", tls=tls)

    assert site == f"{scheme}://127.0.0.1:{NUMBERS[port]}"
    assert chat == f"{site}/rocket"


def test_a_site_below_a_path_stays_below_it() -> None:
    site, _ = moved("http://127.0.0.1:8001/portal", "http://127.0.0.1:3000")

    assert site == f"http://127.0.0.1:{NUMBERS['site']}/portal"


@pytest.mark.parametrize(("tls", "port"), [(False, "one host"), (True, "site by https")])
def test_behind_a_proxy_names_of_hosts_lead_to_one_port(tls: bool, port: str) -> None:
    named = TOLD.proxy
    assert named is not None
    found = Entrance(TOLD, NUMBERS, Programs(tls=tls, proxy=True)).contract()
    together = Entrance(TOLD, NUMBERS, Programs(tls=tls, proxy=True, one_host=True)).contract()

    scheme = "https" if tls else "http"
    assert found.site.url == f"{scheme}://{named.site_host}:{NUMBERS[port]}"
    assert found.chat.url == f"{scheme}://{named.chat_host}:{NUMBERS[port]}"
    assert found.provider.url == together.site.url == found.site.url
    assert together.chat.url == f"{found.site.url}{named.chat_path}"
