"""uv, which installs the lock in a tenth of pip's time: the one on PATH, or one from the package index.

The program from the index stays in the project's folder, and only while it works: it is larger than all that
`run.py doctor` needs.
"""

import contextlib
import hashlib
import io
import os
import platform
import re
import shutil
import ssl
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag, urljoin

from bootstrap import pip_settings
from bootstrap.process import execute, say

VERSION = "0.13.9"
# The first uv that takes the lock as it is, with `uv venv --clear`.
OLDEST = (0, 8)
SECONDS = 20.0
# Tag and SHA-256 of each wheel, as https://pypi.org/simple/uv/ gives them; Linux's are linked statically.
WHEELS = {
    ("linux", "x86_64"): (
        "musllinux_1_1_x86_64",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    ("linux", "aarch64"): (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    ("darwin", "x86_64"): (
        "macosx_10_12_x86_64",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
    ("darwin", "arm64"): (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
    ("win32", "x86_64"): (
        "win_amd64",
        "6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b",
    ),
}
_MACHINES = {"amd64": "x86_64"}


class Uv:
    """The installer; `environment` is added to its runs' own."""

    def __init__(self, program: str, name: str, folder: Path) -> None:
        self.program = program
        self.name = name
        self.environment = pip_settings.for_uv() | _trust() | {"UV_PYTHON_DOWNLOADS": "never"}
        cache = _cache() if _can_be_made(_cache()) else folder / "cache"
        self.environment["UV_CACHE_DIR"] = str(cache)

    def venv(self, python: str, folder: Path) -> list[str]:
        """The command that makes an empty .venv, in place of what may be there."""
        return [self.program, "venv", "--quiet", "--clear", "--no-project", "--python", python, str(folder)]

    def install(self, python: Path, lock: Path) -> list[str]:
        """The command that installs the lock, each file by its hash."""
        options = ["--require-hashes", "--no-progress", "--python", str(python)]
        return [self.program, "pip", "install", *options, "-r", str(lock)]

    @staticmethod
    def changed(output: str) -> bool:
        """Whether it had begun to change .venv when it failed: it fetches everything before."""
        return "Prepared " in output


@contextlib.contextmanager
def installed(folder: Path) -> Iterator[Uv | None]:
    """uv, or None where there is none and none can be had. `folder` is made for it, and removed after."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        there = shutil.which("uv")
        if there and (version := _version(there)) >= OLDEST:
            yield Uv(there, "uv " + ".".join(map(str, version)), folder)
        else:
            program = _fetched(folder)
            yield Uv(str(program), f"uv {VERSION}", folder) if program else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # the folder above may have other use
            folder.parent.rmdir()


def _version(program: str) -> tuple[int, ...]:
    """The version that the program names; empty where it does not run."""
    status, output = execute([program, "--version"])
    named = re.match(r"uv (\d+)\.(\d+)\.(\d+)", output) if status == 0 else None
    return tuple(map(int, named.groups())) if named else ()


def _trust() -> dict[str, str]:
    """Have uv trust what this machine trusts, such as a proxy's authority; by itself it knows its own list.

    The name of the variable changed from one uv to another. A machine without authorities keeps uv's list.
    """
    if not ssl.create_default_context().cert_store_stats()["x509_ca"]:
        return {}
    return {name: os.environ.get(name, "true") for name in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS")}


def _cache() -> Path:
    """Where uv keeps what it has fetched (its documentation, "Caching", "Cache directory")."""
    if named := os.environ.get("UV_CACHE_DIR"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", os.path.expanduser("~")), "uv", "cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "uv")


def _can_be_made(folder: Path) -> bool:
    """Whether this user may write there: a home may be read-only, or none at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _fetched(folder: Path) -> Path | None:
    """The program out of the index's wheel; None where it cannot be had."""
    machine = platform.machine().lower()
    known = WHEELS.get((sys.platform, _MACHINES.get(machine, machine)))
    if known is None:
        return None
    tag, digest = known
    say(f"setup: fetching uv {VERSION}")
    try:
        wheel = _download(f"uv-{VERSION}-py3-none-{tag}.whl")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        say(f"setup: no uv ({str(reason)[:120]}); pip takes its place, and takes longer")
        return None
    if hashlib.sha256(wheel).hexdigest() != digest:
        say("setup: the uv that the index has is not the one we know; pip takes its place")
        return None
    name = "uv.exe" if sys.platform == "win32" else "uv"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        member = next(row for row in archive.namelist() if row.endswith(f".data/scripts/{name}"))
        (folder / name).write_bytes(archive.read(member))
    (folder / name).chmod(0o755)
    return folder / name


def _download(file: str) -> bytes:
    """The file of that name from the index that pip is configured for. OSError or ValueError."""
    told = pip_settings.for_uv()
    index = os.environ.get("UV_DEFAULT_INDEX") or told.get("UV_DEFAULT_INDEX") or pip_settings.DEFAULT_INDEX
    if "UV_NO_INDEX" in told:
        raise ValueError("pip is told to use no index")
    context = ssl.create_default_context(cafile=told.get("SSL_CERT_FILE"))
    handlers = [urllib.request.HTTPSHandler(context=context)]
    opener = urllib.request.build_opener(*handlers)
    page = f"{index.rstrip('/')}/uv/"
    with opener.open(page, timeout=SECONDS) as answered:
        links = re.findall(r'href="([^"]+)"', answered.read().decode("utf-8"))
    link = next(
        (row for row in links if urldefrag(row).url.endswith(f"/{file}") or urldefrag(row).url == file), None
    )
    if link is None:
        raise ValueError(f"{index} has no {file}")
    with opener.open(urljoin(page, urldefrag(link).url), timeout=SECONDS) as answered:
        content: bytes = answered.read()
    return content
