"""nginx before an embedded stack: the page that teams copy is what the tests run behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from besedka import contract, hosts
from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError, UsageError
from besedka.provision import guard
from besedka.provision.errors import ForbiddenTargetError
from besedka.resolver import sitecustomize
from besedka.stacks.services import nginx, options, tls
from besedka.stacks.services.entrance import PORTS, Entrance
from besedka.stacks.services.options import Programs
from docs import nginx_page

TOLD = contract.load(overlays=())
NUMBERS = {name: 20_000 + number for number, name in enumerate(PORTS)}


@pytest.mark.parametrize("name", nginx_page.PAGES)
def test_the_page_is_what_the_contract_says(name: str) -> None:
    assert (PROJECT_ROOT / "docs" / name).read_text("utf-8") == nginx_page.text(name)


@pytest.mark.parametrize("one_host", [False, True])
def test_a_stack_runs_behind_the_very_configuration_of_the_page(one_host: bool, tmp_path: Path) -> None:
    entrance = Entrance(TOLD, NUMBERS, Programs(tls=True, proxy=True, one_host=one_host, nginx="nginx"))
    run = entrance.front(tls.issue(tmp_path, ["localhost"]))
    page = nginx.example(TOLD, one_host=one_host)

    assert run.alike(page)
    assert run.text() != page.text(), "a free port is no port 443"
    assert not run.alike(nginx.example(TOLD, one_host=not one_host))


@pytest.mark.parametrize("name", nginx_page.PAGES)
def test_nginx_itself_accepts_the_page(name: str, tmp_path: Path) -> None:
    """Below a path that a shell, nginx's own syntax and its patterns would each read as something else."""
    program, why = nginx.find("auto", print)
    if program is None:
        pytest.skip(why)
    folder = tmp_path / "a b [x] $HOME;"
    made = tls.issue(tmp_path / "tls", ["localhost"])
    places = {"/etc/ssl/besedka/server.pem": made.server, "/etc/ssl/besedka/server.key": made.key}
    command = nginx.command(program, nginx.example(TOLD, one_host=nginx_page.PAGES[name]), folder)
    written = folder / "besedka.conf"
    text = nginx_page.text(name)
    for place, file in places.items():
        text = text.replace(place, str(file))
    written.write_text(text, "utf-8")

    said = subprocess.run([*command, "-T"], cwd=folder, capture_output=True, text=True, check=False)

    assert "test is successful" in said.stderr, said.stderr
    assert "besedka_chat" in said.stdout, "nothing was included"


def test_a_name_beyond_ascii_leads_here_however_a_client_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sitecustomize.VARIABLE, "xn--80abjda5a9b.test=127.0.0.1")

    for asked in ("беседка.test", "xn--80abjda5a9b.test", b"xn--80abjda5a9b.test", "Беседка.test"):
        assert sitecustomize.getaddrinfo(asked, 80)[0][4] == ("127.0.0.1", 80)


def test_a_path_beyond_ascii_is_compared_as_nginx_reads_it() -> None:
    assert TOLD.proxy is not None
    proxy = TOLD.proxy.model_copy(update={"chat_path": "/%D1%87%D0%B0%D1%82.1"})

    front = nginx.example(TOLD.model_copy(update={"proxy": proxy}), one_host=True)

    assert r"location ~ ^/чат\.1(/|$)" in front.text()


def test_a_name_leads_here_for_this_process_and_for_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    name = TOLD.proxy.chat_host if TOLD.proxy else ""
    monkeypatch.delenv(sitecustomize.VARIABLE, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
    assert not hosts.environment()
    with pytest.raises(ForbiddenTargetError):
        guard.check(f"https://{name}", TOLD)
    monkeypatch.setenv(sitecustomize.VARIABLE, "")
    hosts.lead([name])

    service = subprocess.run(
        [sys.executable, "-c", f"import socket; print(socket.getaddrinfo({name!r}, 80))"],
        env=hosts.environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert socket.getaddrinfo(name.upper(), 80)[0][4] == ("127.0.0.1", 80)
    assert "('127.0.0.1', 80)" in service.stdout
    guard.check(f"https://{name}", TOLD)
    assert hosts.switches() == [f"--host-resolver-rules=MAP {name} 127.0.0.1"]


def test_what_is_about_a_proxy_is_refused_without_one() -> None:
    with pytest.raises(UsageError, match="--one-host without --proxy"):
        options.find(options.ServiceOptions(one_host=True, postgres="none", redis="none"), TOLD, say=print)


def test_a_contract_without_hosts_is_refused_before_anything_starts() -> None:
    without = TOLD.model_copy(update={"proxy": None})
    with pytest.raises(StackStartError, match=r"no \[proxy\]"):
        options.find(options.ServiceOptions(proxy=True, postgres="none", redis="none"), without, say=print)


def test_without_nginx_it_is_said_what_stands_in_its_place() -> None:
    wanted = options.ServiceOptions(proxy=True, nginx="none", postgres="none", redis="none")

    found = options.find(wanted, TOLD, say=print)

    assert found.nginx is None
    assert found.absent["nginx"].endswith("(--nginx=none)")
