"""The list of checks on paper, and the codes in the source: both are what the checks declare."""

from __future__ import annotations

import re
from pathlib import Path

from besedka.checks import document
from besedka.checks.catalogue import checks_for
from besedka.checks.check import LAYERS
from besedka.contract import PROJECT_ROOT, Contract

_CODE = re.compile(rf'"((?:{"|".join(LAYERS)})\.[a-z_]+\.[a-z_]+)"')


def test_the_page_is_up_to_date(contract: Contract) -> None:
    page = (PROJECT_ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert page == document.text(), "run: python -m besedka.checks.document > docs/doctor.md"


def test_every_code_in_the_source_is_declared(contract: Contract) -> None:
    declared = {code for check in checks_for(contract) for code in check.codes}
    folder = Path(document.__file__).parent
    written = {code for path in folder.glob("*.py") for code in _CODE.findall(path.read_text("utf-8"))}
    assert written - declared == set()
    assert len(written) > 40


def test_codes_are_unique(contract: Contract) -> None:
    codes = [code for check in checks_for(contract) for code in check.codes]
    assert len(codes) == len(set(codes))
