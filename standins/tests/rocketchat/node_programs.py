"""Programs in `node/`: clients of others from npm, installed once for each lock, and run.

They are installed into `.besedka/node/<hash of the lock>`. Scripts of their own do not run, and peers that
only a compiler wants are left out. The lock names no registry host: npm asks the one it is set up with.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from besedka.contract import PROJECT_ROOT

from .client import Json

PROGRAMS = Path(__file__).with_name("node")
INSTALLED = PROJECT_ROOT / ".besedka" / "node"
# The oldest Node whose `fetch` is not experimental any more; both clients want one.
OLDEST = 18
INSTALL_SECONDS, RUN_SECONDS = 300, 60


def missing() -> str | None:
    """Why no program of Node can be run here, None where one can."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return f"no {'node' if node is None else 'npm'} on PATH; Node {OLDEST} or newer with npm runs them"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major = re.match(r"v(\d+)\.", said)
    if major is None or int(major[1]) < OLDEST:
        return f"node is {said}, wanted {OLDEST} or newer"
    return None


def packages() -> Path:
    """The folder of the installed packages. Fails the test with npm's words when npm cannot install them."""
    lock = PROGRAMS / "package-lock.json"
    folder = INSTALLED / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # workers of one run wait for the one that installs
        if not done.exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PROGRAMS / name, folder)
            options = ["--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund"]
            npm = subprocess.run(
                [str(shutil.which("npm")), "ci", *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS,
                check=False,
            )
            if npm.returncode:
                pytest.fail(f"npm ci in {folder} ended with {npm.returncode}:\n{npm.stderr}", pytrace=False)
            done.touch()
    return folder / "node_modules"


def run(program: str, task: Json) -> Json:
    """What a program saw. `task` goes in on standard input, where nobody lists passwords."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    node = subprocess.run(
        [str(shutil.which("node")), str(PROGRAMS / program)],
        env=environment | {"NODE_PATH": str(packages())},
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert node.returncode == 0, f"{program} ended with {node.returncode}:\n{node.stderr}"
    saw: Json = json.loads(node.stdout)
    return saw
