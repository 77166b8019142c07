"""Each variant of the contract on an embedded stack of its own: nothing may be called broken.

Every test is green, or says in its skip's first words that it does not apply.
"""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from besedka.contract import OVERLAYS_ENV
from tests import inner
from tests.cases import DOES_NOT_APPLY
from tests.variants.beside import BESIDE_ENV
from tests.variants.table import VARIANTS, Variant

pytestmark = pytest.mark.variants

_SMALL = ("--no-diagnosis", "--postgres=none", "--redis=none")
# Ten seconds on two quiet cores; many times as much on a machine that others load.
_SECONDS = 300


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.path.stem)
def test_everything_is_right_on_the_variant(variant: Variant, tmp_path: Path) -> None:
    told = {OVERLAYS_ENV: str(variant.path), BESIDE_ENV: json.dumps(variant.beside)} | variant.environment
    record = tmp_path / "record.xml"

    finished = inner.run(*variant.asked, *_SMALL, f"--junitxml={record}", more=told, seconds=_SECONDS)

    assert finished.returncode == 0, f"{variant.name} ({variant.reason})\n{finished.stdout}{finished.stderr}"
    cases = list(ElementTree.parse(record).iter("testcase"))
    skipped = [found.get("message", "") for case in cases for found in case.iter("skipped")]
    assert [reason for reason in skipped if not reason.startswith(DOES_NOT_APPLY)] == []
    assert len(cases) - len(skipped) >= len(variant.asked), "nearly nothing was asked"
