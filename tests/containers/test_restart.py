"""`scripts/magic_restart.py` on docker-compose.local.yml: real PostgreSQL and Redis, a real engine, real kills."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from besedka.checks.finding import Result
from besedka.checks.run import examine
from besedka.commands.restart import FOLDER
from besedka.contract import PROJECT_ROOT
from besedka.errors import ServiceUnreachableError
from besedka.restart import daphne, site_dump
from besedka.restart.engine import DockerServices
from besedka.restart.errors import DumpFailedError
from besedka.restart.inventory import KINDS, Inventory
from besedka.stacks import attached
from besedka.stacks.docker.compose import SERVICES
from besedka.stacks.model import Stack
from besedka.target import Target
from tests.containers import runs
from tests.containers.compose_stack import ComposeStack
from tests.containers.foreign_processes import Listener, until_healthy

pytestmark = pytest.mark.containers
WEB = PROJECT_ROOT / "web"
MESSAGES = 700  # more than one batch of a dump
ACCOUNTS = "accounts_user"
OWNER = {"_id": "owner-id", "username": "owner"}


@pytest.fixture(scope="module")
def untouched(
    surroundings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComposeStack]:
    """As `up` leaves it, with `web` on the site's port: an empty PostgreSQL, Rocket.Chat of its first
    boot.
    """
    stack = ComposeStack.made(tmp_path_factory.mktemp("compose"), surroundings)
    try:
        stack.composed("--profile", "web", "up", "-d")
        yield stack
    finally:
        daphne.stop(stack.port, WEB)
        stack.composed("--profile", "web", "down", "--volumes", "--timeout", "1")
        shutil.rmtree(stack.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def first(untouched: ComposeStack) -> subprocess.CompletedProcess[str]:
    """The first restart of that stack."""
    return untouched.restart()


@pytest.fixture(scope="module")
def developers(untouched: ComposeStack, first: subprocess.CompletedProcess[str]) -> ComposeStack:
    """A stack in use: Daphne runs, and people have written."""
    assert first.returncode == 0, first.stdout + first.stderr
    with untouched.mongo() as database:
        row = {"rid": "GENERAL", "u": OWNER, "ts": datetime.now(UTC)}
        rows = ({"_id": f"kept-{n}", "msg": f"№ {n}"} | row for n in range(MESSAGES))
        database["rocketchat_message"].insert_many(rows)
    return untouched


def containers(client: Any, developers: ComposeStack) -> dict[str, Any]:
    """Service → container."""
    found = client.containers.list(
        all=True, filters={"label": f"com.docker.compose.project={developers.project}"}
    )
    return {row.labels["com.docker.compose.service"]: row for row in found}


def starts(client: Any, developers: ComposeStack) -> dict[str, tuple[str, str]]:
    """Service → container's id, and when it was started."""
    rows = containers(client, developers)
    return {name: (row.id, row.attrs["State"]["StartedAt"]) for name, row in rows.items()}


@pytest.fixture
def keeps_volumes(developers: ComposeStack, client: Any) -> Iterator[None]:
    """During the test the engine removes no volume of the stack."""
    begun = int(time.time())
    yield
    until = int(time.time()) + 1
    told = client.events(
        since=begun, until=until, decode=True, filters={"type": "volume", "event": "destroy"}
    )
    removed = {event["Actor"]["ID"] for event in told}
    found = client.volumes.list(filters={"label": f"com.docker.compose.project={developers.project}"})
    assert len(found) == 4
    assert not [name for name in removed if developers.project in name]


def same(before: Inventory, now: Inventory) -> bool:
    return [before.digest(kind) for kind in KINDS] == [now.digest(kind) for kind in KINDS]


def test_a_first_restart_stops_web_and_brings_the_site(
    untouched: ComposeStack, first: subprocess.CompletedProcess[str], client: Any
) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    assert "web: stopping" in first.stdout
    assert "verdict: nothing was lost, and the stack is healthy" in first.stdout
    assert containers(client, untouched)["web"].status == "exited"
    assert daphne.running(untouched.port, WEB)
    assert untouched.inventory().count("site users") == len(untouched.contract.users)
    (row,) = untouched.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'besedka'")
    assert row[0] >= 1
    (dump,) = untouched.dumps()
    assert "PostgreSQL database dump complete" in (dump / "site.sql").read_text("utf-8")


@pytest.mark.usefixtures("keeps_volumes")
def test_a_whole_restart_loses_nothing(developers: ComposeStack, client: Any) -> None:
    before, begun = developers.inventory(), starts(client, developers)
    assert before.count("messages") >= MESSAGES
    site = daphne.holders(developers.port)

    finished = developers.restart()

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert same(before, developers.inventory())
    for line in before.lines():
        assert line in finished.stdout
    now = starts(client, developers)
    for name in SERVICES:
        assert begun[name][0] == now[name][0], f"{name} is another container"
        assert begun[name][1] < now[name][1], f"{name} was not restarted"
    assert daphne.running(developers.port, WEB)
    assert daphne.holders(developers.port) != site


