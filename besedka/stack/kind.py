"""Which kind of stack a run gets: the one that was wished for, else containers where they can be had.

`auto` is no kind: it takes containers where a Docker engine answers and the images are there or in reach,
and the embedded stack where not, and says why.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from besedka.contract import Contract

AUTO = "auto"
KIND_ENV = "BESEDKA_STACK"
_SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock")


def resolved(wished: str, contract: Contract, version: str | None) -> tuple[str, str]:
    """The kind, and the reason for it, to be said at the head of a run; empty where it was wished for."""
    if wished != AUTO:
        return wished, ""
    if version:
        return "containers", "because a version of Rocket.Chat was named"
    if not engine_is_likely():
        return "embedded", "no Docker engine is here"
    # A second of imports, and questions to an engine, that a machine without Docker does without.
    from besedka.stack import containers, engine  # noqa: PLC0415

    _, services = containers.plan(contract)
    why_not = engine.unfit(services)
    return ("embedded", why_not) if why_not else ("containers", "a Docker engine answers")


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
