"""One service of the compose file as a container, made first and started when its time has come."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, Self

from docker.types import EndpointConfig, Mount  # type: ignore[import-untyped]
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from besedka.stacks.docker import leftovers
from besedka.stacks.docker.compose import ComposeService
from besedka.stacks.docker.engine import Engine

# The guardian of leftovers.py does what Testcontainers' Ryuk does, without an image of its own to pull.
testcontainers_config.ryuk_disabled = True
for _name in ("container", "docker_client", "network"):
    logging.getLogger(f"testcontainers.core.{_name}").setLevel(logging.WARNING)


def client_arguments(engine: Engine) -> dict[str, Any]:
    """What Testcontainers makes a client of that engine from, without asking it for its version again."""
    told = dict(os.environ) | {"DOCKER_HOST": engine.url}
    return {"environment": told, "version": engine.client.api.api_version}


def name_of(run_id: str, thing: str = "") -> str:
    """Name on the engine of a run's container or volume; of its network, if no thing is named."""
    return f"besedka-{run_id}-{thing}" if thing else f"besedka-{run_id}"


class ServiceContainer(DockerContainer):
    """Testcontainers' container of one service, whose `start` is two steps: `create`, then `start`.

    Making one takes the engine a twentieth of a second, which need not follow the wait for another service.
    """

    def __init__(
        self,
        service: ComposeService,
        *,
        run_id: str,
        engine: Engine,
        port: int,
        environment: Mapping[str, str],
    ) -> None:
        """`port`: where 127.0.0.1 shows the service's own; `environment` is the whole of it."""
        super().__init__(
            service.image,
            docker_client_kw=client_arguments(engine),
            env=dict(environment),
            name=name_of(run_id, service.name),
            network_aliases=[service.name],
            labels=leftovers.labels(run_id, service.name),
            extra_hosts=service.extra_hosts,
            hostname=service.hostname,
            # As mounts, because those are made with labels, by the request that makes the container.
            mounts=[
                Mount(place, name_of(run_id, volume), type="volume", labels=leftovers.labels(run_id))
                for volume, place in service.volumes.items()
            ],
        )
        if service.command:
            self.with_command(service.command)
        # `with_bind_ports` knows no address, and a port on 0.0.0.0 is everybody's.
        bound: Any = ("127.0.0.1", port)
        self.ports[f"{service.port}/tcp"] = bound
        self._run_network = name_of(run_id)
        self._api_version = engine.client.api.api_version

    def create(self) -> Self:
        """Make the container and its volumes; the run's network must be there. Raises DockerException."""
        endpoint = EndpointConfig(self._api_version, aliases=self._network_aliases)
        self._container = self.get_docker_client().create(
            self.image,
            command=self._command,
            environment=self.env,
            ports=self.ports,
            name=self._name,
            network=self._run_network,
            networking_config={self._run_network: endpoint},
            **self._kwargs,
        )
        return self

    def start(self) -> Self:
        """Start the container that `create` has made. Raises DockerException."""
        self.get_docker_client().start(self.get_wrapped_container())
        return self
