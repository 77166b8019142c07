"""`python -m standins.rocketchat`: a stand-in for Rocket.Chat, told by environment as the real server is.

MONGO_URL (a replica set), ROOT_URL, PORT, BIND_IP, ADMIN_*, OVERWRITE_SETTING_*, ... Options are the
stand-in's own. Ends with 0 on SIGTERM or SIGINT, 1 where Rocket.Chat would not run, 2 on wrong options.
"""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from typing import Any

import uvicorn

from standins.process import take_all_file_descriptors
from standins.rocketchat.app import build
from standins.rocketchat.boot import BootError, box, connect, start
from standins.rocketchat.config import MOODS, Config, ConfigError, read_client, read_config

_log = logging.getLogger("startup")


class _WebServer(uvicorn.Server):
    """Says that it runs once it listens, not before."""

    ready_text = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _log.info("\n%s", box("SERVER RUNNING", self.ready_text))


def _bind(config: Config) -> socket.socket:
    """The port, taken before anything is written to Mongo; raises BootError for a busy one."""
    family = socket.AF_INET6 if ":" in config.bind_ip else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it answers are 40 ms late.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.bind_ip, config.port))
    except OSError as error:
        listener.close()
        raise BootError(f"cannot listen on {config.bind_ip}:{config.port}: {error.strerror}") from error
    return listener


async def _run(config: Config) -> None:
    listener = _bind(config)
    client, mongo_version = await connect(config)
    server = await start(config, client)
    options: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}
    options |= {"lifespan": "off", "timeout_graceful_shutdown": 2}
    web = _WebServer(uvicorn.Config(build(server), **options))
    web.ready_text = f"""Rocket.Chat Version: {config.version} (stand-in)
    MongoDB Version: {mongo_version}
       Process Port: {listener.getsockname()[1]}
           Site URL: {server.settings.get("Site_Url")}
   ReplicaSet OpLog: Enabled"""
    await web.serve([listener])
    await server.services.client.aclose()
    await client.close()


async def _until_stopped(config: Config) -> int:
    """Run; a signal ends it with 0, also while it still waits for Mongo."""
    main, loop = asyncio.ensure_future(_run(config)), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(main.cancel))
    try:
        await main
    except asyncio.CancelledError:
        return 0
    except BootError as error:
        text = str(error)
        if "\n" in text:
            text = "\n" + box("SERVER ERROR", text)
        _log.error("%s", text)
        return error.status
    return 0


def _client_version(folder: str) -> int:
    """For who wants to know before a start: the version alone, or the line that says what is wrong."""
    try:
        sys.stdout.write(f"{read_client(folder).version or ''}\n")
    except ConfigError as error:
        sys.stdout.write(f"{error}\n")
        return 2
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="standins.rocketchat", description="Rocket.Chat stand-in, not Rocket.Chat"
    )
    parser.add_argument("--version", help="the version to imitate (default: the client's, else 7.7.1)")
    parser.add_argument("--movable-clock", action="store_true", help="serve POST /__standin__/clock")
    parser.add_argument(
        "--unlimited-logins",
        action="store_true",
        help="more than Meteor's five log-ins in ten seconds, which no real server allows",
    )
    parser.add_argument(
        "--chat-client",
        metavar="DIR",
        help="Rocket.Chat's client for our own pages: a bundle, or its web.browser",
    )
    moods = ", ".join(MOODS)
    parser.add_argument(
        "--client-mood",
        choices=MOODS,
        metavar="MOOD",
        help=f"our own client, as awkward as the real one: {moods}",
    )
    parser.add_argument("--client-version", action="store_true", help="print which version DIR is, and end")
    options = parser.parse_args()
    if options.client_version:
        return _client_version(options.chat_client or ".")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # Its request lines would carry access tokens in the payload mode.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        own = {"movable_clock": options.movable_clock, "unlimited_logins": options.unlimited_logins}
        config = read_config(os.environ, options.version, options.chat_client, options.client_mood, **own)
    except ConfigError as error:
        _log.error("%s", error)
        return 2
    _log.info("Rocket.Chat stand-in (not Rocket.Chat), imitating %s", config.version)
    take_all_file_descriptors()
    return asyncio.run(_until_stopped(config))


if __name__ == "__main__":
    sys.exit(main())
