"""What stands in a set-up's way is told in one message with a next step. The next run goes on."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Checkout

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are shell scripts here")

NEEDED = f"nothing==1.0 --hash=sha256:{hashlib.sha256(b'').hexdigest()}\n"
# No user may make that folder, and root neither.
NO_HOME = "/proc/1/fd/home"
LIBRARIES = "lib/python{}.{}/site-packages".format(*sys.version_info[:2])
# `uv venv … FOLDER` and `uv pip install …`, as far as set-up sees them; `{ends}` is how the latter goes.
UV = """#!/bin/sh
[ "$1" = --version ] && echo uv 9.9.9 && exit
if [ "$1" = venv ]; then
    for folder; do :; done
    rm -rf "$folder" && mkdir -p "$folder/bin" "$folder/{libraries}" && ln -s "{python}" "$folder/bin/python"
    exit
fi
{ends}
"""
ENDS = {
    "a full disk": ("No space left on device (os error 28)", 22, "free some space"),
    "a changed file": ("Hash mismatch for `nothing==1.0`", 24, "do not install it"),
    "a cable that was pulled": ("error sending request for url (https://x/)", 23, "check network"),
}
MakeUv = Callable[[str], dict[str, str]]


@pytest.fixture
def uv(tmp_path: Path) -> MakeUv:
    """Puts a uv on PATH whose installation ends so; returns the environment to call run.py in."""

    def make(ends: str) -> dict[str, str]:
        program = tmp_path / "programs" / "uv"
        program.parent.mkdir(exist_ok=True)
        program.write_text(UV.format(libraries=LIBRARIES, python=sys.executable, ends=ends))
        program.chmod(0o755)
        return {"PATH": f"{program.parent}:/usr/bin:/bin", "LC_ALL": "C"}

    return make


def next_step(stderr: str) -> str:
    assert "Traceback" not in stderr
    (line,) = [line for line in stderr.splitlines() if line.startswith("next step: ")]
    return line


@pytest.mark.parametrize("way", ENDS)
def test_it_is_told_once_and_the_next_run_goes_on(checkout: Checkout, uv: MakeUv, way: str) -> None:
    said, status, advice = ENDS[way]

    failed = checkout.run("setup", **uv(f"echo 'error: {said}' >&2; exit 2"))

    assert failed.returncode == status, failed.stderr
    assert advice in next_step(failed.stderr)
    assert checkout.files() == checkout.before, "something was left behind"
    assert checkout.run("setup", **uv("exit 0")).returncode == 0


def test_without_uv_and_network(checkout: Checkout, uv: MakeUv) -> None:
    """Both are tried for real: uv's download, and pip, which must not take silence for a missing package."""
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
    nowhere |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "0", "PIP_RETRIES": "0"}
    checkout.lock.write_text(NEEDED)

    failed = checkout.run("setup", **nowhere, PATH="/usr/bin:/bin", LC_ALL="C")

    assert failed.returncode == 23, failed.stderr
    assert "pip takes its place" in failed.stderr
    assert "check network" in next_step(failed.stderr)
    assert checkout.files() == checkout.before
    assert checkout.run("setup", **uv("exit 0")).returncode == 0


def test_a_lock_that_does_not_fit(checkout: Checkout, uv: MakeUv) -> None:
    """uv says so, and pip, which is asked after it, agrees."""
    checkout.lock.write_text(NEEDED)

    failed = checkout.run(
        "setup", **uv("echo 'No solution found when resolving' >&2; exit 1"), PIP_FIND_LINKS=""
    )

    assert failed.returncode == 25, failed.stderr
    assert "which the lock is made for" in next_step(failed.stderr)
    assert checkout.files() == checkout.before
    assert checkout.run("setup", **uv("exit 0")).returncode == 0


def test_a_half_made_venv_is_made_anew(checkout: Checkout, uv: MakeUv) -> None:
    """As a run that was killed leaves one: files, but no stamp that vouches for them."""
    leftover = checkout.root / ".venv" / "lib" / "leftover"
    leftover.parent.mkdir(parents=True)
    leftover.touch()

    done = checkout.run("setup", **uv("exit 0"))

    assert done.returncode == 0, done.stderr
    assert not leftover.exists()
    assert (checkout.root / ".venv" / "besedka-setup.json").exists()


@pytest.mark.parametrize("link", [False, True], ids=["a folder", "a link"])
def test_a_venv_of_before_is_put_back(checkout: Checkout, uv: MakeUv, link: bool) -> None:
    """One that somebody made by hand, say, and no network to make a new one."""
    venv = checkout.root / ".venv"
    folder = checkout.root / "elsewhere" if link else venv
    folder.mkdir()
    (folder / "own").touch()
    if link:
        venv.symlink_to(folder)
    before = checkout.files()

    failed = checkout.run("setup", **uv("echo 'error sending request for url (https://x/)' >&2; exit 2"))

    assert failed.returncode == 23, failed.stderr
    assert venv.is_symlink() == link
    assert (venv / "own").exists()
    assert checkout.files() == before
    assert checkout.run("setup", **uv("exit 0")).returncode == 0
    assert not (venv / "own").exists()
    assert (folder / "own").exists() == link
    assert checkout.files() == before


def test_a_home_that_cannot_be_written_to_stops_nobody(checkout: Checkout, uv: MakeUv) -> None:
    writes = 'mkdir -p "$UV_CACHE_DIR" || exit 2'

    done = checkout.run("setup", **uv(writes), HOME=NO_HOME, XDG_CACHE_HOME="", UV_CACHE_DIR="")

    assert done.returncode == 0, done.stderr
    assert checkout.files() == checkout.before | {".venv"}, "what uv kept there instead is left behind"
