"""The engine ``docker``: runs a container of an image, over the Docker API, which Podman speaks too."""

from executor.drivers.docker.driver import Docker

__all__ = ["Docker"]
