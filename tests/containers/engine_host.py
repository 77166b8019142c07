"""A Docker engine of the tests' own, which ends with its last user: `python engine_host.py FOLDER`.

Users hold a shared lock on FOLDER/users, which the kernel releases however they die. This process waits for
the exclusive one; having it, nobody uses the engine, and it is stopped and its data removed. Socket, data,
process file and bridge are the engine's own; an engine of the machine is not touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

BRIDGE = "besedka0"
BRIDGE_ADDRESS = "10.213.0.1/24"
POOL = "base=10.214.0.0/16,size=24"
STOP_SECONDS = 30


def command(folder: Path) -> list[str]:
    return [
        "dockerd",
        f"--host=unix://{folder}/docker.sock",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/docker.pid",
        f"--bridge={BRIDGE}",
        f"--default-address-pool={POOL}",
    ]


def main(folder: Path) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ip = shutil.which("ip") or "/usr/sbin/ip"
    subprocess.run([ip, "link", "add", BRIDGE, "type", "bridge"], check=False)
    subprocess.run([ip, "address", "replace", BRIDGE_ADDRESS, "dev", BRIDGE], check=True)
    subprocess.run([ip, "link", "set", BRIDGE, "up"], check=True)
    engine = subprocess.Popen(command(folder), stdin=subprocess.DEVNULL)
    with (folder / "users").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        engine.terminate()
        try:
            engine.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            engine.kill()
            engine.wait()
        subprocess.run([ip, "link", "delete", BRIDGE], check=False)
        for name in ("data", "exec", "docker.sock", "docker.pid"):
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(Path(sys.argv[1])))
