"""The stack in containers in numbers: starts, reuse, overhead over bare `docker run`, and what runs leave.

    .venv/bin/python -m benchmarks.containers [--local-images] [--starts 5] [--runs 20] [--kills 5]

With --local-images on an engine and images of tests/containers/, else on the engine and images that a run
would take. Prints each number with its limit. Exit status: 0 every limit is kept, 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import psutil

from benchmarks import machine
from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.stacks import containers, kept, readiness, run_folders
from besedka.stacks.containers import ContainersStack
from besedka.stacks.docker import compose, engine, leftovers
from besedka.stacks.docker.compose import ComposeService
from besedka.stacks.docker.container_logs import ContainerLogs

FIRST_TEST_LIMIT = 25.0
REUSE_LIMIT = 3.0
OVERHEAD_LIMIT = 1.15
NOTES_TIME = (
    "import time, pathlib\ndef test_first(stack): pathlib.Path({told!r}).write_text(repr(time.time()))\n"
)
HANGS = """
import threading
def test_hangs(stack):
    print("hanging", flush=True)
    threading.Event().wait()
"""


def on_local_images(cleanup: ExitStack) -> None:
    """Take the engine and the images of tests/containers/ for this process and its children."""
    import docker  # noqa: PLC0415

    from tests.containers import local_engine, local_images  # noqa: PLC0415

    os.environ["DOCKER_HOST"] = cleanup.enter_context(local_engine.engine_url())
    os.environ.update(
        local_images.build(docker.DockerClient(base_url=os.environ["DOCKER_HOST"], timeout=300))
    )


def pytest_command(subject: Path) -> list[str]:
    """One test on a stack in containers, without workers."""
    quiet = ["-q", "-s", "-n", "0", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", str(subject), "--stack=containers", *quiet]


def first_test_seconds(subject: Path, *more: str) -> float:
    """Seconds from the command to the first line of the first test."""
    told = subject.with_suffix(".told")
    subject.write_text(NOTES_TIME.format(told=str(told)), "utf-8")
    began = time.time()
    subprocess.run([*pytest_command(subject), *more], cwd=PROJECT_ROOT, check=True, stdout=subprocess.DEVNULL)
    return float(told.read_text("utf-8")) - began


def our_containers_seconds() -> float:
    """Seconds of a start of ours until the last of the four containers is ready."""
    lines: list[str] = []
    with containers.running(contracts.load(), say=lines.append):
        pass
    found = [re.match(r"  (\w+) +ready after ([\d.]+) s", line) for line in lines]
    return max(float(row[2]) for row in found if row and row[1] in compose.SERVICES)


def bare_seconds() -> float:
    """Seconds of `docker run` for the same containers until the same questions are answered."""
    plan = containers.prepared(contracts.load())
    name = f"besedka-bare-{secrets.token_hex(4)}"
    contract = plan.contract.at(
        site_url=f"http://127.0.0.1:{plan.ports['site']}",
        chat_url=f"http://127.0.0.1:{plan.ports['rocketchat']}",
    )
    mongo = f"{name}-mongo"
    health = plan.services["mongo"].health_command

    def initiate() -> None:
        subprocess.run(["docker", "exec", mongo, *health], check=False, capture_output=True)

    # MongoDB first: with a real one, all the others are ready before Rocket.Chat can be.
    ready: dict[str, Callable[[], bool]] = {
        "mongo": lambda: readiness.mongo_is_primary(plan.ports["mongo"], initiate),
        "rocketchat": lambda: readiness.chat(contract),
        "postgres": lambda: readiness.postgres(plan.host_url("postgres")),
        "redis": lambda: readiness.redis_answers(plan.host_url("redis")),
    }
    logs = ContainerLogs(plan.folder / "logs")
    began = time.perf_counter()
    docker("network", "create", name)
    try:
        begun = [
            subprocess.Popen(run_command(plan, plan.services[each], name), stdout=subprocess.DEVNULL)
            for each in compose.SERVICES
        ]
        for process in begun:
            assert process.wait() == 0
        # Asked as our own start asks: by the same questions, when a container has written something and at
        # the latest at the same interval. A service asked more seldom is found ready later than it is.
        with readiness.Progress(
            lambda _line: None, budget=plan.budget, cancelled=threading.Event()
        ) as progress:
            for each, answers in ready.items():
                logs.follow(each, plan.engine.client.containers.get(f"{name}-{each}"))
                progress.wait_until(
                    each,
                    answers,
                    expected=each,
                    alive=partial(logs.ended, each),
                    news=partial(logs.wait_for_output, each),
                )
        return time.perf_counter() - began
    finally:
        docker("rm", "--force", "--volumes", *(f"{name}-{each}" for each in compose.SERVICES))
        docker("network", "rm", name)
        logs.end()
        run_folders.finished(plan.folder)


def run_command(plan: ContainersStack, service: ComposeService, name: str) -> list[str]:
    """`docker run` as somebody would type it for one service."""
    told = service.environment
    if service.name == "rocketchat":
        told = told | {"ROOT_URL": f"http://127.0.0.1:{plan.ports['rocketchat']}"}
    words = ["docker", "run", "--detach", "--network", name, "--network-alias", service.name]
    words += [
        "--name",
        f"{name}-{service.name}",
        "-p",
        f"127.0.0.1:{plan.ports[service.name]}:{service.port}",
    ]
    words += ["--hostname", service.hostname] if service.hostname else []
    for key, value in told.items():
        words += ["--env", f"{key}={value}"]
    for host, address in service.extra_hosts.items():
        words += ["--add-host", f"{host}:{address}"]
    for place in service.volumes.values():
        words += ["--volume", place]
    return [*words, service.image, *(service.command or [])]


def docker(*arguments: str) -> None:
    """A docker command that must do."""
    subprocess.run(["docker", *arguments], check=True, stdout=subprocess.DEVNULL)


def kill_one(subject: Path) -> None:
    """Kill -9 a run in its test, and wait for what cleans up after it."""
    subject.write_text(HANGS, "utf-8")
    running = subprocess.Popen(pytest_command(subject), cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert any("hanging" in line for line in running.stdout), "the run ended before it hung"
    running.send_signal(signal.SIGKILL)
    running.communicate()
    psutil.wait_procs(our_processes(), timeout=60)


def our_processes() -> list[psutil.Process]:
    """Guards and guardians of any run of this checkout."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if "besedka.stacks.docker.leftovers" in words or str(run_folders.RUNS_FOLDER) in words:
            found.append(process)
    return found


