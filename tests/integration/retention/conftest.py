"""One orchestrator of two workers and one executor for the tests of a file, which leave both working."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import failures_support
from failures_support import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, certs: Path, unmeasured: None) -> Iterator[House]:
    with failures_support.house(tmp_path_factory.mktemp("house"), certs) as found:
        yield found


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test has begun ends with it, the last first."""
    with ExitStack() as found:
        yield found
