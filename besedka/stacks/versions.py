"""Which Rocket.Chat the suite knows, and the MongoDB that goes with it.

The table with its sources is versions.toml. 9.0.0 made Custom OAuth a licensed feature. So what this suite
proves by default cannot be had there without a licence.

`python -m besedka.stacks.versions` prints the table for a matrix of GitHub's.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from besedka.contract import Contract
from besedka.stacks.docker.compose import ComposeService
from besedka.stacks.docker.engine_errors import ImageVersionError
from besedka.values import LINES

VERSION_ENV = "BESEDKA_ROCKETCHAT_VERSION"


@dataclass(frozen=True)
class Pair:
    """Rocket.Chat from `since` on (until the next row): MongoDB series it accepts, and the image we take.

    `release` is the one that the nightly runs, and that an upgrade passes through.
    """

    since: tuple[int, int]
    mongo_series: tuple[str, ...]
    mongo_image: str
    release: str


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def _pair(row: dict[str, Any]) -> Pair:
    return Pair((row["since"][0], row["since"][1]), tuple(row["mongo"]), row["image"], row["release"])


PAIRS = tuple(_pair(row) for row in _TABLE["line"])
WITHOUT_CUSTOM_OAUTH = _pair(_TABLE["end"])
_WHERE = "[chat] version, or --rocketchat-version"


def upgrades() -> list[tuple[str, str]]:
    """From which release to which a workspace is brought, one supported line at a time."""
    return list(pairwise(row.release for row in PAIRS))


def path(old: str, new: str) -> list[str]:
    """The releases from the one to the other, both included: one major version at a time.

    Raises ImageVersionError for a version outside the table, and for a way back.
    """
    first, last = PAIRS.index(pair(old)), PAIRS.index(pair(new))
    if _numbers(new) <= _numbers(old):
        raise ImageVersionError(
            f"Rocket.Chat {new} is not after {old}",
            expected="a later release: Rocket.Chat takes no database back",
            where="--from and --to",
            next_step="for a way back restore the dump of the earlier release; nothing was started",
        )
    return [old, *(row.release for row in PAIRS[first + 1 : last]), new]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def pair(version: str, sso: str = "oauth") -> Pair:
    """The row of a version such as `7.7.1`. Raises ImageVersionError for one the suite cannot test.

    `sso` is the contract's way of signing in: what needs no Custom OAuth has one row more.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ImageVersionError(
            f"Rocket.Chat {version!r} is no complete version",
            expected="three numbers, such as 6.4.8, 7.7.1 or 8.0.1",
            where=_WHERE,
            next_step="name a release; nothing was started",
        )
    major, minor, _ = (int(part) for part in version.split("."))
    number = (major, minor)
    if number >= WITHOUT_CUSTOM_OAUTH.since and sso == "iframe-auth":
        return WITHOUT_CUSTOM_OAUTH
    known = [row for row in PAIRS if row.since <= number]
    if not known or number >= WITHOUT_CUSTOM_OAUTH.since:
        raise ImageVersionError(
            f"Rocket.Chat {version} is not supported",
            expected="6.4 to 8.x; from 9.0 on Custom OAuth needs a licence (RocketChat/Rocket.Chat#42477)",
            where=_WHERE,
            next_step='name another release, or sso = "iframe-auth" in [chat]; nothing was started',
        )
    return known[-1]


def chosen(
    services: Mapping[str, ComposeService], version: str, variables: Mapping[str, str]
) -> dict[str, ComposeService]:
    """The services with the images of that version; an image that the environment names is kept."""
    images = {"mongo": pair(version).mongo_image}
    repository, _, tag = services["rocketchat"].image.rpartition(":")
    images["rocketchat"] = f"{repository}:{version}" if "/" not in tag else services["rocketchat"].image
    return {
        name: replace(service, image=images[name])
        if name in images and not variables.get(f"BESEDKA_IMAGE_{name.upper()}")
        else service
        for name, service in services.items()
    }


def mongo_series(version: str | None, sso: str = "oauth") -> tuple[str, ...]:
    """MongoDB series that a version accepts, every known one for None. Raises ImageVersionError."""
    rows = [pair(version, sso)] if version else PAIRS
    return tuple(dict.fromkeys(series for row in rows for series in row.mongo_series))


def of_image(service: ComposeService) -> str:
    """The version that an image's tag names. Raises ImageVersionError where it names none."""
    found = re.search(r":(\d+\.\d+\.\d+)", service.image)
    if found is None:
        raise ImageVersionError(
            f"neither the contract nor the image {service.image} names a version",
            expected="three numbers, such as 7.7.1",
            where="[chat] version, or docker-compose.local.yml",
            next_step="set [chat] version in besedka.toml; nothing was started",
        )
    return found[1]


def unlike(contract: Contract, version: str | None) -> bool:
    """Whether a version is another than the contract's; the third number makes no difference."""
    wanted = contract.chat.version
    return bool(wanted and version) and str(version).split(".")[:2] != str(wanted).split(".")[:2]


def of_contract(contract: Contract, version: str | None) -> Contract:
    """The contract for another version of Rocket.Chat, `8.x` included. Raises ImageVersionError."""
    if version is None:
        return contract
    version = LINES.get(version, version)
    pair(version, contract.chat.sso)
    return told(contract, version)


def told(contract: Contract, version: str | None) -> Contract:
    """The contract with that word about the version, whatever it is."""
    return contract.model_copy(update={"chat": contract.chat.model_copy(update={"version": version})})


if __name__ == "__main__":
    sys.stdout.write(f"list={json.dumps([row.release for row in PAIRS])}\n")
    steps = [{"from": old, "to": new} for old, new in upgrades()]
    sys.stdout.write(f"upgrades={json.dumps(steps)}\n")
