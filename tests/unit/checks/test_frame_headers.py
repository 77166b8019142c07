"""Which headers keep the chat out of the site's frame, as browsers read them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from besedka import contract as contracts
from besedka.checks import iframe
from besedka.checks.examination import Examination
from besedka.checks.finding import Where

SITE, CHAT = "http://besedka.test:8001", "http://chat.besedka.test:3000"


def refusals(site: str = SITE, chat: str = CHAT, **headers: str) -> list[str]:
    """Codes of what is found in an answer with these headers."""
    page = requests.Response()
    page.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    examination: Any = SimpleNamespace(
        contract=contracts.load().at(site_url=site, chat_url=chat),
        where=lambda setting, place: Where(place, setting),
        provision_command="provision",
    )
    return [found.code for found in iframe._frame_refusals(cast(Examination, examination), "/", page)]


@pytest.mark.parametrize("option", ["DENY", "sameorigin", "SAMEORIGIN, SAMEORIGIN"])
def test_x_frame_options_refuse_another_origin(option: str) -> None:
    assert refusals(X_Frame_Options=option) == ["iframe.headers.x_frame_options"]


def test_frame_ancestors_beside_it_decide_alone() -> None:
    policy = f"default-src 'self'; frame-ancestors 'self' {SITE}"

    assert refusals(X_Frame_Options="SAMEORIGIN", Content_Security_Policy=policy) == []
    assert refusals(X_Frame_Options="SAMEORIGIN", Content_Security_Policy="frame-ancestors 'none'") == [
        "iframe.headers.frame_ancestors"
    ]


def test_the_same_origin_is_no_other_one() -> None:
    assert refusals("https://besedka.test", "https://besedka.test/chat", X_Frame_Options="SAMEORIGIN") == []
    assert refusals("https://besedka.test", "https://besedka.test/chat", X_Frame_Options="DENY") != []


def test_a_value_that_browsers_do_not_know_refuses_nothing() -> None:
    assert refusals(X_Frame_Options=f"ALLOW-FROM {SITE}") == []
    assert refusals() == []


@pytest.mark.parametrize(
    "source", ["http://besedka.test:*", "*", "http://*.test:8001", "http:", "besedka.test:8001"]
)
def test_a_wildcard_admits_the_site(source: str) -> None:
    assert refusals(Content_Security_Policy=f"frame-ancestors {source}") == []


def test_each_of_two_policies_has_to_admit_the_site() -> None:
    both = f"frame-ancestors {SITE}, frame-ancestors https://other.test"

    assert refusals(Content_Security_Policy=both) == ["iframe.headers.frame_ancestors"]
