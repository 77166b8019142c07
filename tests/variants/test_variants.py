"""Each variant of the contract on an embedded stack of its own: nothing may be called broken.

Every test is green, or says in its skip's first words that it does not apply.
"""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from besedka.contract import OVERLAYS_ENV
from fixtures.features import DOES_NOT_APPLY
from tests import inner
from tests.variants.beside import BESIDE_ENV
from tests.variants.forked_stack import Variants
from tests.variants.table import ALWAYS, VARIANTS, Variant

pytestmark = pytest.mark.variants

# Ten seconds on two quiet cores; many times as much on a machine that others load.
_SECONDS = 300


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.path.stem)
def test_everything_is_right_on_the_variant(variant: Variant, variants: Variants, tmp_path: Path) -> None:
    told = {OVERLAYS_ENV: str(variant.path), BESIDE_ENV: json.dumps(variant.beside)} | variant.environment
    record = tmp_path / "record.xml"

    finished = variants.run(
        variant.path,
        variant.services,
        told,
        (*inner.WORDS, *variant.asked, "--no-diagnosis", f"--junitxml={record}"),
        seconds=_SECONDS,
    )

    assert finished.status == 0, f"{variant.name} ({variant.reason})\n{finished.printed}"
    cases = list(ElementTree.parse(record).iter("testcase"))
    skipped = [found.get("message", "") for case in cases for found in case.iter("skipped")]
    assert [reason for reason in skipped if not reason.startswith(DOES_NOT_APPLY)] == []
    assert len(cases) - len(skipped) >= len((*ALWAYS, *variant.tests)), "nearly nothing was asked"
