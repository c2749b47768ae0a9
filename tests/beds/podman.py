"""The engine ``docker`` over Podman's service."""

from collections.abc import Iterator
from pathlib import Path

from beds import Bed
from beds.docker import Docker
from docker_support import podman


def bed(_: Path) -> Iterator[Bed]:
    with podman() as daemon:
        yield Docker(daemon)
