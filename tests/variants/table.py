"""The table of variants: one overlay file each (`besedka/overlays.py`), named by its file.

Beside what the contract's reader knows, `[overlay]` may say which tests are asked: `tests` adds node ids to
the questions that every variant is asked. `options` adds words to pytest's command line. `services` says how
the stack is started (`ServiceOptions`). `environment` sets variables of the run. `[overlay.beside]` makes
what the contract does not know (beside.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from besedka.overlays import HEADER, read
from besedka.stacks.services.options import ServiceOptions

FOLDER = Path(__file__).parent / "overlays"
ALWAYS = (
    "tests/variants/on_any_stack.py",
    "tests/e2e/test_sign_in.py::test_the_frame_walks_the_whole_chain_of_sso",
)
# The smallest stack: what is varied is the contract.
SMALL = ServiceOptions(postgres="none", redis="none")


@dataclass(frozen=True)
class Variant:
    """One contract that is unlike the runbook's."""

    path: Path
    name: str
    reason: str
    tests: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    services: ServiceOptions = SMALL

    @classmethod
    def of(cls, path: Path) -> Variant:
        """Read from its file; a variant without name or reason is a KeyError."""
        header: dict[str, Any] = read(path)[HEADER]
        return cls(
            path,
            header["name"],
            header["reason"],
            tuple(header.get("tests", ())),
            tuple(header.get("options", ())),
            header.get("environment", {}),
            header.get("beside", {}),
            replace(SMALL, **header.get("services", {})),
        )

    @property
    def asked(self) -> tuple[str, ...]:
        """What pytest is told to run."""
        return (*ALWAYS, *self.tests, *self.options, *self.services.given())


VARIANTS = [Variant.of(path) for path in sorted(FOLDER.glob("*.toml"))]
