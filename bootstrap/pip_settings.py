"""Where this machine's pip gets packages from, said in uv's words: uv reads no configuration of pip.

The names are those of pip's "Configuration" page and of uv's "Environment variables" page.
"""

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path

DEFAULT_INDEX = "https://pypi.org/simple"
# pip's option, uv's variable, and what stands between two values of it.
_SAME: tuple[tuple[str, str, str], ...] = (
    ("index-url", "UV_DEFAULT_INDEX", " "),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("cert", "SSL_CERT_FILE", " "),
    ("proxy", "ALL_PROXY", " "),
)


def for_uv(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that make uv look where pip would look; what the user told uv himself stays."""
    told = _settings(environment)
    found = {
        theirs: between.join(
            value for value in told[ours].split() if ours != "find-links" or _is_there(value)
        )
        for ours, theirs, between in _SAME
        if told.get(ours) and not environment.get(theirs)
    }
    if told.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        found["UV_NO_INDEX"] = "1"
    # The hashes of the lock say which file is meant, whichever index has it.
    return {name: value for name, value in found.items() if value} | {
        "UV_INDEX_STRATEGY": "unsafe-best-match"
    }


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Options of pip by their long names; variables before files, the user's before the system's."""
    found: dict[str, str] = {}
    for path in _files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= dict(parser.items(section))
    for name, value in environment.items():
        if name.startswith("PIP_"):
            found[name[4:].lower().replace("_", "-")] = value
    return found


def _files(environment: Mapping[str, str]) -> list[Path]:
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        places = [
            Path(environment.get("PROGRAMDATA", "C:/ProgramData"), "pip/pip.ini"),
            home / "pip/pip.ini",
            Path(environment.get("APPDATA", str(home)), "pip/pip.ini"),
        ]
    else:
        shared = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        own = environment.get("XDG_CONFIG_HOME") or str(home / ".config")
        places = [
            *(Path(folder, "pip/pip.conf") for folder in reversed(shared.split(os.pathsep))),
            Path("/etc/pip.conf"),
            home / ".pip/pip.conf",
            Path(own, "pip/pip.conf"),
        ]
        if sys.platform == "darwin":
            places.insert(0, Path("/Library/Application Support/pip/pip.conf"))
    return [*places, *([Path(named)] if named else [])]


def _is_there(place: str) -> bool:
    """Whether it may hold packages: pip passes by a folder that does not exist, uv stops at it."""
    return "://" in place or Path(place).exists()
