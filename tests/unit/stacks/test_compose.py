"""docker-compose.local.yml: the same values as the contract's, and one message per way to break it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from besedka import contract as contracts
from besedka.contract import Contract
from besedka.stacks import environment, versions
from besedka.stacks.docker import compose
from besedka.stacks.docker.engine_errors import ComposeFileError, ImageVersionError


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> Contract:
    for name in ("BESEDKA_CHAT_ADMIN_PASSWORD", "BESEDKA_OAUTH_CLIENT_SECRET", contracts.CONTRACT_ENV):
        monkeypatch.delenv(name, raising=False)
    loaded = contracts.load()
    port = loaded.site.url.rpartition(":")[2]
    return loaded.at(
        site_url=loaded.site.url,
        chat_url=loaded.chat.url,
        provider_url=f"http://host.docker.internal:{port}",
    )


def test_rocketchat_is_told_what_the_contract_says(contract: Contract) -> None:
    service = compose.load(variables={})["rocketchat"]
    told = service.environment

    said = environment.chat(
        contract, mongo_url=told["MONGO_URL"], oplog_url=told["MONGO_OPLOG_URL"], port=service.port
    )

    assert told == said


def test_the_site_in_a_container_is_told_what_the_contract_says(contract: Contract) -> None:
    told = compose.load(variables={})["web"].environment

    said = environment.site(
        contract,
        database_url=told["DATABASE_URL"],
        secret_key=told["DJANGO_SECRET_KEY"],
        redis_url=told["REDIS_URL"],
    )
    said["CHAT_INTERNAL_URL"] = "http://rocketchat:3000"

    for name in ("CHAT_CHANNELS", "CHAT_GROUPS", "CHAT_IDENTITY_FIELDS", "SITE_PATHS"):
        assert json.loads(told.pop(name)) == json.loads(said.pop(name)), name
    assert told == said


def test_ports_and_version_are_the_contracts(contract: Contract) -> None:
    services = compose.load(variables={})

    published = {name: services[name].published for name in compose.SERVICES}
    assert published == contract.services.model_dump()
    assert services["rocketchat"].image.endswith(f":{contract.chat.version}")
    assert versions.chosen(services, contract.chat.version, {}) == services, "MongoDB is of another pair"


def test_every_image_is_pinned() -> None:
    for service in compose.load(variables={}).values():
        assert service.image.rpartition(":")[2][0].isdigit(), service.image


def test_only_the_profile_starts_the_site() -> None:
    raw = yaml.safe_load(compose.COMPOSE_FILE.read_text("utf-8"))

    assert [name for name, row in raw["services"].items() if "profiles" in row] == ["web"]


def test_whoever_waits_for_a_service_waits_until_it_is_well() -> None:
    services = yaml.safe_load(compose.COMPOSE_FILE.read_text("utf-8"))["services"]
    waits = [
        (name, on, how) for name, row in services.items() for on, how in row.get("depends_on", {}).items()
    ]
    assert ("rocketchat", "mongo", {"condition": "service_healthy"}) in waits
    for name, on, how in waits:
        assert how == {"condition": "service_healthy"}, f"{name} starts before {on} is well"
        assert services[on]["healthcheck"]["test"], f"nothing says when {on} is well"


def test_variables_are_filled_in() -> None:
    services = compose.load(
        variables={"BESEDKA_IMAGE_MONGO": "mirror:5000/mongo:7", "BESEDKA_IMAGE_REDIS": ""}
    )

    assert services["mongo"].image == "mirror:5000/mongo:7"
    assert services["redis"].image == "redis:7.2.5"


@pytest.mark.parametrize(
    ("version", "mongo"), [("6.4.8", "mongo:6.0"), ("7.7.1", "mongo:7.0"), ("8.9.0", "mongo:8.0")]
)
def test_mongo_follows_rocketchat(version: str, mongo: str) -> None:
    chosen = versions.chosen(compose.load(variables={}), version, {})

    assert chosen["rocketchat"].image == f"rocketchat/rocket.chat:{version}"
    assert chosen["mongo"].image.startswith(mongo)
    assert (
        ".".join(chosen["mongo"].image.partition(":")[2].split(".")[:2])
        in versions.pair(version).mongo_series
    )


def test_an_image_that_was_named_is_kept() -> None:
    variables = {"BESEDKA_IMAGE_ROCKETCHAT": "mine:1", "BESEDKA_IMAGE_MONGO": "mine:2"}

    chosen = versions.chosen(compose.load(variables=variables), "6.4.8", variables)

    assert (chosen["rocketchat"].image, chosen["mongo"].image) == ("mine:1", "mine:2")


@pytest.mark.parametrize("version", ["7.x", "latest", "6.3.0", "9.0.0", ""])
def test_a_version_that_cannot_be_tested_is_refused(version: str) -> None:
    with pytest.raises(ImageVersionError) as raised:
        versions.pair(version)

    assert "--rocketchat-version" in raised.value.where


def test_a_line_stands_for_its_last_release(contract: Contract) -> None:
    assert versions.of_contract(contract, "8.x").chat.version == versions.LINES["8.x"]
    assert versions.of_contract(contract, None) is contract


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n  mongo: [", "a syntax error"),
        ("services:\n\tmongo: {}", "a syntax error"),
        ("- mongo", "no table of services"),
        ("services: {mongo: 7}", "no table of services"),
        ("services: {mongo: {image: m, ports: ['127.0.0.1:1:1']}}", "no service 'postgres'"),
    ],
)
def test_a_broken_file_is_one_message(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(text, "utf-8")

    with pytest.raises(ComposeFileError) as raised:
        compose.load(path, {})

    assert said in raised.value.found
    assert str(path) in raised.value.where


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"ports": ["27017:27017"]}, "services.mongo"),
        ({"ports": ["0.0.0.0:27017:27017"]}, "not bound to 127.0.0.1"),
        ({"ports": []}, "services.mongo"),
        ({"healthcheck": {"test": "mongosh"}}, "healthcheck.test"),
        ({"environment": ["A=1"]}, "services.mongo"),
    ],
)
def test_a_service_that_cannot_be_used_is_named(tmp_path: Path, rows: dict[str, object], said: str) -> None:
    raw = yaml.safe_load(compose.COMPOSE_FILE.read_text("utf-8"))
    raw["services"]["mongo"] |= rows
    path = tmp_path / "compose.yml"
    path.write_text(yaml.safe_dump(raw), "utf-8")

    with pytest.raises(ComposeFileError) as raised:
        compose.load(path, {})

    assert said in raised.value.found


def test_a_missing_file_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compose.COMPOSE_ENV, str(tmp_path / "none.yml"))

    with pytest.raises(ComposeFileError, match="No such file"):
        compose.load()
