"""`besedka upgrade` on the stand-in's data: what was written stays, each stop is right, and a failure goes back.

Here the stand-in speaks the one version, then the other; the nightly does the same with the images.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka import contract as contracts
from besedka.contract import OVERLAYS_ENV
from besedka.restart import workspaces
from besedka.restart.upgrade import UpgradeFailedError, Workspace, holds, seed, upgraded
from besedka.restart.workspaces import EmbeddedWorkspace
from besedka.rocketchat.database import ChatDatabase
from besedka.rocketchat.rest import RocketChat
from besedka.stacks import versions
from fixtures.options import STACK_OPTION
from tests import inner
from tests.variants.table import ALWAYS

pytestmark = pytest.mark.variants


def version_of(workspace: Workspace) -> str:
    return str(RocketChat(workspace.contract.chat.url).info()["version"])


def written(workspace: EmbeddedWorkspace) -> list[str]:
    """What people have written into the default room."""
    with ChatDatabase(workspace.mongo_url) as data:
        room = workspace.contract.default_channel.name
        return [row["msg"] for row in data.messages(room) if "t" not in row]


@pytest.fixture(scope="module", params=versions.upgrades(), ids="-".join)
def step(request: pytest.FixtureRequest) -> tuple[str, str]:
    """One line on."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def workspace(step: tuple[str, str]) -> Iterator[EmbeddedWorkspace]:
    """One for both tests of a step: the first goes back to where it began, and the second goes on."""
    with workspaces.embedded_at(contracts.load(), step[0]) as made:
        yield made


def test_a_stop_that_fails_leaves_all_as_it_was(
    step: tuple[str, str], workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    old, new = step
    text = seed(workspace)
    before = written(workspace)
    assert text in before

    def tests(at: Workspace) -> str:
        seed(at)
        return "a test is red"

    with pytest.raises(UpgradeFailedError, match="a test is red"):
        upgraded(workspace, versions.path(old, new), tmp_path / "dump", tests, lambda line: None)

    assert old.startswith(version_of(workspace)), "the old version does not run again"
    assert written(workspace) == before


def test_everything_is_right_after_an_upgrade(
    step: tuple[str, str], workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    old, new = step
    assert old.startswith(version_of(workspace)), "the old version does not run"
    text = seed(workspace)

    def tests(at: Workspace) -> str:
        told = tmp_path / "stack.json"
        told.write_text(workspace.stack.to_json(), "utf-8")
        release = workspaces.overlay(str(at.contract.chat.version), tmp_path)
        more = {OVERLAYS_ENV: str(release)}
        finished = inner.run(*ALWAYS, f"{STACK_OPTION}={told}", more=more)
        assert " skipped" not in finished.stdout.splitlines()[-1], finished.stdout
        return finished.stdout + finished.stderr if finished.returncode else ""

    stops = upgraded(workspace, versions.path(old, new), tmp_path / "dump", tests, lambda line: None)

    assert [stop.release for stop in stops] == [new]
    assert new.startswith(version_of(workspace)), "the new version does not run"
    assert holds(workspace, text), "what was written is lost"
