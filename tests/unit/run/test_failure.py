"""Every way an installation goes wrong has a message and a status of its own, by what pip really prints."""

import errno
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bootstrap.errors import SetupError, Status, failure, system_failure
from bootstrap.process import environment

METADATA = "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "nothing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nothing-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("nothing-1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("nothing-1.0.dist-info/RECORD", "")
    return folder


def install(tmp_path: Path, requirement: str, *options: str, **env: str) -> SetupError:
    """What pip's failure at this requirement is told as."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(requirement)
    argv = [sys.executable, "-m", "pip", "install", "--require-hashes", "--target", str(tmp_path / "target")]
    done = subprocess.run(
        [*argv, *options, "-r", str(lock)],
        env=environment() | {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1", "PIP_FIND_LINKS": ""} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return failure(done.stdout + done.stderr, lock)


@pytest.mark.parametrize("language", ["C", "ru_RU.UTF-8"])
def test_a_changed_file(tmp_path: Path, wheels: Path, language: str) -> None:
    wrong = hashlib.sha256(b"").hexdigest()
    error = install(
        tmp_path,
        f"nothing==1.0 --hash=sha256:{wrong}",
        "--no-index",
        f"--find-links={wheels}",
        LANG=language,
        LANGUAGE=language,
    )
    assert error.status is Status.BAD_HASH
    assert "nothing==1.0" in error.found
    assert wrong in error.found
    assert "Got" in error.found


def test_no_fitting_package(tmp_path: Path, wheels: Path) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    error = install(tmp_path, f"nothing==2.0 --hash=sha256:{digest}", "--no-index", f"--find-links={wheels}")
    assert error.status is Status.NO_MATCH
    assert "nothing==2.0" in error.found


def test_no_network(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    error = install(
        tmp_path,
        f"nothing==1.0 --hash=sha256:{digest}",
        PIP_INDEX_URL="http://127.0.0.1:1/simple",
        PIP_EXTRA_INDEX_URL="",
    )
    assert error.status is Status.NO_NETWORK
    assert "nothing==1.0" in error.found
    assert "pip config list" in error.rows["expected"]


@pytest.mark.parametrize(
    ("output", "status"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            Status.NO_SPACE,
        ),
        ("OSError: [Errno 28] \u041d\u0435\u0442 \u043c\u0435\u0441\u0442\u0430", Status.NO_SPACE),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", Status.NO_SPACE),
        ("ERROR: ... OSError: [Errno 30] Read-only file system: '/x'", Status.NOT_WRITABLE),
        (
            "W: Failed to fetch x  Temporary failure resolving 'x'\nE: Unable to locate package",
            Status.NO_NETWORK,
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", Status.NO_NETWORK),
        ("something else", Status.FAILED),
        ("", Status.FAILED),
    ],
)
def test_other_ways(output: str, status: Status) -> None:
    error = failure(output, "here")
    assert error.status is status
    assert all(error.rows.values())


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (errno.ENOSPC, Status.NO_SPACE),
        (errno.EDQUOT, Status.NO_SPACE),
        (errno.EROFS, Status.NOT_WRITABLE),
        (errno.EACCES, Status.NOT_WRITABLE),
        (errno.EIO, Status.FAILED),
    ],
)
def test_errors_of_the_system_are_told_by_number(number: int, status: Status) -> None:
    error = system_failure(OSError(number, "\u043d\u0435\u0442", "/project/.besedka"), Path("/project"))
    assert error.status is status
    assert errno.errorcode[number] in error.found
    assert error.rows["where"] == "/project/.besedka"
