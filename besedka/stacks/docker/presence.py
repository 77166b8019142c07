"""Whether this machine has a Docker engine, without asking one."""

from __future__ import annotations

import json
import os
from pathlib import Path

_SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock")


def engine_is_likely() -> bool:
    """Whether anything points to an engine; asks none."""
    if os.name == "nt" or os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT"):
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    sockets = [*_SOCKETS, *([f"{runtime}/docker.sock"] if runtime else [])]
    return any(Path(name).expanduser().exists() for name in sockets) or _names_a_context()


def _names_a_context() -> bool:
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(config.get("currentContext"))
