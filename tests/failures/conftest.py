"""One orchestrator of two workers and one executor for the tests of a file, which leave both working."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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


@pytest.fixture
def new_house(stack: ExitStack, tmp_path: Path, certs: Path, unmeasured: None) -> Callable[..., House]:
    """Return what starts a house with settings or certificates of its own."""

    def make(certs: Path = certs, **options: Any) -> House:
        return stack.enter_context(failures_support.house(tmp_path, certs, **options))

    return make
