"""The engine ``docker``: containers of a daemon of the tests' own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Bed, Node
from docker_support import IMAGE, Dockerd, dockerd


class Docker(Bed):
    """Programs in busybox's shell."""

    name = "docker"
    leaves_running = False  # when its main process ends, a container has no other any more

    def __init__(self, daemon: Dockerd) -> None:
        self.daemon = daemon

    def settings(self) -> Mapping[str, str]:
        return {"docker_host": self.daemon.host, "docker_networks": "none"}

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        command = ["/bin/sh", "-c", "\n".join(lines), "sh", *args]
        return {"name": "n", "engine": "docker", "artifact": IMAGE, "args": command, "env": dict(env or {}), **fields}

    def open_gate(self, path: str) -> None:
        client = self.daemon.client()
        for container in client.containers():
            client.exec_start(client.exec_create(container["Id"], ["touch", path]))
        client.close()

    def changed(self) -> tuple[Mapping[str, str], bool]:
        return {"docker_networks": "no-such-network"}, True

    def missing(self) -> tuple[Node, str, str]:
        node = self.node("true", options={"pull": "never"}) | {"artifact": "gorch-test:absent"}
        return (node, "artifact", "image 'gorch-test:absent' is not on this executor's machine")


def bed(_: Path) -> Iterator[Bed]:
    with dockerd() as daemon:
        yield Docker(daemon)