def things() -> set[str]:
    """Every container, network and volume that carries a label of ours, and our processes."""
    client = engine.find().client
    mine = {"label": leftovers.RUN_LABEL}
    rows = [
        *client.containers.list(all=True, filters=mine),
        *client.networks.list(filters=mine),
        *client.volumes.list(filters=mine),
    ]
    return {str(row.name) for row in rows} | {f"process {row.pid}" for row in our_processes()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.containers")
    parser.add_argument("--local-images", action="store_true")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=5)
    told = parser.parse_args()
    print(machine.describe())
    folder = PROJECT_ROOT / ".besedka" / "inner"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as cleanup:
        subject = Path(cleanup.enter_context(tempfile.TemporaryDirectory(dir=folder))) / "test_subject.py"
        if told.local_images:
            on_local_images(cleanup)
        before = things()
        kept_limits = [
            line(
                "first test, images present",
                [first_test_seconds(subject) for _ in range(told.starts)],
                FIRST_TEST_LIMIT,
            ),
            line("--reuse of a kept stack", reuse_seconds(told.starts), REUSE_LIMIT),
            overhead(told.starts),
        ]
        for number in range(told.runs):
            if number < told.kills:
                kill_one(subject)
            else:
                first_test_seconds(subject)
        left = sorted(things() - before)
        print(f"left after {told.runs} runs, {told.kills} of them killed: {len(left)} (limit 0) {left}")
    return 0 if all(kept_limits) and not left else 1


def reuse_seconds(count: int) -> list[float]:
    """Seconds of `besedka up --reuse` when nothing has changed."""
    command = [sys.executable, "-m", "besedka.cli", "up", "--reuse"]
    seconds = []
    try:
        for number in range(count + 1):
            began = time.perf_counter()
            subprocess.run(command, cwd=PROJECT_ROOT, check=True, stdout=subprocess.DEVNULL)
            seconds += [time.perf_counter() - began] if number else []
    finally:
        kept.remove()
    return seconds


def overhead(count: int) -> bool:
    """Our start of the four containers over bare `docker run`, one after the other in turn."""
    ours, bare = [], []
    for _ in range(count):
        bare.append(bare_seconds())
        ours.append(our_containers_seconds())
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"four containers ready: ours {statistics.median(ours):.2f} s, bare docker run "
        f"{statistics.median(bare):.2f} s, ratio {ratio:.2f} (limit {OVERHEAD_LIMIT})"
    )
    return ratio <= OVERHEAD_LIMIT


def line(what: str, seconds: list[float], limit: float) -> bool:
    """Print the median and the worst beside the limit; whether the worst keeps it."""
    print(
        f"{what}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s (limit {limit:g} s)"
    )
    return max(seconds) <= limit


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
