"""The settings registry: which settings each version of Rocket.Chat knows, and which of our steps it allows.

The data lies in `catalogue/*.json`, each file naming its source; a file with `base` holds differences only.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from besedka.errors import BesedkaError

_FOLDER = Path(__file__).with_name("catalogue")
# A version line is told by its major number: 6.4.8 stands for 6.x, and so on.
VERSIONS = ("6.4.8", "7.7.1", "8.x", "9.x")
_CUSTOM = re.compile(r"^Accounts_OAuth_Custom-([A-Z][A-Za-z0-9_]*)(-[a-z_]+)?$")
_NEAR_ENOUGH = 0.82

Allowed = Literal["yes", "no", "licence", "environment"]


class UnknownVersionError(BesedkaError):
    """Rocket.Chat is of a version that the registry does not know."""

    exit_status = 32


@dataclass(frozen=True)
class Setting:
    """One registered setting. `modules` are the licence modules without which it reads as `invalid`."""

    id: str
    type: str
    public: bool
    default: Any
    group: str
    section: str
    label: str
    values: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    invalid: Any = None
    hidden: bool = False

    @property
    def enterprise(self) -> bool:
        """Whether a licence decides about the effective value."""
        return bool(self.modules)


@dataclass(frozen=True)
class Step:
    """Whether a version lets us take a step: yes, no, with a licence, or with an environment variable."""

    allowed: Allowed
    how: str


@dataclass(frozen=True)
class Catalogue:
    """What one version line knows. Ids of a Custom OAuth service hold its capitalised name."""

    version: str
    source: str
    settings: dict[str, Setting] = field(repr=False)
    steps: dict[str, Step] = field(repr=False)
    oauth_flows: tuple[str, ...] = ("client",)
    mongo: tuple[str, ...] = ()

    def setting(self, setting_id: str) -> Setting | None:
        """The setting of that id, None if this version registers none (or the selection lacks it)."""
        custom = _CUSTOM.match(setting_id)
        if custom is None:
            return self.settings.get(setting_id)
        return self.settings.get(f"Accounts_OAuth_Custom-*{custom.group(2) or ''}")

    def path(self, setting_id: str, language: Literal["en", "ru"]) -> str:
        """Where an administrator finds the setting; empty for one that is not known."""
        known = self.setting(setting_id)
        if known is None:
            return ""
        column, labels = ("en", "ru").index(language), _labels()
        name = _CUSTOM.match(setting_id)
        section = known.section.replace("*", name.group(1) if name else "*")
        parts = [
            labels["root"][column],
            _label(labels["groups"], known.group, column),
            _label(labels["sections"], section, column) if section else "",
            _label(labels["labels"], known.label, column),
        ]
        return " → ".join(part for part in parts if part)

    def near(self, unknown_id: str) -> str:
        """The id that was probably meant: "" when there is none.

        Three things are compared: known inventions, the English labels of the admin pages, and the spelling
        of the ids. People make ids out of those labels.
        """
        invented: dict[str, str] = _labels()["invented"]
        if unknown_id in invented:
            return invented[unknown_id]
        flat = _flat(unknown_id)
        for key, texts in _labels()["labels"].items():
            if flat == _flat(texts[0]) and key in self.settings:
                return str(key)
        by_flat = {_flat(known): known for known in self.settings if "*" not in known}
        return next(
            (by_flat[close] for close in difflib.get_close_matches(flat, by_flat, 1, _NEAR_ENOUGH)), ""
        )


def for_version(version: str) -> Catalogue:
    """The registry of a version such as `7.7` or `7.7.1`. Raises UnknownVersionError."""
    major = version.partition(".")[0]
    for name in VERSIONS:
        if major in _raw(name)["covers"]:
            return load(name)
    raise UnknownVersionError(
        f"Rocket.Chat {version}",
        expected=f"a version that the settings registry knows: {', '.join(VERSIONS)}",
        where=str(_FOLDER.name),
        next_step="add the version's differences to besedka/rocketchat/catalogue/",
    )


@cache
def load(name: str) -> Catalogue:
    """The registry of one of VERSIONS."""
    raw = _raw(name)
    base_name = raw.get("base")
    base = load(_file_of(base_name)) if base_name else None
    settings = dict(base.settings) if base else {}
    settings |= {row.id: row for part in raw.get("groups", ()) for row in _rows(part)}
    for gone in raw.get("absent", ()):
        settings.pop(gone)
    for changed, fields in raw.get("changed", {}).items():
        old = settings[changed]
        settings[changed] = Setting(**(vars(old) | fields | {"modules": tuple(fields["modules"])}))
    steps = dict(base.steps) if base else {}
    steps |= {step: Step(row["allowed"], row["how"]) for step, row in raw["steps"].items()}
    return Catalogue(
        version=raw["version"],
        source=raw["source"],
        settings=settings,
        steps=steps,
        oauth_flows=tuple(raw["oauth_flows"]),
        mongo=tuple(raw.get("mongo", ())),
    )


@cache
def _raw(name: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return raw


def _labels() -> dict[str, Any]:
    return _raw("labels")


def _file_of(version: str) -> str:
    return next(name for name in VERSIONS if _raw(name)["version"] == version)


def _rows(part: dict[str, Any]) -> list[Setting]:
    rows = []
    for setting_id, kind, public, default, label, *more in part["settings"]:
        extra = more[0] if more else {}
        rows.append(
            Setting(
                setting_id,
                kind,
                public,
                default,
                part["group"],
                part["section"],
                label,
                values=tuple(extra.get("values", ())),
                modules=tuple(extra.get("modules", ())),
                invalid=extra.get("invalid"),
                hidden=bool(extra.get("hidden")),
            )
        )
    return rows


def _label(table: dict[str, list[str]], key: str, column: int) -> str:
    texts = table.get(key)
    if texts is None:
        return key.replace("_", " ")
    return texts[column] if column < len(texts) else texts[0]


def _flat(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
