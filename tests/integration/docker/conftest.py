"""A daemon for each module, and executors that use it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from docker_support import Dockerd, dockerd
from executor_support import Executor, started


@pytest.fixture(scope="module")
def daemon() -> Iterator[Dockerd]:
    """Return a daemon with the image; tests that stop it start it again."""
    with dockerd() as found:
        yield found


def _environment(settings: dict[str, str]) -> dict[str, str]:
    settings = {"kill_grace": "0.5", "docker_networks": "none"} | settings
    return {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the one directory of this machine that containers may mount."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def executor(
    tmp_path_factory: pytest.TempPathFactory, certs: Path, daemon: Dockerd, shared: Path
) -> Iterator[Executor]:
    """Return an executor that the tests of a module share."""
    settings = {"docker_host": daemon.host, "docker_mounts": str(shared), "docker_capabilities": "CHOWN"}
    settings |= {"docker_memory": str(64 * 2**20), "docker_cpus": "1.5", "docker_pids": "100"}
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, _environment(settings))) as found:
        yield found


@pytest.fixture
def new_executor(tmp_path: Path, certs: Path, daemon: Dockerd) -> Iterator[Callable[..., Executor]]:
    """Start an executor of one's own, with further settings, to break it."""
    with ExitStack() as stack:

        def make(**settings: str) -> Executor:
            environment = _environment({"docker_host": daemon.host} | settings)
            return stack.enter_context(started(Executor(tmp_path / "executor", certs, environment)))

        yield make
