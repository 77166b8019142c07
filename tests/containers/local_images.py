"""Local images for an engine without a registry; see images/Dockerfile.

The base is Debian with PostgreSQL, Redis, Python and what the stand-ins import. It takes a minute to make. So
it is kept as a file under .besedka/images, named by what it is made of. The images on it hold the stand-ins
as they are now and are built anew each time, in seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from besedka.contract import PROJECT_ROOT

CACHE = PROJECT_ROOT / ".besedka" / "images"
IMAGES = Path(__file__).with_name("images")
SUITE = "bookworm"
DEBIAN_PACKAGES = ("postgresql", "redis-server", "python3")
PYTHON = "3.11"  # bookworm's
# What standins/ imports; versions are those of requirements.lock.
PYTHON_PACKAGES = ("bcrypt", "mongomock", "starlette", "uvicorn", "websockets", "pymongo", "httpx")
# Documentation, caches and PostgreSQL's compiler: half of the image, and used by nobody.
NEEDLESS = (
    "var/cache/apt/archives/*.deb",
    "var/lib/apt/lists/*",
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/locale/*",
    "usr/lib/postgresql/*/lib/bitcode",
    "usr/lib/postgresql/*/lib/llvmjit*",
    "usr/lib/x86_64-linux-gnu/libLLVM*",
    "usr/lib/llvm*",
)
# Version of Rocket.Chat → what MongoDB's stand-in beside it says of itself.
VERSIONS = {"7.7.1": "7.0.0", "6.4.8": "7.0.0", "8.9.0": "8.0.0"}
REPOSITORY = "besedka-local"
BUILD_SECONDS = 400


class NoImagesHereError(Exception):
    """The base image cannot be made; the text is the one line that the skipped tests show."""


def build(client: Any) -> dict[str, str]:
    """Make all images on the engine; returns the variables that put them in the services' places."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        base = _base(client)
        return _on(client, base)


def variables(tag: str, chat_version: str = "7.7.1") -> dict[str, str]:
    """BESEDKA_IMAGE_* for one version of Rocket.Chat."""
    held = {"mongo": VERSIONS[chat_version], "rocketchat": chat_version}
    tags = {"postgres": tag, "redis": tag} | {name: f"{version}-{tag}" for name, version in held.items()}
    return {f"BESEDKA_IMAGE_{name.upper()}": f"{REPOSITORY}/{name}:{mark}" for name, mark in tags.items()}


def _on(client: Any, base: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(IMAGES, context / "images", ignore=ignored)
        shutil.copytree(
            PROJECT_ROOT / "standins",
            context / "standins",
            ignore=shutil.ignore_patterns("__pycache__", "tests"),
        )
        tag = _digest(base, *_files(context))
        wanted = [("postgres", ""), ("redis", "")]
        wanted += [("mongo", v) for v in sorted(set(VERSIONS.values()))] + [
            ("rocketchat", v) for v in VERSIONS
        ]
        for target, version in wanted:
            name = f"{REPOSITORY}/{target}:{version}-{tag}" if version else f"{REPOSITORY}/{target}:{tag}"
            if not client.images.list(name=name):
                client.images.build(
                    path=folder,
                    dockerfile="images/Dockerfile",
                    target=target,
                    tag=name,
                    rm=True,
                    buildargs={"BASE": base, "RC_VERSION": version, "MONGO_VERSION": version},
                )
    return variables(tag)


def _base(client: Any) -> str:
    archive = _archive()
    mark = archive.stem.removeprefix("base-")
    name = f"{REPOSITORY}/base:{mark}"
    if not client.images.list(name=name):
        client.api.import_image_from_file(str(archive), repository=f"{REPOSITORY}/base", tag=mark)
    return name


def _archive() -> Path:
    archive = CACHE / f"base-{_digest(SUITE, *DEBIAN_PACKAGES, *_constraints(), *NEEDLESS)}.tar"
    if not archive.exists():
        if os.geteuid() != 0 or shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin") is None:
            raise NoImagesHereError("local images are made by debootstrap, as root")
        for old in CACHE.glob("base-*.tar*"):
            old.unlink()
        _make(archive)
    return archive


def _make(archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        root = Path(folder) / "root"
        _run("debootstrap", "--variant=minbase", f"--include={','.join(DEBIAN_PACKAGES)}", SUITE, str(root))
        _run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"),
            *("--target", str(root / f"usr/local/lib/python{PYTHON}/dist-packages")),
            *("--python-version", PYTHON, "--platform", f"manylinux2014_{os.uname().machine}"),
            *_constraints(),
        )
        for pattern in NEEDLESS:
            for path in root.glob(pattern):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        draft = archive.with_suffix(".tar.draft")
        _run("tar", "-C", str(root), "-cf", str(draft), ".")
        draft.rename(archive)


def _constraints() -> list[str]:
    """`name==version` of each package that the stand-ins import, from the lock."""
    lock = (PROJECT_ROOT / "requirements.lock").read_text("utf-8")
    found = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock, re.MULTILINE))
    return [f"{name}=={found[name]}" for name in PYTHON_PACKAGES]


def _files(folder: Path) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [f"{path.relative_to(folder)} {path.read_bytes().hex()}" for path in paths]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _run(*command: str) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    finished = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        env=dict(os.environ) | {"PATH": path},
        check=False,
    )
    assert finished.returncode == 0, (
        f"{command[0]} ended with {finished.returncode}: {finished.stderr[-2000:]}"
    )
