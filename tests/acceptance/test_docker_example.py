"""The example of containers, on both services and a daemon of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_support import dockerd
from gorchestrator.cli import examples
from support import Services, start_services


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    with dockerd() as daemon:
        daemon.tag("busybox", "latest")
        settings = {"GORCH_EXECUTOR_DOCKER_HOST": daemon.host, "GORCH_EXECUTOR_DOCKER_NETWORKS": "none"}
        yield from start_services(tmp_path_factory.mktemp("service"), certs, executor=settings)


def test_the_example_ends_as_it_has_to(services: Services) -> None:
    (example,) = [each for each in examples.load_all() if each.file == "docker.json"]
    task = services.remote.wait(services.remote.submit(example.gorch))
    assert list(example.differences(task)) == []
