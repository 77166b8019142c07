"""The embedded stack's PostgreSQL, the site's database: a server of this machine, or none.

A cluster takes a second to make and its migrations take more. So a finished one is kept below
`.besedka/postgres/` and copied. Durability is off: the data ends with the run. The server listens on
127.0.0.1 alone and trusts it, as the stack's MongoDB and Redis do. It has no socket in a folder. A socket's
path may have 107 bytes, and a run's folder may have more.

PostgreSQL refuses to run as root. A run of root's therefore starts it as `postgres` or, where there is no
such account, as `nobody`. That is done by util-linux' `setpriv`, which can also bind it to its guard's life.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.progress import Say
from besedka.stacks.process.ports import free_port
from besedka.stacks.process.processes import ServiceProcess, base_environment, guarded
from besedka.stacks.services import programs

NAME = "postgres"
TEMPLATES = PROJECT_ROOT / ".besedka" / "postgres"
OWNER = DATABASE = "besedka"
START_BUDGET_SECONDS = 60.0
_STEP_SECONDS = 120.0
_WINDOWS = os.name == "nt"
_DEBIAN = Path("/usr/lib/postgresql")
_ACCOUNTS = ("postgres", "nobody")
_INITDB = ("--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--no-sync", "--wal-segsize=1")
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    # In the data's folder, where nothing can be left behind; the default is /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
}


@dataclass(frozen=True)
class Program:
    """A PostgreSQL server: its folder of programs, its version, and the account it has to run as.

    `account` is (user id, group id) where we are root, else None.
    """

    folder: Path
    version: str
    account: tuple[int, int] | None = None

    def command(self, name: str, *arguments: str | Path) -> list[str]:
        """The command line for one of its programs, or for one of the system's as its account."""
        own = self.folder / name
        program = str(own) if own.exists() else name
        return [*_as_account(self.account), program, *map(str, arguments)]


def find(wish: str) -> tuple[Program | None, str]:
    """The server to run, or None and why not. `wish`: auto, none, or a folder with `postgres` and `initdb`.

    Raises StackStartError when a wish for a certain one cannot be fulfilled.
    """
    if wish == programs.NONE:
        return None, "--postgres=none"
    if _WINDOWS and wish != programs.AUTO:
        raise StackStartError(
            "the embedded stack does not run PostgreSQL on Windows",
            expected="--postgres=none, or no such option",
            where="--postgres",
            next_step="leave the option out, or use --stack=containers",
        )
    if wish == programs.AUTO:
        folder = _on_this_machine()
        if folder is None:
            return None, f"no PostgreSQL server on PATH or below {_DEBIAN}"
        try:
            return _usable(folder), ""
        except StackStartError as error:
            return None, error.found
    folder = next((path for path in (Path(wish), Path(wish) / "bin") if _is_server(path)), None)
    if folder is None:
        raise StackStartError(
            f"--postgres names {wish!r}, where there is no PostgreSQL server",
            expected="a folder with the programs `postgres` and `initdb`, such as /usr/lib/postgresql/15/bin",
            where="--postgres",
            next_step="correct the path, or leave the option out",
        )
    return _usable(folder.resolve()), ""


