"""Fixtures for tests of all levels."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import support
from gorchestrator import certificates
from support import Services, start_services


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a CA and the certificates of both services."""
    folder = tmp_path_factory.mktemp("certs")
    certificates.write(folder)
    return folder


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Have nothing that a module starts measure its coverage; fixtures and modules ask for it, see ``support``."""
    with support.unmeasured():
        yield


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    """Return the two real services with real certificates, one pair for a module."""
    yield from start_services(tmp_path_factory.mktemp("service"), certs)
