"""The embedded stack's MongoDB: a real `mongod` where one is found, our stand-in otherwise."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from besedka.contract import PROJECT_ROOT
from besedka.errors import StackStartError
from besedka.stacks.process.processes import ServiceProcess, Spawn, guarded

REPLICA_SET = "rs0"
# What the stand-in is by itself.
STANDIN_SERIES = "7.0"
_PROBE_MILLISECONDS = 300
# Unauthorized, NodeNotFound, NoReplicationEnabled, InvalidReplicaSetConfig, and
# NewReplicaSetConfigurationIncompatible (MongoDB's src/mongo/base/error_codes.yml). Others pass: it is
# initiated already, or still starting.
_LASTING_REFUSALS = {13, 74, 76, 93, 103}


def find(named: str | None) -> str | None:
    """Path of the `mongod` to run: the one named by --mongod, else one on PATH, else None (stand-in).

    Raises StackStartError when a named one is not there: a wish is not silently replaced.
    """
    if named is None:
        return shutil.which("mongod")
    found = shutil.which(named)
    if found is None:
        raise StackStartError(
            f"--mongod names {named!r}, which is not an executable file",
            expected="the path of a MongoDB server, version 5.0, 6.0 or 7.0",
            where="--mongod",
            next_step="correct the path, say --mongod=download, or leave the option out to use the stand-in",
        )
    return found


def start(  # noqa: PLR0913 - what a server is told
    mongod: str | None,
    *,
    port: int,
    data: Path,
    log: Path,
    spawn: Spawn = guarded,
    series: str = STANDIN_SERIES,
) -> ServiceProcess:
    """Start MongoDB (or the stand-in, which calls itself `series`) as a single-node set on 127.0.0.1."""
    data.mkdir(parents=True, exist_ok=True)
    where = ["--port", str(port)]
    if mongod:
        command = [mongod, *where, "--bind_ip", "127.0.0.1", "--dbpath", str(data), "--replSet", REPLICA_SET]
    else:
        command = [sys.executable, "-m", "standins.mongo", *where, "--host", "127.0.0.1"]
        command += ["--data", str(data), "--replica-set", REPLICA_SET]
        command += [] if series == STANDIN_SERIES else ["--series", series]
    environment = {"PYTHONPATH": str(PROJECT_ROOT)}
    return ServiceProcess("mongo", command, log=log, cwd=PROJECT_ROOT, environment=environment, spawn=spawn)


def is_primary(port: int) -> bool:
    """Whether the server answers as writable primary; initiates the replica set where it is not yet."""
    with socket.socket() as probe:
        # A driver waits the whole time-out for a server that does not listen yet.
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return False
    address = f"127.0.0.1:{port}"
    options = f"directConnection=true&serverSelectionTimeoutMS={_PROBE_MILLISECONDS}"
    try:
        with MongoClient[dict[str, object]](f"mongodb://{address}/?{options}") as client:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return True
            if not hello.get("setName"):
                _initiate(client, address)
            return False
    except PyMongoError:
        return False


def _initiate(client: MongoClient[dict[str, object]], address: str) -> None:
    """Make the server the only member of its set. Raises StackStartError for a refusal that stays one."""
    members = [{"_id": 0, "host": address}]
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as error:
        if error.code in _LASTING_REFUSALS:
            raise StackStartError(
                f"MongoDB does not become a replica set: {error.details and error.details.get('errmsg')}",
                expected=f"replSetInitiate of {REPLICA_SET} with {address} as its only member",
                where=address,
                next_step="read mongo.log in the run's folder; is this MongoDB 5.0, 6.0 or 7.0?",
            ) from error


def version(port: int) -> str:
    """Version that the server names, e.g. `7.0.14`."""
    with MongoClient[dict[str, object]](f"mongodb://127.0.0.1:{port}/", directConnection=True) as client:
        return str(client.server_info()["version"])


def url(port: int, database: str) -> str:
    """Connection string for one client on this machine."""
    return f"mongodb://127.0.0.1:{port}/{database}?replicaSet={REPLICA_SET}&directConnection=true"
