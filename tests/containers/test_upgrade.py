"""`besedka upgrade` in containers: images are exchanged on the same volumes, MongoDB by its own steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pymongo import MongoClient

from besedka import contract as contracts
from besedka.restart import workspaces
from besedka.restart.upgrade import UpgradeFailedError, Workspace, holds, seed, upgraded
from besedka.restart.workspaces import ContainersWorkspace
from besedka.rocketchat.rest import RocketChat
from tests.containers import local_images

pytestmark = pytest.mark.containers
OLD, NEW = "7.7.1", "8.9.0"


@pytest.fixture
def workspace(on_engine: None, images: Mapping[str, str]) -> Iterator[ContainersWorkspace]:
    tag = images["BESEDKA_IMAGE_POSTGRES"].rpartition(":")[2]

    def local(release: str) -> dict[str, str]:
        named = local_images.variables(tag, release)
        return {name: named[f"BESEDKA_IMAGE_{name.upper()}"] for name in ("rocketchat", "mongo")}

    with workspaces.in_containers(contracts.load(), OLD, images=local) as made:
        yield made


def running(workspace: Workspace) -> tuple[str, str, str]:
    """Version of Rocket.Chat and of MongoDB as they answer, and MongoDB's compatibility version."""
    chat = str(RocketChat(workspace.contract.chat.url).info()["version"])
    with MongoClient[dict[str, object]](workspace.mongo_url) as client:
        told = client.admin.command("getParameter", featureCompatibilityVersion=1)
        series = ".".join(str(client.server_info()["version"]).split(".")[:2])
    return chat, series, told["featureCompatibilityVersion"]["version"]


def test_an_upgrade_keeps_what_was_there_and_a_failure_goes_back(
    workspace: ContainersWorkspace, tmp_path: Path
) -> None:
    text, steps = seed(workspace), list[str]()
    assert running(workspace) == ("7.7", "7.0", "7.0")

    def red(at: Workspace) -> str:
        steps.append(seed(at))
        return "a test is red"

    with pytest.raises(UpgradeFailedError, match="a test is red"):
        upgraded(workspace, [OLD, NEW], tmp_path / "first", red, lambda line: None)
    # An older MongoDB opens no newer files, so it stays.
    assert running(workspace) == ("7.7", "8.0", "8.0")
    assert holds(workspace, text), "what was written before the upgrade is lost"
    assert not holds(workspace, steps[0]), "what the failed stop wrote is still there"

    stops = upgraded(workspace, [OLD, NEW], tmp_path / "second", lambda at: "", lambda line: None)

    assert [stop.release for stop in stops] == [NEW]
    assert running(workspace) == ("8.9", "8.0", "8.0")
    assert holds(workspace, text), "what was written is lost"
    logs = Path(workspace.stack.folder) / "logs"
    assert len(list(logs.glob("rocketchat-*.log"))) >= 3, "the log of an exchanged container is lost"
