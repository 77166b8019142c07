"""nginx before an embedded stack: the program, and the configuration that docs/nginx.example.conf shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from besedka import address
from besedka.contract import PROJECT_ROOT, Contract
from besedka.errors import StackStartError
from besedka.progress import Say
from besedka.reverse_proxy import ReverseProxy
from besedka.stacks.process.processes import base_environment
from besedka.stacks.services import programs

NAME = "nginx"
UNPACKED = PROJECT_ROOT / ".besedka" / "nginx"
_SYSTEM = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
# Debian has the program in the first, Ubuntu up to 22.04 in the second.
_PACKAGES = ("nginx", "nginx-core")
_STEP_SECONDS = 120.0
_VERSION = r"nginx/(\d+\.\d+\.\d+)"


@dataclass(frozen=True)
class Front:
    """What stands before site and chat. `chat_path` makes it one host; without certificate it is http."""

    site_host: str
    chat_host: str
    listen: int
    site_port: int
    chat_port: int
    body_megabytes: int
    socket_seconds: int
    chat_path: str = ""
    certificate: str = ""
    key: str = ""
    ancestors: str = ""

    def text(self) -> str:
        """The configuration of both sites, to be included in nginx's `http`."""
        # nginx compares its expressions with the decoded path.
        below = re.escape(unquote(self.chat_path))
        return _rendered("nginx.conf.j2", front=self, below=below)

    def alike(self, other: Front) -> bool:
        """Whether both are one configuration but for ports and the places of the certificate."""
        places = {
            name: asdict(other)[name] for name in ("listen", "site_port", "chat_port", "certificate", "key")
        }
        return replace(self, **places).text() == other.text()


def example(contract: Contract, *, one_host: bool) -> Front:
    """The configuration that a team can copy, with the contract's names. Raises StackStartError."""
    told = settings(contract)
    return Front(
        told.site_host,
        told.chat_host,
        443,
        address.port(contract.site.url),
        address.port(contract.chat.url),
        told.body_megabytes,
        told.socket_seconds,
        told.chat_path if one_host else "",
        "/etc/ssl/besedka/server.pem",
        "/etc/ssl/besedka/server.key",
        told.frame_ancestors or "",
    )


def settings(contract: Contract) -> ReverseProxy:
    """The contract's table. Raises StackStartError where it has none."""
    if contract.proxy is None:
        raise StackStartError(
            "the contract has no [proxy]",
            expected="site_host, chat_host and chat_path",
            where="[proxy] of the contract",
            next_step="add the table, as besedka.toml has it, or leave --proxy out",
        )
    return contract.proxy


def command(program: str, front: Front, folder: Path) -> list[str]:
    """Write the configuration into the folder; the program that serves it, when it is started there."""
    folder.mkdir(parents=True, exist_ok=True)
    main = folder / "nginx.conf"
    (folder / "besedka.conf").write_text(front.text(), encoding="utf-8")
    main.write_text(_rendered("nginx_main.conf.j2"), encoding="utf-8")
    return serving(program)


def serving(program: str) -> list[str]:
    """The program that serves what was written into the folder where it is started.

    No path of it is told: nginx looks for patterns in the whole path of what it includes, and a `[` is one.
    """
    return [program, "-p", "./", "-e", "stderr", "-c", "nginx.conf"]


def _rendered(template: str, **told: object) -> str:
    environment = Environment(  # noqa: S701 - no HTML
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return f"{environment.get_template(template).render(**told).rstrip()}\n"


def find(wish: str, say: Say) -> tuple[str | None, str]:
    """The program, or None and why not. `wish`: auto, none or a path.

    Where it is not installed, Debian's package is unpacked below `.besedka/`: no rights are needed, and
    nothing listens on port 80, as it does after an installation. Raises StackStartError for a wrong path.
    """
    if wish == programs.NONE:
        return None, "--nginx=none"
    if wish != programs.AUTO:
        found = programs.named("--nginx", wish, expected="the path of nginx", instead="leave the option out")
        version(found)
        return found, ""
    there = shutil.which(NAME, path=os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM)))
    unpacked = next((str(path) for path in UNPACKED.glob("*/usr/sbin/nginx")), None)
    try:
        program = there or unpacked or _unpack(say)
        version(program)
    except (StackStartError, OSError, subprocess.SubprocessError) as error:
        return None, error.found if isinstance(error, StackStartError) else f"no nginx: {error}"
    return program, ""


def version(program: str) -> str:
    """Version that the program names. Raises StackStartError if it does not run."""
    return programs.version(program, _VERSION, expected="nginx/<version>", option="-v")


def _unpack(say: Say) -> str:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise _missing("nginx is not on PATH, and this is no Debian or Ubuntu to take its package from")
    draft = UNPACKED / f"draft-{os.getpid()}"
    try:
        for package in _PACKAGES:
            say(f"  nginx       unpacking Debian's package {package} …")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            _step(["apt-get", "download", package], draft)
            archive = next(draft.glob("*.deb"))
            _step(["dpkg-deb", "-x", archive.name, "."], draft)
            archive.unlink()
            if (draft / "usr/sbin/nginx").exists():
                place = UNPACKED / package
                shutil.rmtree(place, ignore_errors=True)
                draft.rename(place)
                return str(place / "usr/sbin/nginx")
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    raise _missing(f"no program in the packages {', '.join(_PACKAGES)}")


def _step(command: list[str], folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the system's package manager
        command,
        cwd=folder,
        env=base_environment(),
        capture_output=True,
        text=True,
        timeout=_STEP_SECONDS,
        check=False,
    )
    if done.returncode:
        said = [*(done.stderr or done.stdout).strip().splitlines(), "nothing"][0]
        raise _missing(f"`{' '.join(command)}` ended with status {done.returncode} and said: {said}")


def _missing(why: str) -> StackStartError:
    return StackStartError(
        why, expected="nginx", where="PATH", next_step="install it, e.g. apt-get install nginx"
    )
