"""Rocket.Chat itself, from a server bundle that the user has unpacked, run by the user's Node.js.

What a bundle is, from Rocket.Chat's and Meteor's sources (no bundle has been met by this code):
- `main.js`, `star.json` (`nodeVersion`), `.node_version.txt`, `programs/server`, `programs/web.browser`:
  meteor/meteor `tools/isobuild/bundler.js`; `npm install` in `programs/server` is the installer's step
  (Rocket.Chat's `apps/meteor/.docker/Dockerfile`);
- the version is in the compiled module `rocketchat.info.js` of `programs/server/app/app.js`, written by
  `apps/meteor/packages/rocketchat-version/plugin/compile-version.js`;
- Rocket.Chat wants three things and otherwise ends itself (`apps/meteor/server/startup/serverRunning.js`).
  Node.js is of the major version of `.node_version.txt`. MongoDB has a replica set. MongoDB is new enough.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from besedka.contract import Contract
from besedka.errors import StackStartError
from besedka.stacks import versions
from besedka.stacks.docker.engine_errors import ImageVersionError
from besedka.stacks.process.processes import ServiceProcess
from besedka.stacks.services import programs
from besedka.stacks.services.chat_client import CLIENT, PROGRAM

OPTION = "--rocketchat-bundle"
BUNDLE_ENV = "BESEDKA_ROCKETCHAT_BUNDLE"
_CLIENT_PROGRAM = f"{CLIENT}/{PROGRAM}"
_PARTS = (
    "main.js",
    "star.json",
    "programs/server/boot.js",
    "programs/server/package.json",
    _CLIENT_PROGRAM,
)
_APP = "programs/server/app/app.js"
_VERSION = re.compile(rb'exports\.Info\s*=\s*\{\s*"version"\s*:\s*"([^"\s]+)"')
# The same module as it is compiled into the client (seen in 6.5.3).
_CLIENT_VERSION = re.compile(rb"""\bInfo\s*=\s*\{\s*"?version"?\s*:\s*["'](\d+\.\d+\.\d+)""")
_EXPECTED = "the folder `bundle` of a server bundle of Rocket.Chat, with main.js, star.json and programs/"


@dataclass(frozen=True)
class Bundle:
    """A bundle that can be started. `version` is None where the bundle does not say it."""

    folder: Path
    node: str
    version: str | None

    def contract(self, contract: Contract) -> Contract:
        """The contract for the bundle's version of Rocket.Chat."""
        return versions.of_contract(contract, self.version)

    def check_mongod(self, mongod: str | None, contract: Contract) -> None:
        """Raise StackStartError unless this is a real MongoDB of a series that the version accepts."""
        version = self.contract(contract).chat.version
        wanted = versions.mongo_series(version)
        expected = f"a MongoDB server of version {', '.join(wanted)}"
        if mongod is None:
            raise StackStartError(
                "Rocket.Chat itself needs a real MongoDB, and none was found: it ends itself without a "
                "replica set and its oplog, which the stand-in does not have",
                expected=expected,
                where="PATH, --mongod",
                next_step="install MongoDB and name it by --mongod PATH, or let --mongod=download fetch one",
            )
        found = programs.version(mongod, r"db version v(\d+\.\d+\.\d+)", expected="db version v<version>")
        if found.rpartition(".")[0] not in wanted:
            raise StackStartError(
                f"MongoDB {found} does not go with Rocket.Chat {version or 'of any version'}",
                expected=expected,
                where=mongod,
                next_step="name another by --mongod PATH; nothing was started",
            )

    def start(self, told: Mapping[str, str], *, log: Path) -> ServiceProcess:
        """Start the server on this machine's loopback with the environment that it is told."""
        environment = {"BIND_IP": "127.0.0.1"} | dict(told) | {"NODE_ENV": "production"}
        command = [self.node, "main.js"]
        return ServiceProcess("rocketchat", command, log=log, cwd=self.folder, environment=environment)


def find(named: str, node: str | None = None) -> Bundle:
    """The bundle in that folder, with the Node.js to run it: `node`, else the one on PATH.

    Raises StackStartError for whatever would keep it from starting; nothing has been started then.
    """
    folder = _folder(Path(named).expanduser())
    missing = [name for name in _PARTS if not (folder / name).is_file()]
    if missing and ((folder / PROGRAM).is_file() or (folder / CLIENT).is_dir()):
        found = f"this is the web client alone, without the server ({missing[0]} and others are not there)"
        raise _wrong(found, folder, "name the whole bundle here; --chat-client serves a client alone")
    if missing == [_CLIENT_PROGRAM]:
        raise _wrong(f"it has no web client: it lacks {missing[0]}", folder, "unpack the archive anew")
    if missing:
        raise _wrong(f"it lacks {', '.join(missing)}", folder, "unpack the archive anew")
    if not (folder / "programs/server/node_modules").is_dir():
        raise StackStartError(
            "the bundle's own packages are not installed: it has no programs/server/node_modules",
            expected="`npm install` done in programs/server, by the Node.js that runs it",
            where=str(folder),
            next_step=f"cd {folder / 'programs/server'} && npm install",
        )
    version, client = _version(folder), _client_version(folder)
    if version and client and version != client:
        found = f"its server is {version}, its web client {client}: they do not understand each other"
        raise _wrong(found, folder, "unpack one release's archive into an empty folder")
    return Bundle(folder, _node(node, _wanted_node(folder), folder), version or client)


def _folder(named: Path) -> Path:
    if named.is_file():
        raise _wrong("it is a file", named, f"unpack it (tar -xzf {named.name}) and name the folder")
    if not named.is_dir():
        raise _wrong("there is no such folder", named, f"correct {OPTION}, or {BUNDLE_ENV}")
    if (named / ".meteor").is_dir() or (named / "apps" / "meteor").is_dir():
        raise _wrong("these are Rocket.Chat's sources, not a bundle", named, "take a release's archive")
    inner = named / "bundle"
    return (inner if (inner / "main.js").is_file() and not (named / "main.js").is_file() else named).resolve()


def _wanted_node(folder: Path) -> str:
    """Version of Node.js that the bundle is made for, e.g. `22.14.0`."""
    try:
        said = json.loads((folder / "star.json").read_text(encoding="utf-8")).get("nodeVersion") or ""
        text = folder / ".node_version.txt"
        said = said or (text.read_text(encoding="utf-8") if text.is_file() else "")
    except (OSError, ValueError, AttributeError) as error:
        raise _wrong(f"star.json cannot be read: {error}", folder, "unpack the archive anew") from error
    found = re.fullmatch(r"v?(\d+\.\d+\.\d+)\s*", str(said))
    if found is None:
        message = f"neither star.json nor .node_version.txt says which Node.js it needs ({said!r})"
        raise _wrong(message, folder, "unpack the archive anew")
    return found[1]


def _node(named: str | None, wanted: str, folder: Path) -> str:
    major = wanted.partition(".")[0]
    expected = f"Node.js {major}, such as {wanted}, which the bundle was made with"
    if named:
        node = programs.named("--node", named, expected=expected, instead="leave it out to take PATH's")
    else:
        node = shutil.which("node") or ""
    if not node:
        raise StackStartError(
            "the bundle needs Node.js, and there is none",
            expected=expected,
            where="PATH, --node",
            next_step=f"install Node.js {wanted}, or name it by --node PATH",
        )
    found = programs.version(node, r"^v(\d+\.\d+\.\d+)", expected=expected)
    if found.partition(".")[0] != major:
        raise StackStartError(
            f"Node.js {found}, and Rocket.Chat ends itself under any other major version than its own",
            expected=expected,
            where=f"{node}, for {folder}",
            next_step=f"install Node.js {wanted} and name it by --node PATH; nothing was started",
        )
    return node


def _version(folder: Path) -> str | None:
    app = folder / _APP
    version = _said(app, _VERSION) if app.is_file() else None
    return _supported(version, app) if version else None


def _supported(version: str, where: Path) -> str:
    """That version. Raises StackStartError for one that the suite does not know."""
    try:
        versions.pair(version)
    except ImageVersionError as error:
        next_step = "unpack another release's archive"
        raise StackStartError(
            error.found, expected=error.expected, where=str(where), next_step=next_step
        ) from error
    return version


def _client_version(folder: Path) -> str | None:
    """What the bundle's web client says; None where it says nothing."""
    scripts = sorted((folder / CLIENT).glob("*.js"))
    version = next((found for path in scripts if (found := _said(path, _CLIENT_VERSION))), None)
    return _supported(version, folder / CLIENT) if version else None


def _said(path: Path, pattern: re.Pattern[bytes]) -> str | None:
    if not path.stat().st_size:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found = pattern.search(text)
        return found[1].decode("utf-8", "replace") if found else None


def _wrong(found: str, where: Path, next_step: str) -> StackStartError:
    return StackStartError(
        f"{OPTION}: {found}",
        expected=_EXPECTED,
        where=str(where) + os.sep * where.is_dir(),
        next_step=next_step,
    )
