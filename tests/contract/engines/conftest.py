"""Each engine's bed, on a real executor with the real thing behind it; one of each for a class of tests.

A module is one engine, so that processes which take whole modules share the engines.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from beds import Bed
from executor_support import Executor, started

pytest.register_assert_rewrite("contract_support")


@pytest.fixture(scope="module", autouse=True)
def _unmeasured_services(unmeasured: None) -> None:
    """Halve what the start of each service costs: the tests of each driver measure their coverage."""


@pytest.fixture(scope="class")
def bed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """Return what says the cases to the engine of the class."""
    engine = request.cls.engine
    module = importlib.import_module(f"beds.{engine}")
    with contextmanager(module.bed)(tmp_path_factory.mktemp(engine)) as found:
        yield found


def _environment(bed: Bed) -> dict[str, str]:
    settings = {"kill_grace": "0.5", "capacity": "32", "log_limit": str(2**20), **bed.settings()}
    return {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture(scope="class")
def executor(bed: Bed, tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """Return an executor that all cases of an engine share. They may kill it, and start it again."""
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, _environment(bed))) as found:
        yield found


@pytest.fixture
def new_executor(bed: Bed, tmp_path: Path, certs: Path) -> Iterator[Callable[[], Executor]]:
    """Return what starts an executor of one's own, to change its settings."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(started(Executor(tmp_path / "executor", certs, _environment(bed))))
