"""The examples that need more than a fresh machine, on both services, with what they need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gorchestrator.cli import examples
from support import Services, start_services

#: What the executor's settings must have, by example.
SETTINGS = {
    "ansible.json": {},
    "http.json": {"GORCH_EXECUTOR_HTTP_ALLOW": "127.0.0.1"},
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    settings = {name: value for wanted in SETTINGS.values() for name, value in wanted.items()}
    yield from start_services(tmp_path_factory.mktemp("service"), certs, executor=settings)


@pytest.mark.parametrize("file", SETTINGS)
def test_an_example_ends_as_it_has_to(services: Services, file: str) -> None:
    (example,) = [each for each in examples.load_all() if each.file == file]
    task = services.remote.wait(services.remote.submit(example.gorch))
    assert list(example.differences(task)) == []


def test_none_is_left_out() -> None:
    assert {each.file for each in examples.load_all() if each.needs} == SETTINGS.keys()
