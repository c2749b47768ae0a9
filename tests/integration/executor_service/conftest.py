from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from executor_support import Executor, started
from support import unmeasured


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """An executor that all tests of a module share: they leave it as it was."""
    artifacts = tmp_path_factory.mktemp("artifacts")
    settings = {"GORCH_EXECUTOR_ARTIFACT_DIRS": str(artifacts), "GORCH_EXECUTOR_KILL_GRACE": "0.5"}
    settings["SECRET_OF_THE_SERVICE"] = "visible"
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, settings)) as found:
        yield found


@pytest.fixture
def new_executor(tmp_path: Path, certs: Path) -> Iterator[Callable[..., Executor]]:
    """Start executors of one's own, for tests that break them; called again it is another one on other data."""
    with unmeasured(), ExitStack() as stack:

        def make(**settings: str) -> Executor:
            names = {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in settings.items()}
            folder = tmp_path / f"executor{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(started(Executor(folder, certs, {"GORCH_EXECUTOR_KILL_GRACE": "0.5"} | names)))

        yield make
