"""A real sshd with its defaults, and an executor that reaches it as the host ``bed``."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from executor_support import Executor, started
from ssh_support import Sshd, sshd

SECRET = "correct horse battery staple"


def settings(server: Sshd, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of an executor with artifacts and a secret in ``folder``."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    values = {"KILL_GRACE": "0.5", "CAPACITY": "64", "ARTIFACT_DIRS": str(artifacts), "SECRET_ENV": "TOKEN"}
    names = {**values, **server.settings, **more}
    return {"TOKEN": SECRET} | {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in names.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An sshd that all tests of a module share: they leave it running."""
    with sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture(scope="module")
def executor(server: Sshd, tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """An executor that all tests of a module share."""
    folder = tmp_path_factory.mktemp("executor")
    with started(Executor(folder, certs, settings(server, folder))) as found:
        yield found


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Start an sshd of one's own, with further lines of its configuration."""
    with ExitStack() as stack:
        yield lambda *lines: stack.enter_context(sshd(tmp_path / "sshd", *lines))


@pytest.fixture
def new_executor(tmp_path: Path, certs: Path) -> Iterator[Callable[..., Executor]]:
    """Start an executor of one's own for a server, with further settings."""
    with ExitStack() as stack:

        def make(server: Sshd, **more: str) -> Executor:
            return stack.enter_context(
                started(Executor(tmp_path / "executor", certs, settings(server, tmp_path, **more)))
            )

        yield make