def test_only_rocketchat(developers: ComposeStack, client: Any) -> None:
    before, begun, site = developers.inventory(), starts(client, developers), daphne.holders(developers.port)

    finished = developers.restart("--only", "rocketchat")

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert same(before, developers.inventory())
    now = starts(client, developers)
    assert {name for name in now if now[name] != begun[name]} == {"rocketchat"}
    assert daphne.holders(developers.port) == site, "Daphne was not left alone"


@pytest.mark.usefixtures("keeps_volumes")
def test_a_loss_is_named_and_the_dump_brings_it_back(developers: ComposeStack) -> None:
    before = developers.inventory()
    developers.kill_restart("counted")
    with developers.mongo() as database:
        assert database["rocketchat_message"].delete_one({"_id": "kept-7"}).deleted_count == 1
        assert database["rocketchat_subscription"].delete_many({"u.username": "store_admin"}).deleted_count
    developers.sql(f"CREATE TABLE later (owner integer REFERENCES {ACCOUNTS})")
    developers.sql(f"DELETE FROM {ACCOUNTS} WHERE username = 'store_admin'")  # noqa: S608 - a name

    lost = developers.restart()

    output = lost.stdout + lost.stderr
    assert lost.returncode == 73, output
    assert "missing: site users store_admin" in output
    assert "missing: messages kept-7 by owner" in output
    assert "missing: subscriptions of store_admin in general" in output
    dump = developers.dumps()[-1]
    assert f"--restore {dump}" in output

    developers.kill_restart("restore", "--restore", str(dump))
    healed = developers.restart()

    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert f"bringing back {dump}" in healed.stdout
    assert same(before, developers.inventory())
    assert developers.sql("SELECT to_regclass('later')") == [(None,)], (
        "a table that the dump has not was left"
    )


@pytest.mark.usefixtures("keeps_volumes")
def test_killed_three_times_a_fourth_run_heals(developers: ComposeStack, client: Any) -> None:
    before = developers.inventory()
    for step in ("dumped", "restart mongo", "prepare"):
        developers.kill_restart(step)
    dumps = developers.dumps()

    finished = developers.restart()

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "an interrupted restart came as far as 'prepare'" in finished.stdout
    assert same(before, developers.inventory())
    assert developers.dumps() == dumps, "a run that goes on has taken another dump"
    assert {containers(client, developers)[name].status for name in SERVICES} == {"running"}


def test_ports_of_somebody_else_are_named_and_he_lives(
    developers: ComposeStack, client: Any, tmp_path: Path
) -> None:
    daphne.stop(developers.port, WEB)
    redis = containers(client, developers)["redis"]
    redis.stop(timeout=1)
    begun = starts(client, developers)

    with Listener(developers.port, tmp_path) as other:
        at_the_site = developers.restart()
        assert other.poll() is None, "it was killed"
    assert at_the_site.returncode == 72, at_the_site.stdout + at_the_site.stderr
    assert f"held by process {other.pid}" in at_the_site.stderr

    with Listener(developers.contract.services.redis, tmp_path) as another:
        at_redis = developers.restart("--only", "rocketchat")
        assert another.poll() is None, "it was killed"
    assert at_redis.returncode == 72, at_redis.stdout + at_redis.stderr
    named = rf"of redis, which stands still, is held by \S+ \(process {another.pid}\)"
    assert re.search(named, at_redis.stderr), at_redis.stderr
    assert starts(client, developers) == begun, "something was restarted"

    freed = developers.restart("--only", "rocketchat")

    assert freed.returncode == 0, freed.stdout + freed.stderr
    assert "redis stands still: it is started, too" in freed.stdout
    assert daphne.running(developers.port, WEB)


def test_a_paused_service_is_half_started(developers: ComposeStack, client: Any) -> None:
    begun, mongo = starts(client, developers), containers(client, developers)["mongo"]
    mongo.pause()
    try:
        finished = developers.restart()
    finally:
        mongo.unpause()

    assert finished.returncode == 71, finished.stdout + finished.stderr
    assert "mongo is half-started (paused" in finished.stderr
    assert starts(client, developers) == begun


def test_a_project_that_is_not_there(developers: ComposeStack) -> None:
    finished = developers.restart("--project", "besedka-nobodys")
    shutil.rmtree(FOLDER / "besedka-nobodys")

    assert finished.returncode == 70, finished.stdout + finished.stderr
    assert "'besedka-nobodys' has no container of postgres, redis, mongo, rocketchat" in finished.stderr


def test_a_restore_that_somebody_is_in_the_way_of_changes_nothing(
    developers: ComposeStack, on_engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_dump, "LOCK_SECONDS", 0.5)
    before = developers.inventory()
    with psycopg.connect(developers.site_database_url) as reader:
        reader.execute(f"SELECT count(*) FROM {ACCOUNTS}")  # noqa: S608 - a name
        with pytest.raises(DumpFailedError, match="canceling statement due to lock timeout"):
            site_dump.read(
                developers.site_database_url,
                developers.dumps()[-1] / "site.sql",
                DockerServices(developers.project),
            )
    assert same(before, developers.inventory())


