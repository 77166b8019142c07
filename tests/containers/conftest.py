"""An engine, local images on it, and the environment in which a run takes both."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import pytest

from tests.containers import local_engine, local_images


@pytest.fixture(scope="session")
def engine_url() -> Iterator[str]:
    """An engine that answers; where none can be had, every test here is skipped with the reason."""
    held = local_engine.engine_url()
    try:
        url = held.__enter__()
    except local_engine.NoEngineHereError as error:
        pytest.skip(f"no Docker engine can be had: {error}")
    yield url
    held.__exit__(None, None, None)


@pytest.fixture(scope="session")
def client(engine_url: str) -> Iterator[Any]:
    """Docker's own client, to look at what is there."""
    made = docker.DockerClient(base_url=engine_url, timeout=120)
    yield made
    made.close()


@pytest.fixture(scope="session")
def images(client: Any) -> dict[str, str]:
    """BESEDKA_IMAGE_* of the local images."""
    try:
        return local_images.build(client)
    except local_images.NoImagesHereError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def surroundings(engine_url: str, images: Mapping[str, str]) -> dict[str, str]:
    """What a run of our own needs in its environment, beside what is there."""
    return {"DOCKER_HOST": engine_url, **images}


@pytest.fixture
def on_engine(surroundings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """This very process runs on the tests' engine and images."""
    for name in [name for name in os.environ if name.startswith("BESEDKA_IMAGE_")]:
        monkeypatch.delenv(name)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
