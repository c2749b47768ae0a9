"""A server for each module, and executors that may send requests to it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from executor_support import Executor, started
from web_support import ODD, TOKEN, Web, serving

PROXIES = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
OF_OTHERS = PROXIES | {
    "http_proxy": "http://127.0.0.1:9",
    "REQUESTS_CA_BUNDLE": "/nowhere",
    "CURL_CA_BUNDLE": "/nowhere",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with serving() as found:
        yield found


@pytest.fixture
def web(server: Web) -> Web:
    """Return the server, which has seen nothing yet."""
    server.seen.clear()
    server.drops = 0
    server.gate.clear()
    return server


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """Return one whose requests may go to the server of the tests, in an environment that must not matter."""
    settings = {"GORCH_EXECUTOR_HTTP_ALLOW": "127.0.0.1", "GORCH_EXECUTOR_HTTP_CA": str(certs / "ca.pem")}
    settings |= {"GORCH_EXECUTOR_SECRET_ENV": "TOKEN,ODD", "TOKEN": TOKEN, "ODD": ODD}
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, settings | OF_OTHERS)) as found:
        yield found


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Executor]:
    """Return one as it is without settings."""
    with started(Executor(tmp_path_factory.mktemp("executor"), certs)) as found:
        yield found


@pytest.fixture
def new_executor(tmp_path: Path, certs: Path) -> Iterator[Callable[..., Executor]]:
    """Start executors of one's own, with further settings."""
    with ExitStack() as stack:

        def make(**settings: str) -> Executor:
            names = {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in settings.items()}
            folder = tmp_path / f"executor{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(started(Executor(folder, certs, names)))

        yield make
