"""The examples that need more than a fresh machine, on both services, with what they need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_support import dockerd
from gorchestrator.cli import examples
from ssh_support import sshd
from support import Services, start_services

FILES = {"all-engines.json", "ansible.json", "docker.json", "http.json", "ssh.json", "toscassh.json"}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server, dockerd() as daemon:
        server.hosts.write_text(f"web1:\n{server.entry()}")
        daemon.tag("busybox", "latest")
        settings = {
            "GORCH_EXECUTOR_HTTP_ALLOW": "127.0.0.1",
            "GORCH_EXECUTOR_SSH_HOSTS": str(server.hosts),
            "GORCH_EXECUTOR_DOCKER_HOST": daemon.host,
        }
        yield from start_services(tmp_path_factory.mktemp("service"), certs, executor=settings)


@pytest.mark.parametrize("file", sorted(FILES))
def test_an_example_ends_as_it_has_to(services: Services, file: str) -> None:
    (example,) = [each for each in examples.load_all() if each.file == file]
    task = services.remote.wait(services.remote.submit(example.gorch))
    assert list(example.differences(task)) == []


def test_none_is_left_out() -> None:
    assert {each.file for each in examples.load_all() if each.needs} == FILES