def test_a_dump_and_its_count_are_of_one_moment(
    developers: ComposeStack, on_engine: None, tmp_path: Path
) -> None:
    before, inventory = developers.inventory(), Inventory()
    renamed = f"UPDATE {ACCOUNTS} SET full_name = %s WHERE username = 'test_user'"  # noqa: S608 - a name
    ((name,),) = developers.sql(f"SELECT full_name FROM {ACCOUNTS} WHERE username = 'test_user'")  # noqa: S608

    class Meanwhile(DockerServices):
        def run(self, *words: Any, **more: Any) -> None:
            developers.sql(renamed, "Somebody Else")
            super().run(*words, **more)

    try:
        services = Meanwhile(developers.project)
        site_dump.write(developers.site_database_url, tmp_path / "site.sql", services, inventory)
        assert developers.inventory().digest("site users") != before.digest("site users"), (
            "nothing was changed"
        )
    finally:
        developers.sql(renamed, name)

    assert inventory.digest("site users") == before.digest("site users")
    dumped = (tmp_path / "site.sql").read_text("utf-8")
    assert name in dumped
    assert "Somebody Else" not in dumped


def test_doctor_asks_from_inside_rocketchats_container(
    developers: ComposeStack, client: Any, on_engine: None
) -> None:
    chat = containers(client, developers)["rocketchat"]
    assert daphne.running(developers.port, WEB)

    def asked() -> Result:
        addresses = Target(developers.contract.site.url, developers.contract.chat.url)
        report = examine(addresses, developers.contract, only=["provider.reachable_from_chat"])
        return next(row for row in report.results if row.check == "provider.reachable_from_chat")

    assert "asked from inside Rocket.Chat's container" in asked().evidence
    hosts = chat.exec_run(["cat", "/etc/hosts"]).output.decode()
    chat.exec_run(["sh", "-c", "echo 127.0.0.1 host.docker.internal > /etc/hosts"])
    try:
        (found,) = asked().findings
    finally:
        chat.exec_run(["sh", "-c", 'printf %s "$HOSTS" > /etc/hosts'], environment={"HOSTS": hosts})
    assert found.code == "provider.reachable_from_chat.unreached_from_container"
    assert "Connection refused" in found.seen
    assert "interface=" in found.next_step
    assert asked().findings == ()


def test_provisioning_leaves_the_address_that_a_container_reaches(developers: ComposeStack) -> None:
    # By its addresses: without them it would be the stack of `up`, which another test may keep meanwhile.
    contract = developers.contract
    addresses = [f"--site-url={contract.site.url}", f"--chat-url={contract.chat.url}"]

    planned = developers.besedka("provision", "--plan", *addresses)

    assert planned.returncode == 0, planned.stdout + planned.stderr


def attach(developers: ComposeStack, folder: Path) -> Stack:
    located = Target.of(developers.contract, mongo_url=developers.mongo_url)
    target = replace(located, site_database_url=developers.site_database_url)
    return attached.describe(target, developers.contract, folder)


def test_attaching_names_what_stands_still_and_who_is_in_the_way(
    developers: ComposeStack, client: Any, on_engine: None, surroundings: Mapping[str, str], tmp_path: Path
) -> None:
    port = developers.contract.site.url.rpartition(":")[2]
    assert attach(developers, tmp_path).provider_url == f"http://host.docker.internal:{port}"

    redis = containers(client, developers)["redis"]
    redis.pause()
    try:
        with pytest.raises(ServiceUnreachableError, match=r"_redis_1 \(redis\) is paused") as paused:
            attach(developers, tmp_path)
    finally:
        redis.unpause()
        until_healthy(redis)
    assert "--mongo-url" in paused.value.expected

    labels = {"com.docker.compose.project": developers.project, "com.docker.compose.service": "web"}
    image = surroundings["BESEDKA_IMAGE_POSTGRES"]
    web = client.containers.run(image, entrypoint=["sleep", "600"], labels=labels, detach=True)
    try:
        with pytest.raises(ServiceUnreachableError, match=r"\(web\) runs beside Daphne \(process \d+\)"):
            attach(developers, tmp_path)
    finally:
        web.remove(force=True)
    assert attach(developers, tmp_path).kind == "attached"


def test_a_browser_signs_in_on_the_restarted_stack(
    developers: ComposeStack, surroundings: Mapping[str, str]
) -> None:
    addresses = {
        "site": developers.contract.site.url,
        "chat": developers.contract.chat.url,
        "mongo": developers.mongo_url,
    }
    named = [f"--{name}-url={url}" for name, url in addresses.items()]

    finished = runs.run(
        "tests/e2e/test_sign_in.py",
        *("-k", "test_opening_the_chat_signs_the_user_in and owner and not store", *named),
        f"--site-database-url={developers.site_database_url}",
        "--provision",
        more=surroundings,
        kind="attached",
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "provisioned: 0 changed" in finished.stdout
    assert "1 passed" in finished.stdout