class Cluster:
    """The data of one stack below `folder`, and the server on it."""

    def __init__(self, program: Program, folder: Path, *, port: int, log: Path) -> None:
        self.program = program
        self.folder = folder
        self.port = port
        self.log = log

    @property
    def url(self) -> str:
        """DATABASE_URL of the site's database."""
        return f"postgres://{OWNER}@127.0.0.1:{self.port}/{DATABASE}"

    def copy(self, template: Path) -> None:
        """Take the template's data."""
        _own(self.program, self.folder)
        _step(self.program, self.folder, "cp", "-Rp", template, self._data)

    def make(self) -> None:
        """An empty cluster, without the site's database."""
        _own(self.program, self.folder)
        # Sorting and lower case by code point, the same on every machine; other systems have no C.UTF-8.
        where = ["--locale=C.UTF-8"] if os.uname().sysname == "Linux" else []
        _step(self.program, self.folder, "initdb", *_INITDB, *where, "-D", self._data)

    def start(self) -> ServiceProcess:
        """Start the server; `wait` waits for it."""
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        command = self.program.command("postgres", "-D", self._data, *address, *settings)
        # SIGTERM would wait until the last client has gone.
        spawn = partial(guarded, stop_signal=signal.SIGINT)
        return ServiceProcess(NAME, command, log=self.log, cwd=self.folder, environment={}, spawn=spawn)

    def wait(self, process: ServiceProcess, database: str = DATABASE) -> None:
        """Return once a query is answered. Raises StackStartError."""
        from besedka.stacks import readiness  # noqa: PLC0415

        url = self.url.removesuffix(DATABASE) + database
        process.wait_until(
            lambda: readiness.postgres(url), budget=START_BUDGET_SECONDS, expected="an answer to SELECT 1"
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"


def template(program: Program, migrate: Callable[[str], object], *, say: Say) -> Path:
    """A cluster with the site's migrated and empty database, made once per server and set of migrations.

    `migrate` gets the DATABASE_URL of the new, empty one. Two runs may do this at once: a finished draft
    is put in place by renaming.
    """
    wanted = TEMPLATES / f"{program.version}-{_fingerprint()}"
    if (wanted / "data").is_dir():
        return wanted / "data"
    say("  postgres    its first start here: the database is made, and kept for the next ones")
    draft = TEMPLATES / f"draft-{os.getpid()}-{wanted.name}"
    shutil.rmtree(draft, ignore_errors=True)
    cluster = Cluster(program, draft, port=free_port(), log=TEMPLATES / "template.log")
    try:
        cluster.make()
        server = cluster.start()
        try:
            cluster.wait(server, database="postgres")
            _create_database(cluster.url)
            migrate(cluster.url)
            _drop_others(cluster.url)
        finally:
            server.stop()
        _replace_older(program, wanted, draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return wanted / "data"


def _replace_older(program: Program, wanted: Path, draft: Path) -> None:
    for older in TEMPLATES.glob(f"{program.version}-*"):
        if older != wanted:
            shutil.rmtree(older, ignore_errors=True)
    if not wanted.exists():
        draft.rename(wanted)


def _create_database(url: str) -> None:
    import psycopg  # noqa: PLC0415 - a tenth of a second, where nothing else runs

    with psycopg.connect(url.removesuffix(DATABASE) + "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")


def _drop_others(url: str) -> None:
    """Leave the site's database alone in the cluster: every other one is 300 files more to copy."""
    import psycopg  # noqa: PLC0415 - as above

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE pg_database SET datistemplate = false WHERE datname <> current_database()")
        for name in ("postgres", "template1", "template0"):
            connection.execute(f"DROP DATABASE {name}")


def _fingerprint() -> str:
    """What a template is made of: how we make a cluster, the site's migrations, and its libraries'."""
    digest = hashlib.sha256(" ".join((*_INITDB, "alone")).encode())
    for name in ("django", "django-oauth-toolkit"):
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    for path in sorted((PROJECT_ROOT / "web").glob("*/migrations/*.py")):
        digest.update(f"{path.parent.parent.name}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _on_this_machine() -> Path | None:
    """Folder of the server on PATH, else of the newest in Debian's place, which is on nobody's PATH."""
    if _WINDOWS:
        return None
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((folder for folder in folders if _is_server(folder)), None)


def _is_server(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def _usable(folder: Path) -> Program:
    """The server with the account it can run as. Raises StackStartError."""
    version = programs.version(
        folder / "postgres", r"PostgreSQL\) (\S+)", expected="postgres (PostgreSQL) <version>"
    )
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    if os.getuid() != 0:
        _known(folder)
        return Program(folder, version)
    return Program(folder, version, _account(folder))


def _known(folder: Path) -> None:
    """Raises StackStartError where this process has a number and no name (`docker run --user 1234`)."""
    import pwd  # noqa: PLC0415 - not on Windows

    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        raise StackStartError(
            f"PostgreSQL refuses to run as a user without a name (id {os.getuid()})",
            expected="a user of /etc/passwd",
            where=str(folder),
            next_step="run as another user, or with --postgres=none",
        ) from None


def _account(folder: Path) -> tuple[int, int]:
    import pwd  # noqa: PLC0415 - not on Windows

    refused = "PostgreSQL refuses to run as root"
    expected = f"an account ({' or '.join(_ACCOUNTS)}) that can reach {TEMPLATES}, and util-linux' setpriv"
    next_step = "run as another user than root, or with --postgres=none"
    why = "there is no setpriv to run it as another user"
    if shutil.which("setpriv"):
        why = f"there is no account {' or '.join(_ACCOUNTS)}"
        for name in _ACCOUNTS:
            try:
                row = pwd.getpwnam(name)
            except KeyError:
                continue
            account = (row.pw_uid, row.pw_gid)
            if _reaches(account, folder / "postgres") and _reaches(account, TEMPLATES):
                return account
            why = f"user {name} cannot reach this folder"
    raise StackStartError(f"{refused}, and {why}", expected=expected, where=str(folder), next_step=next_step)


def _reaches(account: tuple[int, int], path: Path) -> bool:
    finished = subprocess.run(  # noqa: S603 - a program of the system
        [*_as_account(account), "test", "-x", str(path)], env=base_environment(), check=False
    )
    return finished.returncode == 0


def _as_account(account: tuple[int, int] | None) -> Sequence[str]:
    if account is None:
        return ()
    user, group = account
    # A change of user makes the kernel forget that the process dies with its guard.
    return ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--pdeathsig=KILL", "--")


def _own(program: Program, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755, exist_ok=True)
    if program.account:
        os.chown(folder, *program.account)


def _step(program: Program, folder: Path, name: str, *arguments: str | Path) -> None:
    finished = subprocess.run(  # noqa: S603 - PostgreSQL's own program, or cp
        program.command(name, *arguments),
        cwd=folder,
        env=base_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=_STEP_SECONDS,
        check=False,
    )
    if finished.returncode != 0:
        raise StackStartError(
            f"{name} ended with status {finished.returncode}:\n{finished.stdout.strip()}",
            expected="status 0",
            where=str(folder),
            next_step="read what it said; --postgres=none does without PostgreSQL",
        )
