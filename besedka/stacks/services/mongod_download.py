"""`--mongod=download`: a MongoDB server by `pymongo_inmemory`, where the network lets it.

Of that library only the downloader and its table of archives are used (read in version 0.5.0, 2025-03): its
`Mongod` starts no replica set, and importing it puts a handler on SIGTERM, so all of it runs in a process
of its own. Three things it does are not taken over: it waits for a silent network without end; it takes
another series than the asked one without a word (8.0 for 7.0 on Debian 12), which Rocket.Chat may refuse;
it keeps half an archive for good. It compares no checksum: what is trusted is the address and its TLS.

As a program (`python -m besedka.stacks.services.mongod_download FOLDER SYSTEM RELEASE SERIES…`) it fetches
into FOLDER and prints the folder of the server's programs. Exit status: 0 done; 1 it failed, and standard
error says why.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.progress import Say

WISH = "download"
FOLDER = PROJECT_ROOT / ".besedka" / "mongod"
# An archive has some 100 MB.
BUDGET_SECONDS = 600.0
SILENCE_SECONDS = 20.0
# pymongo_inmemory's own variable: an archive at another address, such as a mirror's.
ADDRESS_ENV = "PYMONGOIM__DOWNLOAD_URL"
_FAMILIES = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "amzn": "amazon",
    "sles": "suse",
    "opensuse-leap": "suse",
    **dict.fromkeys(("rhel", "centos", "rocky", "almalinux", "ol"), "rhel"),
}


def fetched(series: Sequence[str], say: Say, *, budget: float = BUDGET_SECONDS) -> str:
    """Path of a downloaded `mongod` of one of those series, the last ones preferred; kept for the next run.

    Raises StackStartError after `budget` seconds, and when nothing fits or the network does not let it.
    """
    place = FOLDER / "-".join((*_system(), *series))
    if not _servers(place):
        say(f"  mongo       downloading a server ({' or '.join(reversed(series))}) …")
        draft = place.with_name(f"draft-{os.getpid()}-{place.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            _fetch(draft, series, budget)
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return str(_servers(place)[0])


def _fetch(draft: Path, series: Sequence[str], budget: float) -> None:
    program = [sys.executable, "-m", "besedka.stacks.services.mongod_download"]
    try:
        finished = subprocess.run(  # noqa: S603 - this module
            [*program, str(draft), *_system(), *reversed(series)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=budget,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(f"it was not done after {budget:.0f} s", series) from error
    if finished.returncode != 0 or not _servers(draft):
        said = finished.stderr.strip().splitlines()
        raise _failed(said[-1] if said else "the archive held no mongod", series)


def _failed(why: str, series: Sequence[str]) -> StackStartError:
    return StackStartError(
        f"MongoDB could not be downloaded: {why}",
        expected=f"an archive with a server of version {', '.join(series)} for {' '.join(_system())}",
        where="--mongod=download",
        next_step="install MongoDB from its vendor's packages and name it by --mongod PATH; or name an "
        f"archive by {ADDRESS_ENV}; or leave --mongod out and take the stand-in",
    )


def _servers(folder: Path) -> list[Path]:
    name = "mongod.exe" if os.name == "nt" else "mongod"
    return sorted(path for path in folder.glob(f"extract/**/bin/{name}") if os.access(path, os.X_OK))


def _system() -> tuple[str, str]:
    """This system as pymongo_inmemory's table names it: (name, version); (linux, generic) fits no series."""
    arm = platform.machine().lower() in {"aarch64", "arm64"}
    if sys.platform == "darwin":
        return ("macos", "arm") if arm else ("osx", "generic")
    if sys.platform == "win32":
        return ("windows", "generic")
    try:
        told = platform.freedesktop_os_release()
    except OSError:
        told = {}
    family = _FAMILIES.get(told.get("ID", ""))
    if family is None:
        return ("linux", "generic")
    return (f"{family}-arm" if arm else family, told.get("VERSION_ID", "").partition(".")[0])


def main(folder: Path, system: str, release: str, series: Sequence[str]) -> int:
    """Fetch and print; see the head of this module."""
    socket.setdefaulttimeout(SILENCE_SECONDS)
    for name in ("download", "extract"):
        (folder / name).mkdir(parents=True)
        os.environ[f"PYMONGOIM__{name.upper()}_FOLDER"] = str(folder / name)
    from pymongo_inmemory.context import Context  # type: ignore[import-untyped]  # noqa: PLC0415
    from pymongo_inmemory.downloader import download  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        if os.environ.get(ADDRESS_ENV):
            _tell(download(Context()))
            return 0
        for one in series:
            context = Context(os_name=system, os_ver=release, version=one)
            if context.downloaded_version.startswith(f"{one}."):
                _tell(download(context))
                return 0
    except TypeError:
        # What its search for the server's folder ends in when there is none.
        return _failure("the archive holds no mongod")
    except Exception as error:  # the library lets through whatever its tools raise
        return _failure(f"{type(error).__name__}: {error}".replace("\n", " "))
    return _failure(f"pymongo_inmemory knows no archive for {system} {release}")


def _tell(folder: str) -> None:
    sys.stdout.write(f"{folder}\n")


def _failure(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
