"""The embedded stack as a restart's target."""

from __future__ import annotations

from pathlib import Path

from besedka import contract as contracts
from besedka.restart.target import ComposeTarget
from besedka.stacks.model import Stack
from besedka.stacks.services import site_commands


def target_of(stack: Stack, folder: Path) -> ComposeTarget:
    assert stack.mongo_url
    assert stack.site_database_url
    assert stack.site_environment_file
    return ComposeTarget(
        project="embedded",
        contract=stack.contract(contracts.load()),
        mongo_url=stack.mongo_url,
        site_database_url=stack.site_database_url,
        site_environment=site_commands.recall(stack.site_environment_file),
        folder=folder,
    )
