"""Faults of what stands before site and chat: certificates, limits and headers of a reverse proxy.

tests/faults/test_nginx.py has the same done by nginx itself.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from besedka import address, client_environment
from besedka.contract import PROJECT_ROOT
from besedka.stacks.process.ports import free_ports
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import tls
from faults.breakable_stack import BreakableStack
from faults.fault import Breaking, Fault
from faults.proxy import Request
from faults.rules import (
    answers,
    closes_silent_sockets,
    cut_short,
    every,
    leads_to_itself,
    refuses_bodies,
    reply_with,
    request_without,
)

_MEGABYTE = 1_000_000
# Of an address with Rocket.Chat's state in it, and of a session's cookies with those of a form.
_LONG, _SHORT = 250, 80
_START_SECONDS = 10.0
_OTHER_HOST = "elsewhere.test"


def _client(request: Request) -> bool:
    """The web client's own files."""
    return request.path.endswith((".js", ".css"))


_BOTH = ("site_url", "chat_url")


def _secured(valid: timedelta, *hosts: str, trusted: bool = True, which: tuple[str, ...] = _BOTH) -> Breaking:
    """Doctor is led by https to a proxy whose certificate is valid so long, for these hosts or all.

    `which` of the addresses are by https.
    """

    @contextmanager
    def breaking(one: BreakableStack) -> Iterator[None]:
        urls = {name: getattr(one.stack, name) for name in which}
        ports = dict(zip(urls, free_ports(len(urls)), strict=True))
        with tempfile.TemporaryDirectory() as folder:
            made = tls.issue(Path(folder), hosts or map(address.host, urls.values()), valid=valid)
            pairs = {ports[name]: address.port(url) for name, url in urls.items()}
            front = ServiceProcess(
                "tls",
                made.command(pairs),
                log=Path(folder) / "tls.log",
                cwd=PROJECT_ROOT,
                environment={"PYTHONPATH": str(PROJECT_ROOT)},
            )
            trust = (
                client_environment.trusted(str(made.authority)) if trusted else client_environment.trusted()
            )
            try:
                front.wait_until(
                    lambda: all(map(listens, ports.values())),
                    budget=_START_SECONDS,
                    expected="a proxy that ends TLS",
                )
                moved = {name: f"https://{address.host(url)}:{ports[name]}" for name, url in urls.items()}
                with trust, one.seen_at(**moved):
                    yield
            finally:
                front.stop()

    return breaking


def _plain(one: BreakableStack) -> Iterator[None]:
    """Doctor is told https, and the ports speak http."""
    urls = {"site_url": one.stack.site_url, "chat_url": one.stack.chat_url}
    with one.seen_at(**{name: url.replace("http:", "https:") for name, url in urls.items()}):
        yield


def _certificate(name: str, kind: str, breaking: Breaking) -> Fault:
    """Both addresses are found fault with."""
    cause = f"services.certificate.{kind}"
    return Fault(name, cause, breaking, (cause,))


def _loop(name: str, service: str) -> Fault:
    def breaking(one: BreakableStack) -> object:
        return one.ruled(service, leads_to_itself(getattr(one.stack, f"{service}_url")))

    return Fault(name, f"services.{service}.loop", breaking)  # type: ignore[arg-type]


_DAYS = timedelta(days=7)
_TOO_LARGE = "<h1>400 Bad Request</h1>Request Header Or Cookie Too Large"
_TOO_LONG = "<h1>414 Request-URI Too Large</h1>"


def _long(request: Request) -> bool:
    """An address as only the callback's is."""
    return len(request.target) > _LONG


FAULTS = (
    Fault(
        "proxy_finds_the_cookies_too_large",
        "sso.authorize.status",
        lambda one: one.ruled(
            "site", answers(lambda request: len(request.header("Cookie")) > _SHORT, 400, _TOO_LARGE)
        ),
        ("sso.test_page.status", "sso.integrated_page.status"),
    ),
    Fault(
        "proxy_finds_the_state_too_long",
        "sso.callback.no_code",
        lambda one: one.ruled("site", answers(_long, 414, _TOO_LONG)),
    ),
    Fault(
        "proxy_finds_the_callback_too_long",
        "sso.callback.no_result",
        lambda one: one.ruled("chat", answers(_long, 414, _TOO_LONG)),
    ),
    _certificate("certificate_expired", "expired", _secured(-timedelta(hours=1))),
    _certificate("certificate_for_another_host", "names", _secured(_DAYS, _OTHER_HOST)),
    _certificate("certificate_of_an_unknown_authority", "authority", _secured(_DAYS, trusted=False)),
    _certificate("http_where_https_is_told", "no_tls", contextmanager(_plain)),
    Fault(
        "site_by_https_and_chat_by_http",
        "services.https.mixed",
        _secured(_DAYS, which=("site_url",)),
        (
            "site.csrf.refused",
            "provider.url.wrong",
            "setting.Iframe_Integration_receive_origin.wrong",
            "setting.Iframe_Integration_send_target_origin.wrong",
        ),
    ),
    _loop("proxy_tells_the_site_the_wrong_scheme", "site"),
    _loop("proxy_tells_the_chat_the_wrong_scheme", "chat"),
    Fault(
        "proxy_refuses_large_bodies",
        "services.body_limit.small",
        lambda one: one.ruled("chat", refuses_bodies(_MEGABYTE)),
    ),
    Fault(
        "proxy_closes_silent_sockets",
        "iframe.socket.cut",
        lambda one: one.ruled("chat", closes_silent_sockets(1.0), reply_with(every, "Server", "nginx")),
    ),
    Fault(
        "proxy_cuts_answers_short",
        "iframe.client.cut",
        lambda one: one.ruled("chat", cut_short(_client)),
    ),
    Fault(
        "proxy_takes_the_token_of_the_chat",
        "services.admin.token_lost",
        lambda one: one.ruled("chat", request_without(every, "X-Auth-Token")),
    ),
    Fault(
        "proxy_sends_hsts_by_http",
        "services.https.hsts",
        lambda one: one.ruled("chat", reply_with(every, "Strict-Transport-Security", "max-age=31536000")),
    ),
    Fault(
        "proxy_forbids_referrers_on_the_site",
        "site.login_form.no_referrer",
        lambda one: one.ruled("site", reply_with(every, "Referrer-Policy", "no-referrer")),
    ),
)


def listens(port: int) -> bool:
    """Whether somebody takes connections on that port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
