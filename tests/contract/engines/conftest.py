"""Each case of the contract over each engine, on a real executor with the real thing behind it."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from beds import Bed
from executor_support import Executor, started

ENGINES = ("shell", "ansible", "docker", "podman", "ssh", "toscassh")


@pytest.fixture(scope="module", params=ENGINES)
def bed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """Return what says the cases to the engine."""
    module = importlib.import_module(f"beds.{request.param}")
    with contextmanager(module.bed)(tmp_path_factory.mktemp(request.param)) as found:
        yield found


def _environment(bed: Bed) -> dict[str, str]:
    settings = {"KILL_GRACE": "0.5", "CAPACITY": "32", **bed.settings()}
    return {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture(scope="module")
def executor(bed: Bed, tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """Return an executor that all cases of an engine share."""
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, _environment(bed))) as found:
        yield found


@pytest.fixture
def new_executor(bed: Bed, tmp_path: Path, certs: Path) -> Iterator[Callable[[], Executor]]:
    """Return what starts an executor of one's own, to break it."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(started(Executor(tmp_path / "executor", certs, _environment(bed))))
