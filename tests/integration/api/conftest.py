"""Fixtures: a real orchestrator for a module. Engines nil and sleep need no executor, so there is none by default."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api_support import Api, Orchestrator


@pytest.fixture(scope="session")
def nobody() -> Iterator[str]:
    """Return a URL at which nobody listens; its port is held, so that nobody else will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"https://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, certs: Path, nobody: str) -> Iterator[Callable[..., Orchestrator]]:
    """Return what starts orchestrators, which are stopped when the module is done."""
    with ExitStack() as stack:

        def start(executors: str = f"executor={nobody}", workers: int = 2, **settings: str) -> Orchestrator:
            orchestrator = Orchestrator(tmp_path_factory.mktemp("api"), certs, executors, workers, **settings)
            stack.callback(orchestrator.stop)
            orchestrator.start()
            return orchestrator

        yield start


@pytest.fixture(scope="module")
def orchestrator(start: Callable[..., Orchestrator]) -> Orchestrator:
    """Return an orchestrator of two workers whose executor is down."""
    return start()


@pytest.fixture(scope="module")
def api(orchestrator: Orchestrator) -> Api:
    """Return the way to call it; an answer that its API docs do not name fails the test."""
    found = orchestrator.api
    found.learn()
    return found
