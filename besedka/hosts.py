"""Host names of a stack behind a proxy: led to this machine for every client, without /etc/hosts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from besedka.resolver import sitecustomize

_FOLDER = Path(sitecustomize.__file__).parent
HERE = "127.0.0.1"


def lead(names: Iterable[str]) -> None:
    """Let this process's clients, and those of all that it starts, find the names on this machine."""
    pairs = sitecustomize.led() | dict.fromkeys(map(str.lower, names), HERE)
    os.environ[sitecustomize.VARIABLE] = ",".join(f"{name}={address}" for name, address in pairs.items())
    heed()


def heed() -> None:
    """Find names where the environment says; without a word of it nothing changes."""
    if sitecustomize.led():
        sitecustomize.install()


def led() -> tuple[str, ...]:
    """The names that are led here."""
    return tuple(sitecustomize.led())


def is_led_here(name: str) -> bool:
    """Whether the name was led to this machine."""
    return name.lower() in sitecustomize.led()


def environment(python_path: Iterable[Path] = ()) -> dict[str, str]:
    """What a service in Python or Node.js has to be told to find the names; nothing where there are none."""
    if not sitecustomize.led():
        return {}
    return {
        sitecustomize.VARIABLE: os.environ[sitecustomize.VARIABLE],
        "PYTHONPATH": os.pathsep.join(map(str, (_FOLDER, *python_path))),
        "NODE_OPTIONS": " ".join(("--require", _quoted(str(_FOLDER / "hosts.cjs")))),
    }


def _quoted(path: str) -> str:
    """As Node.js reads NODE_OPTIONS: a blank ends a word, but not in quotation marks; a backslash escapes."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def switches() -> list[str]:
    """What Chromium has to be told."""
    rules = ",".join(f"MAP {name} {address}" for name, address in sitecustomize.led().items())
    return [f"--host-resolver-rules={rules}"] if rules else []
