"""Attaching: what is missing or in the way is named at once, with what a stack must offer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from besedka import contract as contracts
from besedka.errors import ServiceUnreachableError
from besedka.stacks import attached, targets
from besedka.stacks.docker import compose_project, in_container


class Both(BaseHTTPRequestHandler):
    """Site and chat in one, and somebody else below /other."""

    def do_GET(self) -> None:
        told = {"status": "ok", "version": "7.7.1", "success": True}
        body = b"<h1>Other</h1>" if self.path.startswith("/other") else json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Both) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


def describe(url: str, folder: Path, **more: str | None) -> Any:
    contract = contracts.load(contracts.CONTRACT_FILE)
    target = targets.given(contract, **({"site_url": url, "chat_url": url} | more))
    return attached.describe(target, contract, folder)


def container(name: str, service: str, status: str, health: str = "", port: int = 0) -> Any:
    state = {"Status": status, "ExitCode": 137} | ({"Health": {"Status": health}} if health else {})
    bindings = {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]} if port else {}
    attrs = {"State": state, "HostConfig": {"PortBindings": bindings}}
    labels = {compose_project.PROJECT_LABEL: "besedka", compose_project.SERVICE_LABEL: service}
    return type("Container", (), {"name": name, "status": status, "attrs": attrs, "labels": labels})()


def with_containers(monkeypatch: pytest.MonkeyPatch, *rows: Any) -> None:
    def of(chat_url: str) -> dict[str, list[Any]]:
        assert chat_url
        return {row.labels[compose_project.SERVICE_LABEL]: [row] for row in rows}

    monkeypatch.setattr(compose_project, "_project_of", of)


def test_a_stack_that_answers(url: str, tmp_path: Path) -> None:
    stack = describe(url, tmp_path)

    assert (stack.kind, stack.site_url, stack.provider_url) == ("attached", url, None)
    assert {service.name for service in stack.services} == {"site", "rocketchat"}


def test_everything_that_is_missing_is_named_at_once_with_what_must_be_offered(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnreachableError) as raised:
        describe(
            "http://127.0.0.1:9",
            tmp_path,
            mongo_url="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100",
            site_database_url="postgres://other:secret@127.0.0.1:9/other",
        )

    text = raised.value.text()
    for part in (
        "the site did not answer: nothing listens there",
        "/api/info",
        "MongoDB",
        "the site's database cannot be read",
        *("--site-url", "--chat-url", "--mongo-url", "--site-database-url"),
        "next step: start what stands still",
    ):
        assert part in text
    assert "secret" not in text


def test_who_holds_the_port_of_a_site_that_does_not_answer_as_one(url: str, tmp_path: Path) -> None:
    port = url.rpartition(":")[2]

    with pytest.raises(
        ServiceUnreachableError, match=rf"port of http://localhost:{port}/other is held by python"
    ):
        describe(url, tmp_path, site_url=f"http://localhost:{port}/other", chat_url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (("b_redis_1", "redis", "exited"), "container b_redis_1 (redis) is exited, status 137"),
        (("b_mongo_1", "mongo", "paused"), "container b_mongo_1 (mongo) is paused"),
        (("b_mongo_1", "mongo", "restarting"), "container b_mongo_1 (mongo) is restarting"),
        (("b_chat_1", "rocketchat", "running", "unhealthy"), "(rocketchat) runs and is unhealthy"),
    ],
)
def test_a_stopped_or_sick_container_is_named_though_all_answer(
    row: Any, named: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_containers(monkeypatch, container(*row))

    with pytest.raises(ServiceUnreachableError) as raised:
        describe(url, tmp_path)
    assert named in raised.value.found


def test_a_container_that_is_starting_is_named_only_where_something_does_not_answer(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_containers(monkeypatch, container("b_chat_1", "rocketchat", "running", "starting"))
    assert describe(url, tmp_path).chat_url == url

    with pytest.raises(ServiceUnreachableError, match="runs and is starting"):
        describe(url, tmp_path, chat_url="http://127.0.0.1:9")


def test_web_beside_daphne_is_named(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_containers(monkeypatch, container("b_web_1", "web", "running"))
    assert describe(url, tmp_path).site_url == url, "web alone is a site like another"

    monkeypatch.setattr(compose_project, "_is_daphne", lambda _pid: True)
    with pytest.raises(ServiceUnreachableError, match=r"b_web_1 \(web\) runs beside Daphne \(process \d+\)"):
        describe(url, tmp_path)


def test_a_chat_in_a_container_is_taken_to_reach_the_site_by_the_containers_name_of_this_machine(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_container, "chat_container", lambda _url: object())
    port = url.rpartition(":")[2]

    assert describe(url, tmp_path).provider_url == f"http://host.docker.internal:{port}"
    assert describe(url, tmp_path, provider_url="http://10.0.0.1:1/").provider_url == "http://10.0.0.1:1"
