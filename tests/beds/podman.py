"""The engine ``docker`` over Podman's service."""

from collections.abc import Iterator
from pathlib import Path

from beds import Bed
from beds.docker import Docker
from docker_support import podman


class Podman(Docker):
    """What differs: on a busy machine its service leaves out some of what comes quickly, as docs/engines.rst says."""

    follows = False


def bed(_: Path) -> Iterator[Bed]:
    with podman() as daemon:
        yield Podman(daemon)
