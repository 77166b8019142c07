"""Faults of nginx itself, in the configuration that docs/nginx.example.conf shows: one stack for all.

A line is changed, nginx started anew, doctor asked; with the line as it was, doctor finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from besedka import address, client_environment
from besedka import contract as contracts
from besedka.stacks import embedded
from besedka.stacks.services import nginx, tls
from besedka.stacks.services.options import Programs
from faults.behind import Behind

pytestmark = pytest.mark.faults

_CHAT = r"(server_name chat.*?)"


@dataclass(frozen=True)
class Line:
    """What is found in the configuration and what stands there instead, the cause, and the lever's word."""

    name: str
    pattern: str
    instead: str
    cause: str
    lever: str
    only: tuple[str, ...] = ()


LINES = (
    Line(
        "no_upgrade",
        r"proxy_set_header Upgrade \$http_upgrade;",
        "",
        "services.websocket.refused",
        "Upgrade",
    ),
    Line(
        "body_limit",
        r"client_max_body_size \d+m;",
        "",
        "services.body_limit.small",
        "client_max_body_size",
    ),
    Line(
        "five_seconds_for_a_socket",
        r"proxy_(read|send)_timeout \d+s;",
        r"proxy_\1_timeout 5s;",
        "iframe.socket.cut",
        "proxy_read_timeout",
    ),
    Line(
        "a_header_added",
        _CHAT + r"location / \{",
        r"\1location / {\n        add_header X-Frame-Options SAMEORIGIN;",
        "iframe.headers.x_frame_options",
        "proxy",
    ),
    Line(
        "a_policy_added",
        _CHAT + r"location / \{",
        r"""\1location / {\n        add_header Content-Security-Policy "frame-ancestors 'self'";""",
        "iframe.headers.frame_ancestors",
        "proxy",
    ),
    Line(
        "cookies_taken",
        r"(server_name besedka.*?)location / \{",
        r"\1location / {\n        proxy_hide_header Set-Cookie;",
        "site.login_form.no_cookie",
        "Set-Cookie",
    ),
    Line(
        "the_token_taken",
        _CHAT + r"location / \{",
        r"\1location / {\n        proxy_set_header X-Auth-Token '';",
        "services.admin.token_lost",
        "X-Auth-Token",
    ),
)


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    program, why = nginx.find("auto", print)
    if program is None:
        pytest.skip(f"no nginx: {why}")
    told = contracts.load()
    with embedded.running(told, programs=Programs(tls=True, proxy=True, nginx=program)) as running:
        yield Behind(running, program, told)


@pytest.mark.parametrize("line", LINES, ids=[line.name for line in LINES])
def test_doctor_names_the_line_of_nginx_that_is_wrong(behind: Behind, line: Line) -> None:
    right = behind.sites.read_text("utf-8")
    wrong, changes = re.subn(line.pattern, line.instead, right, flags=re.DOTALL)
    assert changes, "the configuration has no such line"
    layer = line.cause.rpartition(".")[0]
    with behind.said(wrong):
        found = behind.examine(layer).first_cause
    assert found is not None
    assert found.code == line.cause
    assert line.lever in " ".join(found.advice)
    assert behind.examine(layer).findings == ()


@pytest.mark.parametrize(
    ("hosts", "days", "kind"), [(slice(0, 1), 7, "names"), (slice(None), -1, "expired")], ids=["one", "old"]
)
def test_doctor_names_what_is_wrong_with_the_certificate(
    behind: Behind, tmp_path: Path, hosts: slice, days: int, kind: str
) -> None:
    named = [
        address.host(url) for url in (behind.running.contract.site.url, behind.running.contract.chat.url)
    ]
    made = tls.issue(tmp_path, named[hosts], valid=timedelta(days=days))
    right = behind.sites.read_text("utf-8")
    for old, new in (("server.pem", made.server), ("server.key", made.key)):
        right = re.sub(rf"\S+/{old}", str(new), right)
    with behind.said(right), client_environment.trusted(str(made.authority)):
        found = behind.examine("services.certificate").findings
    assert {one.code for one in found} == {f"services.certificate.{kind}"}
    assert named[1] in " ".join(one.expected for one in found)
    assert behind.examine("services.certificate").findings == ()


def test_buffering_alone_harms_nobody(behind: Behind) -> None:
    right = behind.sites.read_text("utf-8")
    assert "proxy_buffering off;" in right
    with behind.said(right.replace("proxy_buffering off;", "proxy_buffering on;")):
        assert behind.examine("services.websocket", "iframe.client", "sso.session").findings == ()
