"""The chat and the site, asked as a browser asks for a frame: what stands before them may refuse just that.

A browser says where it comes from (Referer) and that it fills a frame (https://www.w3.org/TR/fetch-metadata/).
Rules against hotlinks look at the one, rules that isolate resources at the other. Neither meets an address
that is opened in a window of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import requests

from besedka import address
from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Skipped, answer, finding
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError

_DESTINATION = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"}
Ask = Callable[[dict[str, str]], requests.Response]


@check(
    "iframe.framed",
    codes="referer metadata",
    needs=["services.chat", "services.site"],
    after=["iframe.document"],
)
def chat(examination: Examination) -> Answer:
    """Does the chat come into a frame of the site as it comes into a window?"""
    contract = examination.contract
    path = f"{contract.default_channel.path}?layout=embedded"
    place = f"GET {contract.chat.url}{contract.default_channel.path}, in a frame"
    told = examination.site.get(contract.site.login_path)
    names = _names_itself(told, contract.site.url, contract.chat.url)
    ask = _asking_chat(examination, path)
    found = _refused("iframe.framed", place, contract.site.url, contract.chat.url, ask, names=names)
    return answer(found, evidence="the same in a frame as in a window")


@check(
    "site.framed",
    codes="referer metadata",
    needs=["services.site", "services.chat"],
    after=["site.authorize", "site.login_form"],
)
def site(examination: Examination) -> Answer:
    """Does the site answer the chat's frame, which leads to it, as it answers a window?"""
    contract = examination.contract
    authorize = f"{contract.provider.authorize_path}?client_id={contract.provider.client_id}"
    try:
        told = examination.chat_page(contract.default_channel.path)
    except ServiceUnreachableError:
        # Doctor asks for the chat's page with the frame (iframe.headers), and says there what is wrong.
        return Skipped("the chat's page did not come")
    names = _names_itself(told, contract.chat.url, contract.site.url)
    found: list[Finding] = []
    for path in (authorize, contract.site.login_path):
        place = f"GET {contract.site.url}{path.partition('?')[0]}, in a frame"
        found += _refused(
            "site.framed",
            place,
            contract.chat.url,
            contract.site.url,
            _asking_site(examination, path),
            names=names,
        )
    return answer(found[:1], evidence="the same in a frame as in a window")


def _asking_chat(examination: Examination, path: str) -> Ask:
    return lambda headers: examination.chat_page(path, **headers)


def _asking_site(examination: Examination, path: str) -> Ask:
    return lambda headers: examination.site.request("GET", path, headers=headers)


def _names_itself(page: requests.Response, asker: str, asked: str) -> bool:
    """Whether a page with these headers says where a request to the other comes from.

    https://www.w3.org/TR/referrer-policy/, section 3. Django's own policy is same-origin.
    """
    policy = page.headers.get("Referrer-Policy", "").lower().split(",")[-1].strip()
    if policy == "same-origin":
        return address.origin(asker) == address.origin(asked)
    return policy != "no-referrer"


def _refused(  # noqa: PLR0913 - who asks whom, and how
    name: str, place: str, asker: str, asked: str, ask: Ask, *, names: bool
) -> list[Finding]:
    """What a frame is answered and a window is not."""
    plain = ask({}).status_code
    relation = "same-site" if address.same_site(asker, asked) else "cross-site"
    if address.origin(asker) == address.origin(asked):
        relation = "same-origin"
    origin = address.origin(asker)
    ways = (
        ("referer", {"Referer": f"{origin}/"}, _by_referer(origin)),
        ("metadata", _DESTINATION | {"Sec-Fetch-Site": relation}, _by_frame(origin)),
    )
    for kind, headers, fix in ways if names else ways[1:]:
        status = ask(headers).status_code
        if plain < 400 <= status:
            seen = f"{status} to what a browser sends for a frame ({', '.join(headers)}), {plain} without it"
            return [finding(f"{name}.{kind}", seen, str(plain), place, advice=(fix,))]
    return []


def _by_referer(origin: str) -> str:
    return (
        "Something refuses requests that another page leads to: a rule against hotlinks (valid_referers of "
        f"nginx). Add {origin} to what it takes as a Referer."
    )


def _by_frame(origin: str) -> str:
    return (
        "A proxy or a firewall refuses requests for a frame, by Sec-Fetch-Dest or Sec-Fetch-Site. "
        f"Let it pass Sec-Fetch-Dest: iframe from {origin}."
    )


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (site, chat)
