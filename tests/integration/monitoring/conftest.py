"""Services of a test's own: what is counted is what the test does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import failures_support
from failures_support import House


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test has begun ends with it, the last first."""
    with ExitStack() as found:
        yield found


@pytest.fixture
def new_house(stack: ExitStack, tmp_path: Path, certs: Path, unmeasured: None) -> Callable[..., House]:
    """Return what starts two workers of an orchestrator, and an executor with settings of its own."""

    def make(**options: Any) -> House:
        return stack.enter_context(failures_support.house(tmp_path, certs, **options))

    return make


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    """Return both services."""
    return new_house()
