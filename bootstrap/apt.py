"""Packages of Debian and Ubuntu, where this user may install them."""

import os
import shutil
from pathlib import Path

from bootstrap.errors import SetupError, Status, failure
from bootstrap.process import execute, say

# Another apt-get may be at work, as on a machine that has just been started.
APT_GET = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"]


def usable() -> bool:
    """Whether this is Debian or Ubuntu, and this user is root."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return is_root and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def install(package: str) -> None:
    """Install a package with what it needs. Raises SetupError, also where it would come as a snap."""
    say(f"setup: apt-get install {package}")
    # What an interrupted apt-get left half done, it would otherwise refuse to go on from.
    execute(["dpkg", "--configure", "-a"])
    # A new machine has no lists, an old one outdated lists; where this fails, the lists at hand may yet do.
    updated, update_output = execute([*APT_GET, "update"])
    asked = ["install", "--yes", "--no-install-recommends", package]
    if "\nInst snapd " in execute([*APT_GET, "--simulate", *asked])[1]:
        raise SetupError(
            Status.FAILED,
            "this system has it as a snap only, which needs systemd",
            expected="an ordinary package",
            where=f"apt-get install {package}",
            next_step=f"install it yourself: snap install {package}",
        )
    status, output = execute([*APT_GET, *asked])
    if status != 0:
        raise failure(output if updated == 0 else update_output + "\n" + output, f"apt-get install {package}")
