"""`python -m standins.mongo --host 127.0.0.1 --port N --data DIR [--replica-set rs0]`.

Port 0 takes a free one; the line "listening on HOST:PORT" says which. Ends with 0 on SIGTERM or SIGINT. Ends
with 48 if the address cannot be had (as mongod does), with 100 if the data cannot.
"""

import argparse
import asyncio
import logging
import signal
import sqlite3
import sys
from pathlib import Path

from standins.process import take_all_file_descriptors

from .wire import Connection

log = logging.getLogger("mongo")


async def serve(host: str, port: int, data: Path, replica_set: str | None, series: str | None = None) -> int:
    from . import commands  # noqa: PLC0415 - brings mongomock, a third of a second: not for a usage message
    from .disk import Disk  # noqa: PLC0415

    if series:
        commands.call_itself(series)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(
        lambda _, context: log.error("%s", ascii(str(context.get("exception", context))))
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    log.info("%s starting, data in %s", commands.STAND_IN, data)
    try:
        node = commands.Node(Disk(data), replica_set)
    except (sqlite3.Error, OSError) as error:
        log.error("cannot use the data folder %s: %s", data, error)  # noqa: TRY400 - one line, no traceback
        return 100
    try:
        server = await loop.create_server(lambda: Connection(node.answer), host, port, backlog=1024)
    except OSError as error:
        log.error("cannot listen on %s:%d: %s", host, port, error.strerror)  # noqa: TRY400 - as above
        return 48
    port = server.sockets[0].getsockname()[1]
    node.address = f"{'127.0.0.1' if host in ('0.0.0.0', '') else host}:{port}"  # noqa: S104 - compared, not bound
    log.info("%s listening on %s:%d", commands.STAND_IN, host, port)
    await stop.wait()
    server.close()
    node.disk.close()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="standins.mongo", description="MongoDB stand-in (not MongoDB)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, choices=range(65536), metavar="0..65535")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data, made if missing")
    parser.add_argument(
        "--replica-set", help="announce a replica set of this name with this server as primary"
    )
    parser.add_argument(
        "--series", metavar="N.N", help="the version to give, where Rocket.Chat wants it; it acts as 7.0"
    )
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s mongo %(message)s")
    take_all_file_descriptors()
    sys.exit(asyncio.run(serve(**vars(options))))
