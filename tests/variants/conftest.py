"""`variants`: a stack for each overlay, and runs of tests on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.variants.forked_stack import Variants


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Variants]:
    """One for all overlays of a worker."""
    # The runs on each stack read this file, too; to import what starts stacks costs them half a second.
    from tests.variants.forked_stack import Variants  # noqa: PLC0415

    made = Variants(tmp_path_factory.mktemp("variants"))
    try:
        yield made
    finally:
        made.close()
